"""One request under way: what a driver has for the service, and what the service asks of it.

A driver is the way in which requests come: our own connections (`server`), or an ASGI server. It makes an exchange of
each, gives it to `Service.begin`, and waits for the work that this returns.

Rule 1: a method that returns work has done nothing yet that takes waiting; the caller returns the work to the driver,
        or awaits it. None: everything is done, or will be by a call.
Rule 2: there is one response to an exchange: `respond`, `acknowledge`, `stream` or `push`, once.
Rule 3: what is given to a client whose connection is gone is dropped, and nothing raised. Who asks for a body is
        told that there is nobody.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Coroutine, MutableMapping
from functools import lru_cache
from typing import Any, ClassVar, Final

import msgspec

from headwater.errors import HeadwaterError
from headwater.http.authorize import Credential
from headwater.http.duplex import Duplex, Receiver
from headwater.http.request import Request
from headwater.hub.live.arrival import Arrival, Prospect
from headwater.hub.live.waiting import Comes
from headwater.hub.live.wire_format import WireFormat
from headwater.model import Appended
from headwater.protocol import names, responses
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.responses import Answer, HeaderList, coding_headers, for_one, streaming
from headwater.protocol.websocket.agreed import Deflate
from headwater.protocol.wire import Encoder

#: What takes waiting; made by nothing but a call, so that it may be dropped.
Work = Coroutine[Any, Any, None]
#: Called once with a whole body, or with why there is none.
BodyDone = Callable[[bytes | HeadwaterError], None]


#: Heads of live responses that are kept.
_HEADS: Final = 64


class ClientGone(Exception):
    """The client went away before its request was complete; there is nobody to respond to."""


class Streamed(msgspec.Struct, frozen=True):
    """A response whose body is made while it is sent.

    Attributes:
        head: without a body.
        length: bytes of the body, which the head tells; None: not known.
        pieces: of the body.
        path: the stream it is from.
        access: with which it was allowed.
    """

    head: Answer
    length: int | None
    pieces: AsyncGenerator[bytes]
    path: str
    access: Access = ANYBODY


class LiveHead(msgspec.Struct, frozen=True, gc=False, eq=False):
    """The head of a live response. There is one object for all that are the same, so that their bytes are made once.

    Attributes:
        media_type: of the form.
        content_type: of the stream.
        coding: the content coding; empty: none.
        varies: another request could have got another one.
        heartbeat: seconds of silence after which it has one.
        more: further headers.
        for_one: it is told to who showed a proof.
    """

    media_type: bytes
    content_type: str
    heartbeat: float
    coding: str = ""
    varies: bool = False
    more: tuple[tuple[bytes, bytes], ...] = ()
    for_one: bool = False

    def answer(self) -> Answer:
        """The response, as it begins."""
        head = streaming(self.media_type, self.content_type, self.heartbeat)
        headers = [*head.headers, *coding_headers(self.coding, varies=self.varies), *self.more]
        return for_one(Answer(head.status, headers)) if self.for_one else Answer(head.status, headers)


@lru_cache(_HEADS)
def live_head(
    media_type: bytes, content_type: str, heartbeat: float, coding: str = "", *, varies: bool, for_one: bool
) -> LiveHead:
    """The head of a live response without further headers; see `LiveHead`."""
    return LiveHead(media_type, content_type, heartbeat, coding, varies, (), for_one)


class Opening(msgspec.Struct, frozen=True):
    """A live response whose reader is open or was looked for, and who has been told nothing.

    Attributes:
        arrival: the reader, just opened, or one that waits for its stream or reads many; who opened it closes it, if it
            is not pushed. One that was only looked for is given where `pushes_at_once`.
        form: the wire format; its frames are HTTP/1.1 chunks.
        encoder: of the form, that has told nothing yet; None: one is made.
        head: of the response.
        lifetime: seconds before the reader is let go; None: no end.
    """

    arrival: Prospect | Arrival | Comes
    form: WireFormat
    encoder: Encoder | None
    head: LiveHead
    lifetime: float | None = None


class Upgrade(msgspec.Struct, frozen=True, eq=False):
    """How a request becomes a WebSocket, and each other one with the same head but for its key.

    Attributes:
        subprotocol: that is spoken; empty: none.
        open: makes what takes the messages of a request, on a connection whose response is out; told what holds of
            `deflate`.
        max_bytes: of a message.
        deflate: what was agreed on about compression, if the driver can; None: nothing.
    """

    subprotocol: str
    open: Callable[[Exchange, Duplex, Deflate | None], Receiver]
    max_bytes: int
    deflate: Deflate | None = None

    def headers(self, accept: bytes) -> HeaderList:
        """Of the response, for HTTP/1.1; `accept` is what it says of the client's key."""
        found = [
            (names.UPGRADE, b"websocket"),
            (b"connection", b"Upgrade"),
            (names.SEC_WEBSOCKET_ACCEPT, accept),
        ]
        if self.subprotocol:
            found.append((names.SEC_WEBSOCKET_PROTOCOL, self.subprotocol.encode()))
        if self.deflate is not None:
            found.append((names.SEC_WEBSOCKET_EXTENSIONS, self.deflate.header))
        return found


class Exchange(ABC):
    """One request, and the way to respond to it.

    Attributes:
        request: its head.
        extra: further headers of every response to it.
        may_be_cancelled: its work is of no use when the client is gone.
        is_live: it is answered when something happens. Whoever waits for that keeps its side of the connection open.
        credential: what it shows of who makes it, once somebody has looked.
        has_key: a WebSocket's key is the service's to check; False: the server did, in front of the driver.
    """

    __slots__ = ("credential", "extra", "is_live", "may_be_cancelled", "request")

    has_key: ClassVar[bool] = True
    credential: Credential | None
    request: Request
    extra: HeaderList
    may_be_cancelled: bool
    is_live: bool

    @property
    @abstractmethod
    def client(self) -> tuple[str, int] | None:
        """Host and port of the other end, behind a trusted proxy the client's; None: not known."""

    @property
    def is_forwarded(self) -> bool:
        """Whether the client may be another one than the other end of the connection."""
        return True

    @property
    @abstractmethod
    def scheme(self) -> str:
        """`http` or `https`, as the client has it."""

    @property
    def pushes_at_once(self) -> bool:
        """Whether `push` takes no waiting, and its frames are HTTP/1.1 chunks."""
        return False

    @abstractmethod
    def read_body(self, done: BodyDone) -> Work | None:
        """Have the whole body read, within the limits of its size and time, and `done` called with it.

        It is called once, before this returns or later; never when the client is gone. What it is called with is
        `bytes`, or a refusal: `TooLarge`, `RequestTimeout`, `TooManyBodies`, `BadRequest`.

        Raises:
            ClientGone: there is nobody whose body it is. A client that goes later ends the work that waits for it.
        """

    def whole_body(self) -> bytes | None:
        """The body, where all of it is here and nobody need be asked for it; None: `read_body` takes it.

        It is taken once.
        """
        return None

    @abstractmethod
    def respond(self, answer: Answer) -> None:
        """Give the whole response."""

    def acknowledge(self, appended: Appended, *, with_body: bool) -> None:
        """Give the response to an append; a driver may have most of it ready."""
        self.respond(responses.appended(appended, with_body=with_body))

    @abstractmethod
    def stream(self, streamed: Streamed) -> Work:
        """Send a response with a body in pieces, until its end or until the client is gone."""

    @abstractmethod
    def push(self, opening: Opening) -> Work | None:
        """Make the connection the reader's, from now until one of them ends."""

    @property
    def websocket_key(self) -> bytes:
        """What a request for a WebSocket shows as its key; empty: nothing."""
        return self.request.headers.get(names.SEC_WEBSOCKET_KEY, b"")

    @property
    def is_websocket(self) -> bool:
        """Whether the request wants a WebSocket, and its driver has them."""
        return False

    def upgrade(self, upgrade: Upgrade, accept: bytes) -> Work | None:
        """Make the connection a WebSocket, from now until it ends. Only where `is_websocket`.

        Args:
            upgrade: how.
            accept: what the response says of the client's key; empty: the request has none, and its server sees to it.
        """
        raise NotImplementedError

    @property
    def scope(self) -> MutableMapping[str, Any] | None:
        """ASGI's, with what middleware has found; None: the request came another way."""
        return None

    @property
    @abstractmethod
    def is_asked(self) -> bool:
        """Whether the client knows that its body is wanted: it did not wait for a word, or has got it."""


async def body_of(exchange: Exchange) -> bytes:
    """The whole body.

    Raises:
        TooLarge, RequestTimeout, TooManyBodies, BadRequest: there is none that is allowed.
        ClientGone: see `Exchange.read_body`.
    """
    found: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def done(body: bytes | HeadwaterError) -> None:
        if found.done():
            return
        if isinstance(body, HeadwaterError):
            found.set_exception(body)
        else:
            found.set_result(body)

    work = exchange.read_body(done)
    if work is not None:
        await work
    return await found
