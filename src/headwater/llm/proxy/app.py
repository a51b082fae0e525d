"""The proxy as an ASGI application.

| request | answer |
| --- | --- |
| `POST` of `DIALECTS` with `Headwater-Run: ID` and `"stream": true` | the run of this id, in the provider's own bytes |
| `GET /v1/runs/ID`, `GET /v1/runs/ID/stream`, `POST /v1/runs/ID/stop` | see `llm.watching`; any dialect |
| every other request under `/v1/` | passed to the provider, and its answer back, as they are |
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256
from typing import Any, Final

from headwater.asgi.app import send_answer
from headwater.asgi.bodies import read_body
from headwater.asgi.types import ClientGone, Receive, Scope, Send
from headwater.errors import HeadwaterError, NotAuthorized, RouteNotFound
from headwater.hub import Limits
from headwater.llm.delivery import answer_run
from headwater.llm.proxy.resumable import Resumable
from headwater.llm.proxy.transparent import relay
from headwater.llm.proxy.upstream import Upstream
from headwater.llm.refusals import refusal
from headwater.llm.routes import json_object
from headwater.llm.runs import Runs
from headwater.llm.watching import Watch
from headwater.protocol import names, responses
from headwater.protocol.requests import Headers
from headwater.protocol.responses import Answer

_log: Final = logging.getLogger("headwater.llm")

#: The provider's dialect at each path of the proxy.
DIALECTS: Final = {
    "/v1/chat/completions": "openai",
    "/v1/responses": "openai-responses",
    "/v1/messages": "anthropic",
}
_ROOT: Final = "/v1"
_RUNS: Final = "/v1/runs"
#: The owner of runs of clients that send no credential.
_ANYBODY: Final = "anybody"


class Proxy:
    """See the module.

    Args:
        runs: where runs are kept; opened and closed with the application's lifespan.
        upstream: the provider.
        client_keys: what clients must send as their key; none: whoever reaches the proxy may use it.
        max_request_bytes: of a request's body.
        cancel_when_unwatched: seconds without a reader after which a run is stopped; None: never.
    """

    def __init__(
        self,
        runs: Runs,
        upstream: Upstream,
        *,
        client_keys: Sequence[str] = (),
        max_request_bytes: int = 32 * 1024 * 1024,
        cancel_when_unwatched: float | None = None,
    ) -> None:
        self.runs: Final = runs
        self._upstream: Final = upstream
        self._client_keys = [key.encode() for key in client_keys]
        self._limits = Limits(max_body_bytes=max_request_bytes)
        self._resumable: Final = Resumable(runs, cancel_when_unwatched)
        self._watch: Final = Watch(runs, prefix=_RUNS, owner=self._owner_of, default="openai")

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
        if scope["type"] == "lifespan":
            await self._serve_lifespan(receive, send)
            return
        path: str = scope["path"]
        dialect = DIALECTS.get(path, "openai")
        answer: Answer | None
        try:
            answer = await self._route(scope, path, receive, send)
        except HeadwaterError as error:
            self.runs.hub.stats.errors[error.code] += 1
            answer = refusal(error, dialect)
        except ClientGone:
            self.runs.hub.stats.disconnects += 1
            return
        if answer is not None:
            await send_answer(scope, receive, send, answer, self.runs.hub)

    async def _route(self, scope: Scope, path: str, receive: Receive, send: Send) -> Answer | None:
        headers: Headers = dict(scope["headers"])
        if path in ("/", "/-/health"):
            return responses.json_answer({"upstream": self._upstream.url, "running": self.runs.running})
        if not path.startswith(_ROOT + "/"):
            raise RouteNotFound(f"there is nothing at {path[:80]!r}; the provider is under {_ROOT}/")
        owner = self._owner_of(scope)
        if path.startswith(_RUNS + "/"):
            await self._watch(scope, receive, send)
            return None
        body = await read_body(receive, headers, self._limits)
        run = headers.get(names.HEADWATER_RUN)
        if run is not None and scope["method"] == "POST" and path in DIALECTS:
            asked = json_object(body)
            if asked.get("stream") is True:
                await self._tell(run.decode("latin-1"), owner, asked, body, scope, receive, send)
                return None
        answer = await self._upstream.send(scope["method"], _target(scope), scope["headers"], body)
        if not await relay(answer, receive, send):
            self.runs.hub.stats.disconnects += 1
        return None

    async def _tell(
        self, run: str, owner: str, asked: dict[str, Any], body: bytes, scope: Scope, receive: Receive, send: Send
    ) -> None:
        dialect = DIALECTS[scope["path"]]
        ask = partial(self._upstream.send, "POST", _target(scope), scope["headers"], body, for_run=True)
        begun = await self._resumable.begin(run, dialect, owner, body, str(asked.get("model") or ""), ask)
        if begun.refusal is not None:
            await send_answer(scope, receive, send, begun.refusal, self.runs.hub)
            return
        last = dict(scope["headers"]).get(names.LAST_EVENT_ID)
        await answer_run(
            self.runs.hub,
            self.runs.places.log(run),
            run,
            dialect,
            scope,
            receive,
            send,
            resume_at=last.decode("latin-1") if last else None,
            headers=begun.headers,
        )

    def _owner_of(self, scope: Scope) -> str:
        """Whose a request is: of its credential, which is kept as a hash only.

        Raises:
            NotAuthorized: the proxy knows its clients, and this is none of them.
        """
        headers: Headers = dict(scope["headers"])
        key = headers.get(b"x-api-key") or headers.get(b"authorization", b"").removeprefix(b"Bearer ").strip()
        if self._client_keys and not any(hmac.compare_digest(key, known) for known in self._client_keys):
            raise NotAuthorized("the request has no key that this proxy knows")
        return sha256(key).hexdigest() if key else _ANYBODY

    async def _serve_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self.lifespan():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            _log.exception("the proxy cannot be opened")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.shutdown.complete"})


def _target(scope: Scope) -> str:
    """The path and query below the provider's base URL."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.partition(b"?")[0].decode("latin-1")[len(_ROOT) :]
    query = scope.get("query_string", b"").decode("latin-1")
    return f"{path}?{query}" if query else path
