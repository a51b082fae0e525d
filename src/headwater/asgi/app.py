"""The ASGI application: routes, errors and lifespan.

Rule: every answer leaves through `send_answer`, every error through `_fail`; nothing else sends whole answers.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from headwater.asgi import streams
from headwater.asgi.bodies import throw_away
from headwater.asgi.figures import Overview
from headwater.asgi.introspect import introspect
from headwater.asgi.page import page, page_file
from headwater.asgi.types import ClientGone, Receive, Scope, Send
from headwater.errors import HeadwaterError, RouteNotFound, StoreUnavailable
from headwater.hub import Engine
from headwater.protocol import names, responses
from headwater.protocol.compression import Compression, Compressor
from headwater.protocol.cors import ANY, LOOPBACK, CorsPolicy, HostPolicy
from headwater.protocol.paths import NOTHING_PRIVATE
from headwater.protocol.requests import Headers, Read, parse_request
from headwater.protocol.responses import Answer, HeaderList

_log: Final = logging.getLogger("headwater")

#: Where the files of the page at `/` are.
PAGE_FILES: Final = "/-/page/"
#: An ASGI extension: the server lingers by itself behind an answer that comes before the end of the request.
LINGERING: Final = "headwater.lingering"


class App:
    """Streams over HTTP, as an ASGI application.

    Args:
        hub: what is served.
        prefix: where streams begin: `/v1/stream/` as the reference servers have it, `/` when mounted.
        cors_origins: pages of other origins that may use it: `*`, `loopback`, or whole origins.
        allowed_hosts: names the server answers to: `*`, `loopback`, or host names.
        with_page: serve the page at `/`.
        introspection: answer below `/-/`.
        manage_hub: open and close the hub with the ASGI lifespan; not when a framework's lifespan does.
        compression: of answers to reads; None: they are sent as they are.
        serve_private: serve the streams that a program keeps for itself, such as those of runs, like all others.

    Attributes:
        hub: as given.
        compressor: of answers to reads.
        private: streams that are not served.
    """

    def __init__(
        self,
        hub: Engine,
        *,
        prefix: str = "/v1/stream/",
        cors_origins: tuple[str, ...] = (LOOPBACK,),
        allowed_hosts: tuple[str, ...] = (ANY,),
        with_page: bool = True,
        introspection: bool = True,
        manage_hub: bool = True,
        compression: Compression | None = None,
        serve_private: bool = False,
    ) -> None:
        if not (prefix.startswith("/") and prefix.endswith("/")):
            raise ValueError(f"prefix must begin and end with a slash, not {prefix!r}")
        self.hub: Final = hub
        self.private: Final = NOTHING_PRIVATE if serve_private else hub.private
        self._overview = Overview(hub, self.private)
        self._prefix = prefix
        self._cors = CorsPolicy(cors_origins)
        self._hosts = HostPolicy(allowed_hosts)
        self._with_page = with_page
        self._introspection = introspection
        self._manage_hub = manage_hub
        self.compressor: Final = Compressor(compression)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3.0)."""
        match scope["type"]:
            case "http":
                await self._http(scope, receive, send)
            case "lifespan":
                await self._lifespan(receive, send)
            case "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 4404, "reason": "no WebSocket here"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: Headers = dict(scope["headers"])
        origin, host = headers.get(names.ORIGIN), headers.get(names.HOST, b"")
        cors = self._cors.headers(origin, host)
        try:
            self._hosts.check(host)
            self._cors.check_origin(scope["method"], origin, host)
            answer = await self._route(scope, headers, receive, send, cors)
        except HeadwaterError as error:
            answer = self._fail(error)
        except ClientGone:
            self.hub.stats.disconnects += 1
            return
        except Exception:
            _log.exception("%s %s", scope["method"], scope["path"])
            answer = self._fail(HeadwaterError("the server made an error; its log has the details"))
        if answer is not None:
            await send_answer(scope, receive, send, answer, self.hub, cors)

    async def _route(
        self, scope: Scope, headers: Headers, receive: Receive, send: Send, cors: HeaderList
    ) -> Answer | None:
        root: str = scope.get("root_path", "")
        full: str = scope["path"]
        path = full[len(root) :] if root and full.startswith(root) else full
        method: str = scope["method"]
        if self._with_page and path.startswith(PAGE_FILES) and method in ("GET", "HEAD"):
            return page_file(path[len(PAGE_FILES) :])
        if self._introspection and path.startswith("/-/"):
            return await introspect(self.hub, self._overview, path[3:], method, scope["query_string"], self.private)
        if self._with_page and path in ("", "/") and method in ("GET", "HEAD"):
            return page(self._prefix)
        if not path.startswith(self._prefix):
            raise RouteNotFound(f"there is nothing at {path[:80]!r}; streams are under {self._prefix}")
        if not self.hub.is_open:
            raise StoreUnavailable("the hub is not open: pass lifespan=hub.lifespan to the application")
        command = parse_request(
            method,
            path[len(self._prefix) :],
            scope["query_string"],
            headers,
            prefixes=(root + self._prefix, self._prefix),
            max_path_bytes=self.hub.limits.max_path_bytes,
            private=self.private,
        )
        if streams.is_live(command):
            assert isinstance(command, Read)
            return await streams.read_live(self.hub, command, scope, receive, send, cors, self.compressor)
        return await streams.answer(self.hub, command, scope, headers, receive, self.compressor)

    def _fail(self, error: HeadwaterError) -> Answer:
        self.hub.stats.errors[error.code] += 1
        return responses.failed(error)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            if self._manage_hub:
                await self.hub.open()
        except Exception as error:
            # Said in ASGI's own way: a server that gets an exception here may go on without the lifespan.
            _log.exception("the hub cannot be opened")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._manage_hub:
            await asyncio.shield(self.hub.aclose())
        await send({"type": "lifespan.shutdown.complete"})


async def send_answer(
    scope: Scope, receive: Receive, send: Send, answer: Answer, hub: Engine, extra: HeaderList | None = None
) -> None:
    """Send a whole answer; a HEAD request gets no body. Behind one that is `unread`, linger.

    Args:
        scope: ASGI's.
        receive: ASGI's.
        send: ASGI's.
        answer: what to send.
        hub: whose limits and figures count.
        extra: further headers.
    """
    headers = [*answer.headers, *(extra or ())]
    head_only = scope["method"] == "HEAD"
    closes = answer.unread and scope["http_version"] in ("1.0", "1.1")
    if answer.status not in (204, 304) and not head_only:
        headers.append((names.CONTENT_LENGTH, b"%d" % len(answer.body)))
    if closes:
        headers.append((b"connection", b"close"))
    body = {"type": "http.response.body", "body": b"" if head_only else answer.body}
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if closes and LINGERING not in (scope.get("extensions") or {}):
        # The server closes when the answer ends. The client has all of it before that, by its length.
        await send({**body, "more_body": True})
        hub.stats.linger_cuts += not await throw_away(receive, hub.limits)
        body["body"] = b""
    await send(body)
