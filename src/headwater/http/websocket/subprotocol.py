"""What all connections of one subprotocol share: how they are spoken to, and what many of their clients ask for.

Rule: what follows from the bytes of a `sub` and from the settings is made once of them. Whether it is allowed, and
      what the client reads already, is looked at each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from headwater.errors import InvalidMessage
from headwater.http.websocket.rights import asks_to_read
from headwater.http.websocket.telling import Telling
from headwater.hub.live.readers import LiveReaders
from headwater.hub.live.subscriptions.wish import Wish, form_again, terms_of
from headwater.hub.live.wire_format import WireFormat
from headwater.model import NOW
from headwater.protocol.asks import Ask
from headwater.protocol.ephemeral import PRESENCE, SIGNAL
from headwater.protocol.many import Names
from headwater.protocol.requests import slow_policy
from headwater.protocol.websocket import messages as m
from headwater.protocol.websocket.codec import Codec
from headwater.protocol.websocket.start import start_of

#: Messages that are remembered, the newest ones, and the bytes of one.
MAX_KEPT: Final = 256
MAX_BYTES: Final = 256
#: Bytes of messages that came at once and are remembered together.
MAX_OPENING_BYTES: Final = 4096

#: Of ephemeral events, by whether signals and who is there are asked for.
_EVENTS: Final = {
    (False, False): (),
    (True, False): (SIGNAL,),
    (False, True): (PRESENCE,),
    (True, True): (SIGNAL, PRESENCE),
}


class Plan(msgspec.Struct, frozen=True):
    """What a `sub` says, once it is checked.

    Attributes:
        wish: for the stream, or for each that matches.
        is_pattern: it matches streams.
        asks: what an application is asked; of a pattern nothing yet.
        form: in which the stream is told, where who comes to the same place may be told the same; None: nobody may.
    """

    wish: Wish
    is_pattern: bool
    asks: tuple[Ask, ...]
    form: WireFormat | None


class AskedSub(msgspec.Struct):
    """A `sub`, and what was made of it.

    Attributes:
        id: of the message.
        message: as it came.
        data: its bytes.
        plan: None: it is to be made, which may find something wrong.
        again: its wish and format, where others may be told the same and nothing else; None: they may not.
    """

    id: int
    message: m.Sub
    data: bytes
    plan: Plan | None = None
    again: tuple[Wish, WireFormat] | None = None


class Opening(msgspec.Struct, frozen=True, eq=False):
    """Messages that came at once, each of them remembered, and one behind the other.

    Attributes:
        greets: the first one is `hello`.
        wishes: of each `sub` behind that, where others may be told the same and nothing else, with the format of that.
    """

    greets: bool
    wishes: list[tuple[Wish, WireFormat]]


#: What `t` says of each message, as `Subprotocol.read` gives them.
KINDS: Final[dict[type[Any], str]] = {**{kind: m.KINDS[kind] for kind in m.KINDS if kind is not m.Sub}, AskedSub: "sub"}


_K = TypeVar("_K")
_V = TypeVar("_V")


def _keep(kept: dict[_K, _V], key: _K, value: _V) -> None:
    """Keep one more, and the newest ones only."""
    kept[key] = value
    if len(kept) > MAX_KEPT:
        del kept[next(iter(kept))]


class Subprotocol:
    """One of them, of one service.

    Args:
        codec: of it.
        telling: of the same.
        welcome: the answer to `hello`, framed.
        live: the hub's readers.
        names: what a name may be.

    Attributes:
        codec: as given.
        telling: as given.
        welcome: as given.
        is_text: messages are text; False: binary.
        known: messages that are remembered, by their bytes: a `sub` with its plan, and the `hello` that says nothing.
    """

    def __init__(self, codec: Codec, telling: Telling, welcome: bytes, live: LiveReaders, names: Names) -> None:
        self.codec: Final = codec
        self.telling: Final = telling
        self.welcome: Final = welcome
        self.is_text: Final = codec.is_text
        self._live: Final = live
        self._limits: Final = live.runtime.limits
        self._names: Final = names
        self.known: Final[dict[bytes, m.Hello | AskedSub]] = {}
        self._openings: Final[dict[tuple[tuple[bytes, bool], ...], Opening]] = {}

    def opening(self, messages: Sequence[tuple[bytes, bool]]) -> Opening | None:
        """What the first ones of some messages ask for that came at once; None: nothing that is remembered."""
        key = tuple(messages)
        return self._openings.get(key) or self._open(key)

    def _open(self, messages: tuple[tuple[bytes, bool], ...]) -> Opening | None:
        known, is_text = self.known, self.is_text
        data, is_first_text = messages[0]
        greets = type(known.get(data)) is m.Hello and is_first_text is is_text
        wishes = []
        for data, is_their_text in messages[greets:]:
            asked = known.get(data)
            if type(asked) is not AskedSub or is_their_text is not is_text or asked.again is None:
                break
            wishes.append(asked.again)
        if not (greets or wishes):
            return None
        found = Opening(greets, wishes)
        if len(wishes) + greets == len(messages) and sum(len(data) for data, _ in messages) <= MAX_OPENING_BYTES:
            _keep(self._openings, messages, found)
        return found

    def read(self, data: bytes) -> m.ClientMessage | AskedSub:
        """What a client sent, where it is not known.

        Raises:
            InvalidMessage: it is no message.
        """
        message = self.codec.decode(data)
        if isinstance(message, m.Sub):
            return AskedSub(message.id, message, data)
        if isinstance(message, m.Hello) and message.token is message.name is None:
            self._keep(data, message)
        return message

    def _keep(self, data: bytes, message: m.Hello | AskedSub) -> None:
        if len(data) <= MAX_BYTES:
            _keep(self.known, data, message)

    def plan(self, asked: AskedSub) -> Plan:
        """What a `sub` says that is not known.

        Raises:
            HeadwaterError: something is wrong with it.
        """
        plan = asked.plan = self._plan(asked.message)
        if plan.form is not None and not plan.form.kinds:
            asked.again = plan.wish, plan.form
        self._keep(asked.data, asked)
        return plan

    def _plan(self, message: m.Sub) -> Plan:
        path, limits = message.path, self._limits
        is_pattern = self._names.check(path)
        window = limits.reader_window_bytes if message.window is None else message.window
        if not 0 <= window <= limits.max_window_bytes:
            raise InvalidMessage(f"window is 0 to max_window_bytes={limits.max_window_bytes}, not {window}")
        if message.missing not in (None, "wait"):
            raise InvalidMessage(f"missing takes wait, not {message.missing[:40]!r}")
        slow = None if message.slow is None else slow_policy(message.slow)
        kinds = _EVENTS[message.signals, message.presence]
        terms = terms_of(window or None, slow, message.missing == "wait", message.envelope, kinds)
        # As its stream has it: one text for all who read it, where each connection would keep its own.
        stream = self._live.stream(path)
        text = path if stream is None else stream.path
        wish = Wish(message.id, text, start_of(message.from_, message.last, message.last_bytes, NOW), terms)
        form = None if is_pattern else form_again(self.telling, wish, wish.start, limits.buffer_bytes)
        # Each stream that matches is asked about by itself.
        return Plan(wish, is_pattern, () if is_pattern else asks_to_read(path, kinds), form)
