"""The proxy as a service, and as an ASGI application.

| request | response |
| --- | --- |
| `POST` for a stream of a provider (`Endpoint`), with `Headwater-Run: ID` | the run, in the provider's own bytes |
| `GET /v1/runs/ID`, `GET /v1/runs/ID/stream`, `POST /v1/runs/ID/stop` | see `llm.http.runs`; any dialect |
| `OPTIONS` | answered here, for pages that are allowed |
| every other request under `/v1/` | passed to the provider, and its response back, as they are |

Rule: a request is let in (`access`), then its target is parsed (`target`), then it is somebody's; nothing of it is used
before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

from headwater.asgi.app import refuse_websocket
from headwater.asgi.exchange import serve
from headwater.asgi.lifespan import startup_failed
from headwater.asgi.types import Receive, Scope, Send
from headwater.errors import BadRequest, HeadwaterError, MethodNotAllowed, RouteNotFound
from headwater.http.exchange import Exchange, Work, body_of
from headwater.http.request import Request
from headwater.http.service import Service
from headwater.hub import Limits
from headwater.llm.http.access import Asker
from headwater.llm.http.delivery import tell_run
from headwater.llm.http.errors import refusal
from headwater.llm.http.routes import json_object
from headwater.llm.http.runs import Watch
from headwater.llm.proxy.access import METHODS, Access
from headwater.llm.proxy.resumable import Resumable
from headwater.llm.proxy.target import ROOT, RUNS, Route, Target, parse_target
from headwater.llm.proxy.upstream import Upstream, relayed
from headwater.llm.runs.runs import Runs
from headwater.protocol import names, responses
from headwater.protocol.responses import Answer, HeaderList


class Proxy(Service):
    """The proxy.

    Args:
        runs: where runs are kept; opened and closed with the application's lifespan.
        upstream: the provider.
        access: who may use it; None: whoever reaches it, but no pages of other machines.
        max_request_bytes: of a request's body.
        cancel_when_unwatched: seconds without a reader after which a run is stopped; None: never.
    """

    def __init__(
        self,
        runs: Runs,
        upstream: Upstream,
        *,
        access: Access | None = None,
        max_request_bytes: int = 32 * 1024 * 1024,
        cancel_when_unwatched: float | None = None,
    ) -> None:
        super().__init__(runs.hub, Limits(max_body_bytes=max_request_bytes))
        self.runs: Final = runs
        self._upstream: Final = upstream
        self._access: Final = access or Access()
        self._resumable: Final = Resumable(runs, cancel_when_unwatched)
        self._watch: Final = _Watch(runs, self._access)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Open while the block runs."""
        async with self.runs:
            try:
                yield
            finally:
                await self._upstream.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI 3.0)."""
        match scope["type"]:
            case "http":
                await serve(self, scope, receive, send)
            case "lifespan":
                await self._serve_lifespan(receive, send)
            case "websocket":
                await refuse_websocket(receive, send)

    # The gate's questions.

    def headers(self, request: Request | None) -> HeaderList:
        """See `Service.headers`."""
        return self._access.cors({} if request is None else request.headers)

    def check(self, request: Request) -> None:
        """See `Service.check`."""
        self._access.check(request.headers, version=request.version)

    def refusal(self, error: HeadwaterError, request: Request | None) -> Answer:
        """See `Service.refusal`: as the provider's SDK reads it."""
        try:
            dialect = "openai" if request is None else _target_of(request).dialect
        except HeadwaterError:
            dialect = "openai"
        return refusal(error, dialect)

    def route(self, exchange: Exchange) -> Work | None:
        """See `Service.route`."""
        request, scope = exchange.request, exchange.scope
        if scope is not None and scope.get("raw_path") is None and "%" in request.path:
            raise BadRequest("the target is encoded, and this server does not say how")
        target = _target_of(request)
        if request.method == "OPTIONS":
            exchange.respond(self._access.preflight(request.headers))
            return None
        match target.route:
            case Route.STATUS:
                facts = {"upstream": str(self._upstream.base), "running": self.runs.running}
                exchange.respond(responses.json_answer(facts))
                return None
            case Route.RUNS:
                return self._watch.begin(exchange)
            case Route.NOWHERE:
                raise RouteNotFound(f"there is nothing at {target.path[:80]!r}; the provider is under {ROOT}/")
        if request.method not in METHODS:
            raise MethodNotAllowed(f"{request.method[:20]!r} is not passed to the provider", allow=", ".join(METHODS))
        return self._pass(exchange, target, self._access.asker(request.headers))

    async def _pass(self, exchange: Exchange, target: Target, asker: Asker) -> None:
        request = exchange.request
        body = await body_of(exchange)
        run = request.headers.get(names.HEADWATER_RUN)
        if run is not None and request.method == "POST" and target.route is Route.CALL:
            call = json_object(body)
            if dialect := target.stream_of(call):
                model = str(call.get("model") or "")
                await self._tell(exchange, target, dialect, run.decode("latin-1"), asker, model, body)
                return
        # Nobody is left to pay for when the client is gone.
        exchange.may_be_cancelled = True
        answer = await self._upstream.send(request.method, target, self._passed_on(request), body)
        try:
            await exchange.stream(relayed(answer, target.path))
        finally:
            await answer.aclose()

    async def _tell(
        self, exchange: Exchange, target: Target, dialect: str, run: str, asker: Asker, model: str, body: bytes
    ) -> None:
        ask = partial(self._upstream.send, "POST", target, self._passed_on(exchange.request), body, for_run=True)
        begun = await self._resumable.begin(run, dialect, str(asker.owner), body, model, ask)
        if begun.refusal is not None:
            exchange.respond(begun.refusal)
            return
        last = exchange.request.headers.get(names.LAST_EVENT_ID)
        await tell_run(
            exchange,
            self.runs.hub,
            self.runs.places.log(run),
            run,
            dialect,
            access=asker.access,
            resume_at=last.decode("latin-1") if last else None,
            headers=begun.headers,
        )

    def _passed_on(self, request: Request) -> HeaderList:
        ours = self._access.ours(request.headers)
        return [pair for pair in request.fields if pair[0] not in ours]

    async def _serve_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as life:
            try:
                await life.enter_async_context(self.lifespan())
            except Exception as error:
                await send(startup_failed("the proxy", error))
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


class _Watch(Watch):
    """The routes of runs, for the proxy's clients and pages.

    Args:
        runs: as of the proxy.
        access: as of the proxy.
    """

    def __init__(self, runs: Runs, access: Access) -> None:
        super().__init__(runs, prefix=RUNS, default="openai")
        self._access: Final = access

    def headers(self, request: Request | None) -> HeaderList:
        """See `Service.headers`."""
        return self._access.cors({} if request is None else request.headers)

    async def _meet(self, exchange: Exchange) -> Asker | None:
        """See `Routes._meet`."""
        return self._access.asker(exchange.request.headers)


def _target_of(request: Request) -> Target:
    """The target as it was sent; what was made of it follows from that."""
    if not request.is_origin_form:
        raise BadRequest("the target is not a path")
    if request.memo is None:
        request.memo = parse_target(request.raw_path.encode("latin-1"), request.query)
    found: Target = request.memo
    return found
