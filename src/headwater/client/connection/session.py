"""One socket's conversation: what is asked, what is told, and when the other side is dead. No I/O, no clock.

A driver sends what is in `out`, gives `take` each message that comes, asks `due` when to look again, and then calls
`look`. What all that means is told as events.

Rule 1: any message is a sign of life. Behind a heartbeat of silence the server is asked, behind two and a half it is
        dead.
Rule 2: a subscription is acknowledged up to what its consumer is done with: when that is half of the window, or after
        `ACK_SECONDS`.
Rule 3: what is not known is let through: a message of a newer server tells nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from headwater.client.connection.closes import error_of_close
from headwater.client.errors import BadAnswer, Silent
from headwater.client.retry import BEATS
from headwater.errors import HeadwaterError
from headwater.protocol.websocket import messages as m

SUBPROTOCOL: Final = "headwater.v1+json"
#: Seconds after which less than half a window is acknowledged, too.
ACK_SECONDS: Final = 1.0
#: Why a stream is let go when the server stops.
_STOPPING: Final = "stopping"
#: Bytes that are sent and not acknowledged, of a server that does not tell.
_WINDOW: Final = 262_144

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(m.ServerMessage).decode


class Welcomed(msgspec.Struct, frozen=True):
    """The conversation has begun."""

    welcome: m.Welcome


class Answered(msgspec.Struct, frozen=True):
    """What was asked is answered.

    Attributes:
        id: of what was asked.
        message: the answer; an `err`, where it is refused.
    """

    id: int
    message: m.ServerMessage


class Told(msgspec.Struct, frozen=True):
    """Something about a stream that is read.

    Attributes:
        id: of the subscription.
        message: what.
        size: of the message in bytes.
        raw: its text, where what it holds is handed on as it is.
    """

    id: int
    message: m.ServerMessage
    size: int = 0
    raw: bytes = b""


class Expiring(msgspec.Struct, frozen=True):
    """Access ends in so many seconds."""

    seconds: float


class Draining(msgspec.Struct, frozen=True):
    """The server stops; this client may come back in so many seconds."""

    after: float


Event = Welcomed | Answered | Told | Expiring | Draining


class _Sub(msgspec.Struct):
    path: str
    number: int | None = None
    window: int = 0
    done: int = 0
    offset: str = ""
    due: float | None = None


class Session:
    """The conversation on one socket.

    Args:
        token: shown in `hello`.
        name: what the client calls itself.
        silence: seconds without a message after which the server is dead; None: two and a half of its heartbeats.
        now: the moment.

    Attributes:
        out: messages to be sent.
        error: why it is over; None: it is not.
        after: when this client may come back, of a server that stops; None: it does not stop.
        heartbeat: the server's, in seconds; 0: it is not known yet.
        reads: the streams that are read, each once.
    """

    def __init__(self, token: str | None, name: str | None, silence: float | None, now: float) -> None:
        self.out: list[str] = []
        self.error: HeadwaterError | None = None
        self.after: float | None = None
        self.heartbeat = 0.0
        self.reads: set[str] = set()
        self._silence = silence
        self._window = _WINDOW
        self._next = 1
        self._subs: dict[int, _Sub] = {}
        self._numbers: dict[int, int] = {}
        self._heard = now
        self._asked = False
        self.say(m.Hello(token, name))

    @property
    def is_usable(self) -> bool:
        """Whether something may still be asked on it."""
        return self.error is None and self.after is None

    def say(self, message: Any) -> None:
        """Something that is not answered."""
        self.out.append(_encode(message).decode())

    def ask(self, make: Callable[[int], Any]) -> int:
        """Something that is answered under a number, which is given to what makes the message."""
        number = self._next
        self._next += 1
        self.say(make(number))
        return number

    def subscribe(self, make: Callable[[int], m.Sub]) -> int:
        """Read a stream; gives the number of the subscription."""
        number = self._next
        self._next += 1
        message = make(number)
        self._subs[number] = _Sub(message.path, window=self._window if message.window is None else message.window)
        self.reads.add(message.path)
        self.say(message)
        return number

    def leave(self, id: int) -> None:
        """Read it no more."""
        sub = self._over(id)
        if sub is None or self.error is not None:
            return
        if sub.number is not None:
            self._numbers.pop(sub.number, None)
        self.say(m.Unsub(path=sub.path))

    def _over(self, id: int) -> _Sub | None:
        sub = self._subs.pop(id, None)
        if sub is not None:
            self.reads.discard(sub.path)
        return sub

    def done(self, id: int, size: int, offset: str, now: float) -> bool:
        """The consumer is done with a message; gives whether there is something to send, or another moment to look.

        Args:
            id: of the subscription.
            size: of the message.
            offset: behind its records.
            now: the moment.
        """
        sub = self._subs.get(id)
        if sub is None or sub.number is None or not sub.window:
            return False
        sub.done += size
        sub.offset = offset
        if sub.done * 2 >= sub.window:
            self._acknowledge(sub)
            return True
        is_first, sub.due = sub.due is None, now + ACK_SECONDS if sub.due is None else sub.due
        return is_first

    def take(self, text: str | bytes, now: float) -> list[Event]:
        """Take a message.

        Raises:
            HeadwaterError: it is none, and the conversation is over.
        """
        self._heard, self._asked = now, False
        data = text.encode() if isinstance(text, str) else text
        try:
            message = _decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._unknown(data)
        return self._hear(message, data)

    def closed(self, code: int | None, reason: str) -> HeadwaterError:
        """The socket is closed; gives why."""
        return self.fail(error_of_close(code, reason))

    def fail(self, error: HeadwaterError) -> HeadwaterError:
        """The conversation is over."""
        self.error = self.error or error
        self._subs.clear()
        self._numbers.clear()
        self.reads.clear()
        return self.error

    def due(self) -> float | None:
        """The moment of the next `look`; None: there is none."""
        moments = [sub.due for sub in self._subs.values() if sub.due is not None]
        if beat := self._beat():
            moments.append(self._heard + (self._most() if self._asked else min(beat, self._most())))
        return min(moments, default=None)

    def look(self, now: float) -> None:
        """Do what is due.

        Raises:
            Silent: the server is dead.
        """
        for sub in self._subs.values():
            if sub.due is not None and sub.due <= now:
                self._acknowledge(sub)
        beat, quiet = self._beat(), now - self._heard
        if beat and quiet >= self._most():
            raise self.fail(Silent(f"nothing was heard for {quiet:.3g} s, not even a heartbeat"))
        if beat and quiet >= beat and not self._asked:
            self._asked = True
            self.say(m.Ping())

    def _beat(self) -> float:
        return self.heartbeat or (self._silence or 0.0) / BEATS

    def _most(self) -> float:
        return self._silence or BEATS * self.heartbeat

    def _acknowledge(self, sub: _Sub) -> None:
        assert sub.number is not None
        sub.done, sub.due = 0, None
        self.say(m.Ack(sub.number, sub.offset))

    def _unknown(self, data: bytes) -> list[Event]:
        try:
            found = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found = None
        kinds = {str(cls.__struct_config__.tag) for cls in m.SERVER}
        if not isinstance(found, dict) or not isinstance(found.get("t"), str) or found["t"] in kinds:
            raise self.fail(BadAnswer("the server sent a message that is not of the subprotocol"))
        return []

    def _hear(self, message: m.ServerMessage, data: bytes) -> list[Event]:
        match message:
            case m.Welcome():
                self.heartbeat, self._window = message.heartbeat, message.window
                return [Welcomed(message)]
            case m.Beat():
                self.say(m.Pong())
                return [Told(id, message) for id in self._subs]
            case m.Drain(after):
                self.after = after
                return [Draining(after), *(Told(id, message) for id in self._subs)]
            case m.Expiring(seconds):
                return [Expiring(seconds)]
            case m.Subscribed(id, number):
                return self._begun(id, number, message)
            case m.Waiting(id):
                return [Told(id, message)] if id in self._subs else []
            case m.Problem():
                return self._refused(message)
            case m.Data(s) | m.Live(s) | m.Gap(s) | m.Signal(s) | m.Presence(s):
                id = self._numbers.get(s, 0)
                return [Told(id, message, len(data), data)] if id else []
            case m.End(s):
                if message.why == "detached" and message.code == _STOPPING:
                    self.after = message.after  # `drain` follows, and may be late: nobody comes back here
                id = self._numbers.pop(s, 0)
                return [Told(id, message)] if self._over(id) is not None else []
            case m.Answer(None):
                return []
            case _:
                return [Answered(message.id or 0, message)]

    def _begun(self, id: int, number: int, message: m.Subscribed) -> list[Event]:
        sub = self._subs.get(id)
        if sub is None:
            return []
        sub.number = number
        self._numbers[number] = id
        return [Told(id, message)]

    def _refused(self, message: m.Problem) -> list[Event]:
        if message.id is not None and message.id not in self._subs:
            return [Answered(message.id, message)]
        id = self._numbers.get(message.s or 0, 0) if message.id is None else message.id
        sub = self._over(id)
        if sub is None:
            return []
        if sub.number is not None:
            self._numbers.pop(sub.number, None)
        return [Told(id, message)]
