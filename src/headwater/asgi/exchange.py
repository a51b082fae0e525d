"""One ASGI request as an exchange: the second driver of the service, for hubs that are mounted.

Rule: ASGI's `send` and `receive` take waiting. So a response is kept until the service's work is done, and then sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from headwater.asgi.bodies import read_body
from headwater.asgi.expectations import Asked
from headwater.asgi.mounts import raw_root, raw_route_path, route_path
from headwater.asgi.outlet import ResponseCut, send_streamed
from headwater.asgi.push import push
from headwater.asgi.short_response import send_answer
from headwater.asgi.types import Receive, Scope, Send
from headwater.asgi.upgrades import FirstEvent, may_lose_body
from headwater.asgi.uvicorn import is_gone
from headwater.errors import HeadwaterError
from headwater.http.exchange import BodyDone, ClientGone, Exchange, Opening, Streamed, Work
from headwater.http.request import Request, take_headers
from headwater.http.service import Service
from headwater.protocol.headers import collect
from headwater.protocol.http1 import check_head, expects_continue
from headwater.protocol.responses import Answer


async def serve(service: Service, scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one request (ASGI 3.0, scope `http`)."""
    request = request_of(scope)
    if request.fault is None and may_lose_body(request.version, request.headers):
        receive = FirstEvent(receive, await receive())
        request.fault = receive.fault()
    exchange = AsgiExchange(service, request, scope, receive, send)
    work = service.begin(exchange)
    if work is not None:
        await work
    await exchange.finish()


def request_of(scope: Scope) -> Request:
    """The head of a request; what is wrong with it is its `fault`. A WebSocket's scope has no method."""
    fields = [(bytes(name), bytes(value)) for name, value in scope["headers"]]
    version, method = scope.get("http_version", "1.1"), scope.get("method", "GET")
    request = Request(method, scope["path"], scope["path"], scope["query_string"], {}, version, fields)
    try:
        take_headers(request, collect(fields))
        if version in ("1.0", "1.1"):
            check_head(method, version, request.headers)
        request.root = scope.get("root_path", "")
        request.raw_root = raw_root(scope)
        request.path = route_path(scope)
        request.raw_path = request.raw_root + raw_route_path(scope)
    except HeadwaterError as error:
        request.fault = error
    return request


class AsgiExchange(Exchange):
    """See `Exchange`.

    Args:
        service: whose limits count.
        request: its head.
        scope: ASGI's.
        receive: ASGI's.
        send: ASGI's.
    """

    __slots__ = ("_answer", "_begun", "_cut", "_given", "_receive", "_scope", "_send", "_service")

    def __init__(self, service: Service, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        self.request = request
        self.extra = []
        self.may_be_cancelled = self.is_live = False
        self.credential = None
        self._service = service
        self._scope = scope
        self._receive = Asked(receive) if expects_continue(request.version, request.headers) else receive
        self._send = send
        self._answer: Answer | None = None
        self._given: asyncio.Future[None] | None = None
        #: A response has begun, or there is nobody to respond to.
        self._begun = False
        self._cut: ResponseCut | None = None

    @property
    def client(self) -> tuple[str, int] | None:
        """See `Exchange.client`."""
        client = self._scope.get("client")
        return (client[0], client[1]) if client else None

    @property
    def scheme(self) -> str:
        """See `Exchange.scheme`."""
        found: str = self._scope.get("scheme", "http")
        return found

    @property
    def scope(self) -> MutableMapping[str, Any]:
        """See `Exchange.scope`."""
        return self._scope

    @property
    def is_asked(self) -> bool:
        """See `Exchange.is_asked`."""
        return not isinstance(self._receive, Asked) or self._receive.is_asked

    def read_body(self, done: BodyDone) -> Work:
        """See `Exchange.read_body`."""
        return self._read_body(done)

    async def _read_body(self, done: BodyDone) -> None:
        body: bytes | HeadwaterError
        service = self._service
        try:
            body = await read_body(self._receive, self.request.headers, service.limits, service.intake, self.client)
        except HeadwaterError as error:
            body = error
        except ClientGone:
            self._begun = True
            raise
        done(body)

    def respond(self, answer: Answer) -> None:
        """See `Exchange.respond`."""
        if self._begun:
            return  # it broke off, and its server cuts it
        self._answer = answer
        if self._given is not None and not self._given.done():
            self._given.set_result(None)

    async def stream(self, streamed: Streamed) -> None:
        """See `Exchange.stream`."""
        self._begun = True
        try:
            await send_streamed(self._scope, self._receive, self._send, streamed, self._service.hub, self.extra)
        except ResponseCut as cut:
            self._cut = cut
        except (OSError, RuntimeError):
            self._check_gone()
            raise

    async def push(self, opening: Opening) -> None:
        """See `Exchange.push`."""
        self._begun = True
        try:
            await push(self._service.hub.live, opening, self._scope, self._receive, self._send, self.extra)
        except (OSError, RuntimeError):
            self._check_gone()
            raise

    async def finish(self) -> None:
        """Send the response, when it is there.

        Raises:
            ResponseCut: it could not be finished, and only an exception makes this server cut it.
        """
        if self._cut is not None:
            raise self._cut
        if self._begun:
            return
        if self._answer is None:
            self._given = asyncio.get_running_loop().create_future()
            await self._given
        assert self._answer is not None, "what is given is an answer"
        try:
            await send_answer(self._scope, self._receive, self._send, self._answer, self._service.hub, self.extra)
        except ClientGone:
            self._service.stats.disconnects += 1
        except (OSError, RuntimeError):
            if not is_gone(self._send):
                raise
            self._service.stats.disconnects += 1

    def _check_gone(self) -> None:
        """An error of `send` is a client that is gone, where the server says so."""
        if is_gone(self._send):
            raise ClientGone from None
