"""What the routes of runs share: a request read once, whose it is, and answers in its dialect."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

import msgspec

from headwater.asgi.app import send_answer
from headwater.asgi.bodies import read_body
from headwater.asgi.types import ClientGone, Receive, Scope, Send
from headwater.errors import BadRequest, HeadwaterError, MethodNotAllowed, RouteNotFound, TooLarge
from headwater.hub import Limits
from headwater.llm.delivery import answer_run
from headwater.llm.dialects import dialect
from headwater.llm.records import RunInfo
from headwater.llm.refusals import refusal
from headwater.llm.runs import Runs
from headwater.protocol import names, responses
from headwater.protocol.requests import Headers
from headwater.protocol.responses import Answer
from headwater.surrogates import json_value

_log: Final = logging.getLogger("headwater.llm")

#: Says whose a request is: an id, or None for nobody in particular; raises `errors.Refused` to refuse it.
OwnerOf = Callable[[Scope], "str | Awaitable[str | None] | None"]


class Request:
    """One request to a route.

    Args:
        scope: ASGI's.
        receive: ASGI's.
        send: ASGI's.
        prefix: where the routes are, without a slash at its end; below it the first segments are `parts`.
        default: the dialect, unless the request names another.

    Attributes:
        method: upper case.
        headers: names in lower case.
        parts: the decoded segments of the path below the prefix.
        query: parameters; of a repeated one the last.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, prefix: str, default: str) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.method: str = scope["method"]
        self.headers: Headers = dict(scope["headers"])
        self.parts = _parts(scope, prefix)
        self.query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True))
        self.default = default

    @property
    def dialect(self) -> str:
        """The dialect's name, as asked for."""
        return self.query.get(names.QUERY_DIALECT) or self.default

    @property
    def resume_at(self) -> str | None:
        """The offset the client was told last; None: it begins."""
        last = self.headers.get(names.LAST_EVENT_ID)
        return self.query.get(names.QUERY_OFFSET) or (last.decode("latin-1") if last else None)

    async def body(self, limits: Limits, maximum: int) -> dict[str, Any]:
        """The JSON object of the body.

        Raises:
            TooLarge, RequestTimeout, BadRequest: there is none that is allowed.
        """
        data = await read_body(self.receive, self.headers, limits)
        if len(data) > maximum:
            raise TooLarge(f"the request has {len(data)} bytes, the limit is max_request_bytes={maximum}")
        return json_object(data)


class Routes:
    """An ASGI application of a few routes; subclassed for each set of them.

    Args:
        runs: what they are about.
        prefix: where they are, when they are not mounted.
        owner: says whose a request is.
        default: the dialect, unless a request names another.
        max_request_bytes: of a body.
    """

    def __init__(
        self,
        runs: Runs,
        *,
        prefix: str = "",
        owner: OwnerOf | None = None,
        default: str = "ai-sdk",
        max_request_bytes: int = 1024 * 1024,
    ) -> None:
        dialect(default)
        self.runs: Final = runs
        self.prefix: Final = prefix.rstrip("/")
        self._owner = owner
        self._default = default
        self._max_request_bytes = max_request_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI 3.0)."""
        if scope["type"] != "http":
            raise RouteNotFound("these routes are HTTP")
        request = Request(scope, receive, send, self.prefix, self._default)
        try:
            dialect(request.dialect)
            answer = await self.answer(request, await self._owner_of(scope))
        except HeadwaterError as error:
            self.runs.hub.stats.errors[error.code] += 1
            answer = refusal(error, request.dialect)
        except ClientGone:
            self.runs.hub.stats.disconnects += 1
            return
        if answer is not None:
            await send_answer(scope, receive, send, answer, self.runs.hub)

    async def answer(self, request: Request, owner: str | None) -> Answer | None:
        """The answer; None: it was sent.

        Raises:
            HeadwaterError: refused.
        """
        raise NotImplementedError

    def described(self, info: RunInfo) -> Answer:
        """A run's state, as JSON. `readers` is how many follow it live from this process."""
        facts = {
            "run": info.id,
            "state": info.state,
            "message": info.message,
            "created": info.created,
            "offset": info.offset,
            "readers": self.runs.hub.reader_count(self.runs.places.log(info.id)),
        }
        return responses.json_answer(facts)

    async def tell(self, request: Request, run: str) -> None:
        """Answer with a run, in the request's dialect and from where its client was.

        Raises:
            UnknownDialect, RunNotFound, InvalidOffset, LimitReached, StoreUnavailable, ShuttingDown: nothing was sent.
        """
        await answer_run(
            self.runs.hub,
            self.runs.places.log(run),
            run,
            request.dialect,
            request.scope,
            request.receive,
            request.send,
            resume_at=request.resume_at,
        )

    async def _owner_of(self, scope: Scope) -> str | None:
        if self._owner is None:
            return None
        found = self._owner(scope)
        return await found if inspect.isawaitable(found) else found


def _parts(scope: Scope, prefix: str) -> list[str]:
    root: str = scope.get("root_path", "")
    full: str = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    path = full.removeprefix(root) if root else full
    path = path.removeprefix(prefix) if prefix else path
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
