"""The service of a hub: streams, the page and the introspection. A command becomes a response or a live reader.

Rule 1: a command is parsed, then it is checked that it names nothing private, then the application is asked whether it
        may be (`authorize`), with every path that it names; only then the store is touched.
Rule 2: an append whose body is there takes no task: the hub is given a function that responds.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from headwater.errors import HeadwaterError, RouteNotFound
from headwater.http import presence, schemas, signals
from headwater.http.access.ambient import OwnPages
from headwater.http.authorize import Authorize
from headwater.http.catch_up import respond_short
from headwater.http.content_coding import choose, coded
from headwater.http.exchange import Exchange, Work
from headwater.http.figures import Overview
from headwater.http.introspection import asks_of_route, introspect
from headwater.http.live import LIVE, jitter, peer_of
from headwater.http.live_reads import LiveRead, LiveReads
from headwater.http.page import page, page_file
from headwater.http.permission import Permission
from headwater.http.plan import Go, Plan
from headwater.http.request import Request
from headwater.http.service import Service
from headwater.http.several import SeveralStreams
from headwater.http.websocket.door import WebSockets
from headwater.http.websocket.wires import Wires
from headwater.http.writes import Writes
from headwater.hub import Engine, long_poll
from headwater.model import Mode
from headwater.protocol import responses
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.asks import asks_of
from headwater.protocol.cache_headers import next_cursor
from headwater.protocol.commands import (
    Attend,
    Command,
    Create,
    Delete,
    Describe,
    Inspect,
    ListMembers,
    Preflight,
    Read,
    SendSignal,
    Undecided,
    Write,
)
from headwater.protocol.compression import Compression, Compressor
from headwater.protocol.cors import ANY, LOOPBACK, CorsPolicy, HostPolicy, preflight_headers
from headwater.protocol.many import Names
from headwater.protocol.paths import NOTHING_PRIVATE, check_encoding
from headwater.protocol.requests import parse_request
from headwater.protocol.responses import Answer, HeaderList
from headwater.protocol.urls import BELOW_STREAM, split_url, stream_at, target_at
from headwater.protocol.words import parse_word

#: Queries of a head that are remembered with what they mean.
MAX_ALIKE: Final = 16
#: Where the files of the page at `/` are.
PAGE_FILES: Final = "/-/page/"


class StreamService(Service):
    """What is served of a hub.

    Args:
        hub: what is served.
        prefix: where streams begin: `/v1/stream/` as the reference servers have it, `/` when mounted.
        cors_origins: pages of other origins that may use it: `*`, `loopback`, or whole origins.
        allowed_hosts: names the server answers to: `*`, `loopback`, or host names.
        with_page: serve the page at `/`.
        introspection: answer below `/-/`.
        compression: of responses to reads; None: they are sent as they are.
        serve_private: serve the streams that a program keeps for itself, such as those of runs, like all others.
        authorize: who may do what; None: everybody everything.
        multi: serve what names several streams also without `authorize`: a guard by path does not see which.

    Attributes:
        compressor: of responses to reads.
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
        compression: Compression | None = None,
        serve_private: bool = False,
        authorize: Authorize | None = None,
        multi: bool = False,
    ) -> None:
        if not (prefix.startswith("/") and prefix.endswith("/")):
            raise ValueError(f"prefix must begin and end with a slash, not {prefix!r}")
        super().__init__(hub)
        self.private: Final = NOTHING_PRIVATE if serve_private else hub.private
        self.compressor: Final = Compressor(compression)
        self._overview: Final = Overview(hub, self.private)
        self._prefix: Final = prefix
        self._cors: Final = CorsPolicy(cors_origins, credentials=authorize is not None)
        pages = OwnPages(self._cors)
        self._permission: Final = Permission(authorize, hub, pages)
        self._live_reads: Final = LiveReads(hub, self.compressor, self._permission)
        if self._permission.tokens is not None:
            self._permission.tokens.keep(hub.sessions)
        stream_names = Names(hub.limits.max_path_bytes, self.private)
        self._websockets: Final = WebSockets(hub, self._permission, stream_names, self._cors, Wires(compression))
        self._several: Final = SeveralStreams(
            hub, prefix, self.private, self._permission, self._websockets, pages, multi=multi
        )
        self._writes: Final = Writes(hub, self.refuse, self._permission, self._several.transports)
        #: For responses to requests whose origin is not known, or that have none.
        self._cors_of_none: Final = self._cors.headers(None, b"")
        self._hosts: Final = HostPolicy(allowed_hosts)
        self._with_page: Final = with_page
        self._introspection: Final = introspection

    # The gate's questions.

    def headers(self, request: Request | None) -> HeaderList:
        """See `Service.headers`."""
        if request is None or request.origin is None:
            return self._cors_of_none
        return self._cors.headers(request.origin, request.host)

    def check(self, request: Request) -> None:
        """See `Service.check`."""
        host, origin = request.host, request.origin
        self._hosts.check(host, required=request.version == "1.1")
        if origin is not None:
            self._cors.check_origin(request.method, origin, host)

    def refusal(self, error: HeadwaterError, request: Request | None) -> Answer:
        """See `Service.refusal`."""
        return responses.failed(error)

    def route(self, exchange: Exchange) -> Work | None:
        """See `Service.route`."""
        request = exchange.request
        if request.query and self._permission.shows_ticket(exchange):
            return self._route_with_ticket(exchange)
        plan: Plan | None = request.memo
        if plan is None or not self._permission.is_free:
            return self._route(exchange)
        return plan.go(exchange, plan.command, ANYBODY)

    async def _route_with_ticket(self, exchange: Exchange) -> None:
        await self._permission.redeem(exchange)
        work = self._route(exchange)
        if work is not None:
            await work

    def _route(self, exchange: Exchange) -> Work | None:
        request = exchange.request
        plan: Plan | None = request.memo or self._plan_alike(request)
        if plan is None:
            if exchange.is_websocket:
                if request.path in self._several.words:
                    return self._several.connect(exchange)
                return self._websockets.read_one(exchange, request.path, self._prefix)
            if not self._is_of_streams(request.path):
                return self._other(exchange, request)
            if request.path in self._several.words:
                return self._several.serve(exchange)
            # Whoever remembers a head serves it in the hub's own loop; whether that is open, what is called looks.
            self.hub.runtime.gate.check()
            plan = self._plan(request)
        if self._permission.is_free:
            return plan.go(exchange, plan.command, ANYBODY)
        return self._permission.then(exchange, plan.asks, partial(plan.go, exchange, plan.command))

    # Routes.

    def _is_of_streams(self, path: str) -> bool:
        """Whether a path is below the root; mounted, the page and the introspection are below it as well."""
        if not path.startswith(self._prefix) or (self._with_page and path == "/"):
            return False
        if not path.startswith("/-/"):
            return True
        return not self._introspection or bool(split_url(path[len(self._prefix) :]).word)

    def _other(self, exchange: Exchange, request: Request) -> Work | None:
        path, is_read = request.path, request.method in ("GET", "HEAD")
        if self._with_page and is_read and path.startswith(PAGE_FILES):
            exchange.respond(page_file(path[len(PAGE_FILES) :]))
        elif self._introspection and path.startswith("/-/"):
            route = path[3:]
            asks = asks_of_route(route, request.query)
            return self._permission.then(exchange, asks, partial(self._introspect, exchange, route))
        elif self._with_page and is_read and path in ("", "/"):
            takes_tokens, connects = self._permission.tokens is not None, self._several.is_open
            exchange.respond(page(self._prefix, takes_tokens=takes_tokens, connects=connects))
        elif path == "*" and request.method == "OPTIONS":  # of the server as a whole (RFC 9110 section 9.3.7)
            exchange.respond(responses.allowed(preflight_headers()))
        else:
            raise RouteNotFound(f"there is nothing at {path[:80]!r}; streams are under {self._prefix}")
        return None

    async def _introspect(self, exchange: Exchange, route: str, access: Access) -> None:
        request = exchange.request
        exchange.respond(await introspect(self.hub, self._overview, route, request.method, request.query, self.private))

    def _plan(self, request: Request) -> Plan:
        check_encoding(request.raw_path.encode("latin-1"))
        command, alike = self._command(request, None), request.alike
        asks = () if self._permission.is_free else asks_of(command, has_body=request.may_have_body)
        plan = request.memo = Plan(*self._way(command, request), asks)
        if alike is not None and len(alike) < MAX_ALIKE and isinstance(command, Read):
            alike[request.query] = plan
        return plan

    def _plan_alike(self, request: Request) -> Plan | None:
        """That of a read whose head differs in its path alone from one that is remembered; None: it is another one."""
        known: Plan | None = request.alike.get(request.query) if request.alike else None
        url_path = request.path
        if known is None or "%" in request.raw_path or BELOW_STREAM in url_path:
            return None
        if not url_path.startswith(self._prefix) or url_path == self._prefix:
            return None
        path = stream_at(url_path[len(self._prefix) :], maximum=self.hub.limits.max_path_bytes, private=self.private)
        read = known.command
        command = replace(read.command if isinstance(read, LiveRead) else read, path=path)
        moved = replace(read, command=command) if isinstance(read, LiveRead) else command
        plan = request.memo = Plan(moved, known.go, () if self._permission.is_free else asks_of(command))
        return plan

    def _command(self, request: Request, content_type: str | None) -> Command | Undecided:
        path, most = request.path[len(self._prefix) :], self.hub.limits.max_path_bytes
        if BELOW_STREAM in path:
            target = target_at(path, maximum=most, private=self.private)
            found = parse_word(target, request.method, request.query, request.headers)
            if found is not None:
                return found
        return parse_request(
            request.method,
            path,
            request.query,
            request.headers,
            prefixes=(request.root + self._prefix, self._prefix),
            max_path_bytes=most,
            private=self.private,
            content_type=content_type,
        )

    # Commands.

    def _way(self, command: Command | Undecided, request: Request) -> tuple[Any, Go]:
        """Who does what a command asks for, and what of it."""
        # Most are one of these two; to try a pattern of a class takes as long as all the rest.
        if isinstance(command, Read):
            if command.mode in LIVE:
                return self._live_reads.plan(command, request), self._live_reads.listen
            return command, self._poll if command.mode is Mode.LONG_POLL else self._read
        if isinstance(command, Write):
            return command, self._writes.append if command.create is None else self._writes.create_by_append
        match command:
            case Inspect():
                return command, self._read
            case Create():
                return command, self._writes.create
            case Delete():
                return command, self._writes.delete
            case Attend() | ListMembers():
                return command, partial(presence.serve, self.hub, check=self._permission.check)
            case SendSignal():
                return command, partial(signals.serve, self.hub, check=self._permission.check)
            case Describe():
                return command, self._describe
            case Preflight():
                return command, self._preflight
            case Undecided():
                return command, self._decide

    async def _decide(self, exchange: Exchange, command: Undecided, access: Access) -> None:
        """A read whose form depends on the type of the stream."""
        request = exchange.request
        decided = self._command(request, (await self.hub.info(command.path)).content_type)
        command, go = self._way(decided, request)
        work = go(exchange, command, access)
        if work is not None:
            await work

    def _describe(self, exchange: Exchange, command: Describe, access: Access) -> None:
        found = schemas.respond(self.hub, exchange.request, command)
        exchange.respond(found if access is ANYBODY else responses.for_one(found))

    def _preflight(self, exchange: Exchange, command: Preflight, access: Access) -> None:
        exchange.respond(responses.allowed(preflight_headers()))

    def _read(self, exchange: Exchange, command: Read | Inspect, access: Access) -> Work:
        return respond_short(self.hub, self.compressor, exchange, command, access, self._several.transports)

    async def _poll(self, exchange: Exchange, command: Read, access: Access) -> None:
        self._permission.count_poll(access, exchange)
        exchange.may_be_cancelled = exchange.is_live = True
        start, peer = command.start, peer_of(command, exchange.client, access)
        page = await long_poll.poll(self.hub.live, command.path, start, peer=peer, wait=command.waits)
        coding = choose(self.compressor, command, page.batch)
        cursor = next_cursor(time.time(), command.cursor, jitter())
        found = responses.polled(page, cursor, start=start, coding=coding)
        found = await coded(self.compressor, coding, found)
        exchange.respond(found if access is ANYBODY else responses.for_one(found))
