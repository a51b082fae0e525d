"""What the routes of runs share: a request read once, whose it is, and answers in its dialect."""

from __future__ import annotations

import logging
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import msgspec

from headwater.asgi.app import refuse_websocket
from headwater.asgi.exchange import serve
from headwater.asgi.types import Receive, Scope, Send
from headwater.errors import BadRequest, HeadwaterError, MethodNotAllowed, TooLarge
from headwater.http.access.application import AccessFunction
from headwater.http.exchange import Exchange, body_of
from headwater.http.request import Request as Head
from headwater.http.service import Service
from headwater.llm.http.access import Asker, Askers, OwnerOf
from headwater.llm.http.delivery import tell_run
from headwater.llm.http.errors import refusal
from headwater.llm.providers.registry import dialect
from headwater.llm.runs.layout import RunInfo
from headwater.llm.runs.runs import Runs
from headwater.protocol import names, responses
from headwater.protocol.access.identity import ANYBODY
from headwater.protocol.asks import Operation
from headwater.protocol.headers import Headers
from headwater.protocol.requests import last_event_id
from headwater.protocol.responses import Answer, HeaderList
from headwater.surrogates import json_value

_log: Final = logging.getLogger("headwater.llm")


class Request:
    """One request to a route.

    Args:
        exchange: the request, and the way to respond to it.
        prefix: where the routes are, without a slash at its end; below it the first segments are `parts`.
        default: the dialect, unless the request names another.

    Attributes:
        exchange: as given.
        asker: who asks, once somebody has looked.
        method: upper case.
        headers: names in lower case.
        parts: the decoded segments of the path below the prefix.
        query: parameters; of a repeated one the last.
    """

    def __init__(self, exchange: Exchange, prefix: str, default: str) -> None:
        head = exchange.request
        self.exchange = exchange
        self.asker: Asker | None = None
        self.method: str = head.method
        self.headers: Headers = head.headers
        self.parts = _parts(head, prefix)
        self.query = _query(head)
        self.default = default

    @property
    def dialect(self) -> str:
        """The dialect's name, as asked for."""
        return self.query.get(names.QUERY_DIALECT) or self.default

    @property
    def resume_at(self) -> str | None:
        """The offset the client was told last; None: it begins."""
        # A browser comes back with the URL it began with, and the id of its last event beside it.
        return last_event_id(self.headers, self.query) or self.query.get(names.QUERY_OFFSET)

    async def body(self, maximum: int) -> dict[str, Any]:
        """The JSON object of the body.

        Raises:
            TooLarge, RequestTimeout, BadRequest: there is none that is allowed.
        """
        data = await body_of(self.exchange)
        if len(data) > maximum:
            raise TooLarge(f"the request has {len(data)} bytes, the limit is max_request_bytes={maximum}")
        return json_object(data)


class Routes(Service):
    """A few routes, as a service and as an ASGI application; subclassed for each set of them.

    Args:
        runs: what they are about.
        prefix: where they are, when they are not mounted.
        owner: says whose a request is; None: who decides in the hub is asked, if it has somebody.
        access: in place of the hub's own; see `llm.http.access`.
        default: the dialect, unless a request names another.
        max_request_bytes: of a body.

    Raises:
        ValueError: both `owner` and `access` are given.
    """

    def __init__(
        self,
        runs: Runs,
        *,
        prefix: str = "",
        owner: OwnerOf | None = None,
        access: AccessFunction | None = None,
        default: str = "ai-sdk",
        max_request_bytes: int = 1024 * 1024,
    ) -> None:
        dialect(default)
        super().__init__(runs.hub)
        self.runs: Final = runs
        self.prefix: Final = prefix.rstrip("/")
        self._askers: Final = Askers(runs.hub, owner, access)
        self._default = default
        self._max_request_bytes = max_request_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3.0)."""
        if scope["type"] == "http":
            await serve(self, scope, receive, send)
        else:
            await refuse_websocket(receive, send)

    def headers(self, request: Head | None) -> HeaderList:
        """See `Service.headers`: the application around the routes says what pages may."""
        return []

    def check(self, request: Head) -> None:
        """See `Service.check`: as `headers`."""

    async def route(self, exchange: Exchange) -> None:
        """See `Service.route`."""
        request = Request(exchange, self.prefix, self._default)
        dialect(request.dialect)
        request.asker = await self._meet(exchange)
        answer = await self.answer(request)
        if answer is not None:
            exchange.respond(answer)

    def refusal(self, error: HeadwaterError, request: Head | None) -> Answer:
        """See `Service.refusal`: as the dialect tells errors."""
        name = None if request is None else _query(request).get(names.QUERY_DIALECT)
        return refusal(error, name or self._default)

    async def _meet(self, exchange: Exchange) -> Asker | None:
        """See `Askers.meet`."""
        return await self._askers.meet(exchange)

    async def owner_of(self, request: Request, operation: Operation, path: str) -> str | None:
        """Whose runs a request is about, if its asker may do this there; None: nobody's in particular.

        Raises:
            HeadwaterError: they may not.
        """
        return (await self.asker_of(request, operation, path)).owner

    async def asker_of(self, request: Request, operation: Operation, path: str) -> Asker:
        """Who makes a request, if they may do this there.

        Raises:
            HeadwaterError: they may not.
        """
        if request.asker is None:
            request.asker = await self._askers.ask(request.exchange, operation, path)
        return request.asker

    async def answer(self, request: Request) -> Answer | None:
        """The response; None: it was given.

        Raises:
            HeadwaterError: refused.
        """
        raise NotImplementedError

    def described(self, info: RunInfo, more: dict[str, Any] | None = None) -> Answer:
        """A run's state, as JSON, and more. `readers` is how many follow it live from this process."""
        facts = {
            "run": info.id,
            "state": info.state,
            "message": info.message,
            "created": info.created,
            "offset": info.offset,
            "readers": self.runs.hub.reader_count(self.runs.places.log(info.id)),
            **(more or {}),
        }
        return responses.json_answer(facts)

    async def tell(self, request: Request, run: str, *, has_earlier: bool = False) -> None:
        """Answer with a run, in the request's dialect and from where its client was.

        Args:
            request: whose answer it is.
            run: its id.
            has_earlier: the client has the message with which the run goes on.

        Raises:
            UnknownDialect, RunNotFound, InvalidOffset, LimitReached, StoreUnavailable, ShuttingDown: nothing was sent.
        """
        await tell_run(
            request.exchange,
            self.runs.hub,
            self.runs.places.log(run),
            run,
            request.dialect,
            access=ANYBODY if request.asker is None else request.asker.access,
            resume_at=request.resume_at,
            has_earlier=has_earlier,
        )


def _query(head: Head) -> dict[str, str]:
    return dict(parse_qsl(head.query.decode("latin-1"), keep_blank_values=True))


def _parts(head: Head, prefix: str) -> list[str]:
    path = head.raw_path[len(head.raw_root) :].removeprefix(prefix)
    return [unquote(part) for part in path.split("/") if part]


def json_object(data: bytes) -> dict[str, Any]:
    """The JSON object of a body; half of a surrogate pair, escaped, is U+FFFD.

    Raises:
        BadRequest: it is none.
    """
    try:
        value = json_value(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise BadRequest("the body is not a JSON object")
    return value


def only(request: Request, *methods: str) -> None:
    """Refuse every other method.

    Raises:
        MethodNotAllowed: it is another one.
    """
    if request.method not in methods:
        raise MethodNotAllowed(f"{request.method[:20]!r} is not a method of this route", allow=", ".join(methods))
