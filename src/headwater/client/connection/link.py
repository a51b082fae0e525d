"""One WebSocket, driven by the library `websockets`: the module that knows it.

Rule 1: what comes is taken as it comes, and waits in the queue of its subscription; the server sends no more of one
        than its window.
Rule 2: limits are of the real clock: a server is dead when nothing was heard, whatever waits elsewhere.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from headwater.client.answers import agent, seconds
from headwater.client.connection.calls import Call
from headwater.client.connection.closes import error_of_close
from headwater.client.connection.session import (
    SUBPROTOCOL,
    Answered,
    Draining,
    Event,
    Expiring,
    Session,
    Told,
    Welcomed,
)
from headwater.client.errors import BadAnswer, ConnectTimeout, NetworkError, Stopped
from headwater.client.problems import problem_of
from headwater.client.retry import Retry
from headwater.client.wires.lines import MAX_LINE
from headwater.errors import HeadwaterError, MissingExtra, TooLarge
from headwater.protocol.websocket import messages as m

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

#: Of what the server closes with when a message is larger than it takes.
_TOO_BIG: Final = 1009
_OK: Final = 300

#: Told of what concerns the connection as a whole.
Heard = Callable[["Link", Draining | Expiring], None]


class Subscription:
    """What is told of one stream, in its order.

    Attributes:
        id: its number here.
    """

    def __init__(self, link: Link, id: int) -> None:
        self.id: Final = id
        self._link: Final = link
        self._queue: deque[Told] = deque()
        self._error: HeadwaterError | None = None
        self._ready: Final = asyncio.Event()

    async def next(self) -> Told:
        """What comes next.

        Raises:
            HeadwaterError: the connection is over, and all that had come was given.
        """
        while not self._queue:
            if self._error is not None:
                raise self._error
            self._ready.clear()
            await self._ready.wait()
        return self._queue.popleft()

    @property
    def is_held(self) -> bool:
        """Whether something waits for its consumer."""
        return bool(self._queue)

    def done(self, told: Told) -> None:
        """The consumer is done with it."""
        if isinstance(told.message, m.Data):
            self._link.done(self.id, told.size, told.message.o)

    def put(self, told: Told) -> None:
        """It came."""
        self._queue.append(told)
        self._ready.set()

    def lose(self, error: HeadwaterError) -> None:
        """Nothing more comes."""
        self._error = self._error or error
        self._ready.set()


class Link:
    """An open connection; see `connected`.

    Attributes:
        session: its conversation.
        moved: something was answered or told on it.
        used: when something was asked on it last, by the loop's clock.
    """

    def __init__(self, socket: ClientConnection, session: Session, heard: Heard) -> None:
        self.session: Final = session
        self.moved = False
        self._socket: Final = socket
        self._heard: Final = heard
        self._loop: Final = asyncio.get_running_loop()
        self._asked: dict[int, tuple[asyncio.Future[m.ServerMessage], int]] = {}
        self._subscriptions: dict[int, Subscription] = {}
        self._wake: Final = asyncio.Event()
        self._wake.set()  # hello is to be sent
        self._tasks: Final = (self._loop.create_task(self._receive()), self._loop.create_task(self._send()))
        self.used = self._loop.time()

    @property
    def is_usable(self) -> bool:
        """Whether something may be asked on it."""
        return self.session.is_usable

    @property
    def is_busy(self) -> bool:
        """Whether something is read, or waits for its answer."""
        return bool(self._asked or self._subscriptions)

    async def ask(self, call: Call, seconds: float) -> m.ServerMessage:
        """Send a message, and wait for its answer.

        Raises:
            HeadwaterError: the connection is over. A refusal is an answer, an `err`.
        """
        if self.session.error is not None:
            raise self.session.error
        id = self.session.ask(call)
        future: asyncio.Future[m.ServerMessage] = self._loop.create_future()
        self._asked[id] = future, len(self.session.out[-1])
        self._flush()
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            raise ConnectTimeout(f"there was no answer within {seconds:g} s") from None
        finally:
            self._asked.pop(id, None)

    def subscribe(self, make: Callable[[int], m.Sub]) -> Subscription:
        """Read a stream."""
        if self.session.error is not None:
            raise self.session.error
        subscription = Subscription(self, self.session.subscribe(make))
        self._subscriptions[subscription.id] = subscription
        self._flush()
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Read it no more."""
        self._subscriptions.pop(subscription.id, None)
        self.session.leave(subscription.id)
        self._flush()

    def done(self, id: int, size: int, offset: str) -> None:
        """A consumer is done with a message."""
        if self.session.done(id, size, offset, self._loop.time()):
            self._wake.set()

    def say(self, message: Any) -> None:
        """Send a message that is not answered."""
        if self.session.error is None:
            self.session.say(message)
            self._flush()

    async def close(self, error: HeadwaterError | None = None) -> HeadwaterError:
        """End it; gives what whoever waits was told."""
        error = self._end(error or Stopped("the connection was closed"))
        with suppress(Exception):
            async with asyncio.timeout(1):
                await self._socket.close()
        self._socket.transport.abort()
        for task in self._tasks:
            task.cancel()
        current = asyncio.current_task()
        await asyncio.gather(*[task for task in self._tasks if task is not current], return_exceptions=True)
        return error

    def _flush(self) -> None:
        self.used = self._loop.time()
        self._wake.set()

    async def _send(self) -> None:
        """Send what is to be sent, and look when something is due."""
        session, loop = self.session, self._loop
        try:
            while session.error is None:
                due = session.due()
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(due):
                        await self._wake.wait()
                self._wake.clear()
                session.look(loop.time())
                while session.out:
                    out, session.out = session.out, []
                    for text in out:
                        await self._socket.send(text)
        except HeadwaterError as error:
            self._end(error)
            self._socket.transport.abort()
        except Exception:
            self._socket.transport.abort()  # who receives learns why

    async def _receive(self) -> None:
        session, loop = self.session, self._loop
        try:
            async for data in self._socket:
                for event in session.take(data, loop.time()):
                    self._take(event)
                if session.out:  # what is due is not earlier than before
                    self._wake.set()
        except HeadwaterError as error:
            self._end(error)
            self._socket.transport.abort()
        except Exception:
            pass  # the close code tells
        code, reason = self._socket.close_code, self._socket.close_reason or ""
        self._end(error_of_close(None if code == _CUT else code, reason), code)
        self._wake.set()

    def _take(self, event: Event) -> None:
        match event:
            case Welcomed():
                self._wake.set()  # the heartbeat is known
            case Answered(id, message):
                self.moved = True
                if id in self._asked and not self._asked[id][0].done():
                    self._asked[id][0].set_result(message)
            case Told():
                self.moved = self.moved or isinstance(event.message, m.Data)
                subscription = self._subscriptions.get(event.id)
                if subscription is not None and not (isinstance(event.message, m.Beat) and subscription.is_held):
                    subscription.put(event)
            case _:
                self._heard(self, event)

    def _end(self, error: HeadwaterError, code: int | None = None) -> HeadwaterError:
        error = self.session.fail(error)
        waiting = {id: entry for id, entry in self._asked.items() if not entry[0].done()}
        largest = max(waiting, key=lambda id: waiting[id][1], default=None) if code == _TOO_BIG else None
        for id, (future, size) in waiting.items():
            too_large = TooLarge(f"the server takes no message of {size} bytes")
            future.set_exception(too_large if id == largest else error)
        for subscription in self._subscriptions.values():
            subscription.lose(error)
        return error


_CUT: Final = 1006


async def connected(
    url: str, headers: Mapping[str, str], token: str | None, name: str | None, retry: Retry, heard: Heard
) -> Link:
    """Connect. What is asked goes out behind `hello` at once, without waiting for `welcome`: that is a round trip less.

    Args:
        url: of `-/connect`.
        headers: of the handshake.
        token: shown in the first message.
        name: what the client calls itself.
        retry: the limits.
        heard: told what concerns the connection as a whole.

    Raises:
        HeadwaterError: there is no connection.
    """
    socket = await _handshake(url, headers, retry.connect)
    now = asyncio.get_running_loop().time()
    return Link(socket, Session(token, name, retry.silence, now), heard)


async def _handshake(url: str, headers: Mapping[str, str], limit: float) -> ClientConnection:
    try:
        from websockets import exceptions
        from websockets.asyncio.client import connect
        from websockets.typing import Subprotocol
    except ImportError:
        raise MissingExtra.of("a connection", "client") from None
    given = {**agent(), **headers}
    try:
        return await connect(
            url,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            additional_headers=given,
            user_agent_header=None,
            open_timeout=limit,
            ping_interval=None,
            close_timeout=1,
            compression=None,
            max_size=MAX_LINE,
        )
    except exceptions.InvalidStatus as error:
        raise _refused(error.response) from None
    except exceptions.InvalidMessage as error:
        raise NetworkError(f"there is no answer to the handshake: {error.__cause__ or error}") from None
    except (exceptions.InvalidHandshake, exceptions.InvalidURI) as error:
        raise BadAnswer(f"the answer is no handshake: {error}") from None
    except TimeoutError:
        raise ConnectTimeout(f"no connection within {limit:g} s") from None
    except OSError as error:
        raise NetworkError(str(error) or type(error).__name__) from None


def _refused(response: Any) -> HeadwaterError:
    """Why a handshake was not one."""
    import time

    if response.status_code < _OK + 100:
        return BadAnswer(f"the answer to the handshake is {response.status_code}: it is no WebSocket")
    after = seconds(response.headers.get("Retry-After"), time.time())
    return problem_of(response.status_code, response.body or b"", after)
