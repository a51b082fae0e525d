"""Routes for chat clients, as `useChat({ resume: true })` of the AI SDK calls them, with nothing written for them.

| request | answer |
| --- | --- |
| `POST /` | begins a run, or finds the one that the same request began, and tells it |
| `GET /{chat}/stream` | tells the chat's running run from its start, of several the one that began last; else 204 |
| `GET /{chat}/stream?ended=true` | the same, and the latest run if none is running |
| `GET /{chat}/stream?run=ID` | this run of the chat, whether it runs or has ended |
| `POST /{chat}/stop` | stops what is running; with `?run=ID` this run only. The partial answer is kept |
| `GET /{chat}` | the state of the chat's latest run, as JSON, with the place of its answer and what is running |

Every route takes `?dialect=`. A stream that is told again begins at its start with the same message id, so a client
that shows a part of it replaces that part; with `?offset=` or `Last-Event-ID` it goes on behind an event.

A request whose last message is the assistant's, as when a page has run a tool, is answered with the same message id:
the answer goes on with that message. Whoever did not ask is told the earlier parts of it, too.

Order: questions that come at the same time are runs of their own, none waits for another, and each is answered to the
messages that it came with. The order of a chat's runs is that in which they began.

Again: the same message is the same run, as long as that runs or has finished; after a failure, a stop or a loss it asks
the model again. A client's own key (`Idempotency-Key`, AG-UI's `runId`) is one run for ever.

A body is what `useChat` sends (`id`, `messages`, `trigger`, `messageId`), or AG-UI's `RunAgentInput` (`threadId`,
`runId`, `messages`), as `HttpAgent` sends it to `?dialect=ag-ui`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final
from uuid import uuid4

import msgspec

from headwater.asgi.types import Scope
from headwater.errors import BadRequest, RouteNotFound, RunNotFound
from headwater.http.access.application import AccessFunction
from headwater.llm.http.access import OwnerOf
from headwater.llm.http.routes import Request, Routes, only
from headwater.llm.parts import Json
from headwater.llm.providers.ai_sdk.ui_message import parts_of
from headwater.llm.runs.layout import RunInfo, RunState
from headwater.llm.runs.runs import Runs
from headwater.protocol import names, responses
from headwater.protocol.asks import Operation
from headwater.protocol.framing import media_type
from headwater.protocol.responses import Answer

_IDEMPOTENCY_KEY: Final = b"idempotency-key"
_RUN: Final = "run"
_ENDED: Final = "ended"
#: Characters of a message's id that is taken over.
_MAX_MESSAGE_ID: Final = 256


class ChatRequest(msgspec.Struct, frozen=True):
    """What a client asks for.

    Attributes:
        chat: the conversation's id, as the client has it: `id`, or AG-UI's `threadId`.
        messages: the conversation, as the client has it: with `id`, `role` and `parts`; AG-UI's have `content`.
        trigger: `submit-message` or `regenerate-message`.
        message_id: the message to answer again, or the one that was edited.
        owner: whose the request is.
        body: all of it, with what the application has the client add.
        scope: the request's ASGI scope.
        run: the run that answers, under which a history can find the answer again.
    """

    chat: str
    messages: list[dict[str, Any]]
    trigger: str
    message_id: str | None
    owner: str | None
    body: dict[str, Any]
    scope: Scope
    run: str = ""

    @property
    def text(self) -> str:
        """The text of the last message."""
        message = self.messages[-1] if self.messages else {}
        parts = message.get("parts") or message.get("content") or ""
        if isinstance(parts, list):
            return "".join(
                part.get("text", "") for part in parts if isinstance(part, dict) and part.get("type") == "text"
            )
        return str(parts)


class Chat(Routes):
    """The routes, as an ASGI application to mount, or to `install` in an app.

    ::

        runs = Runs(Hub("sqlite:app.db"))
        app = FastAPI(lifespan=runs.lifespan)
        Chat(runs, lambda request: ask_the_model(request.messages)).install(app)

    Args:
        runs: where answers are kept.
        respond: gives the source of an answer; called only when a run begins. See `llm.runs.sources`.
        prefix: where the routes are.
        owner: says whose a request is, from its ASGI scope; chats of two owners are two, whatever their ids. None:
            whoever says who may do what in the hub is asked; where nobody does, whoever knows a chat's id may read and
            stop it.
        access: in place of the hub's own: given an `AccessRequest`, gives an `Access` with grants of `chats/{chat}`:
            `create` to begin a run, `read` to watch it, `close` to stop it.
        default: the dialect, unless a request names another.
        max_request_bytes: of a request's body.
        cancel_when_unwatched: seconds without a reader after which an answer is stopped; None: never.
    """

    def __init__(
        self,
        runs: Runs,
        respond: Callable[[ChatRequest], Any],
        *,
        prefix: str = "/api/chat",
        owner: OwnerOf | None = None,
        access: AccessFunction | None = None,
        default: str = "ai-sdk",
        max_request_bytes: int = 1024 * 1024,
        cancel_when_unwatched: float | None = None,
    ) -> None:
        super().__init__(
            runs, prefix=prefix, owner=owner, access=access, default=default, max_request_bytes=max_request_bytes
        )
        self._respond: Final = respond
        self._cancel_when_unwatched = cancel_when_unwatched

    def install(self, app: Any) -> None:
        """Add the routes to a Starlette or FastAPI application, at `prefix`."""
        # A chat's id may have slashes, which frameworks decode before they route.
        for path in ("", "/{chat:path}/stream", "/{chat:path}/stop", "/{chat:path}"):
            app.router.add_route(f"{self.prefix}{path}", self, include_in_schema=False)

    async def answer(self, request: Request) -> Answer | None:
        """See `Routes.answer`."""
        match request.parts:
            case []:
                only(request, "POST")
                await self._begin(request)
                return None
            case [chat]:
                only(request, "GET")
                return await self._state(request, chat, await self.owner_of(request, Operation.READ, f"chats/{chat}"))
            case [chat, "stream"]:
                only(request, "GET")
                return await self._resume(request, chat, await self.owner_of(request, Operation.READ, f"chats/{chat}"))
            case [chat, "stop"]:
                only(request, "POST")
                return await self._stop(request, chat, await self.owner_of(request, Operation.CLOSE, f"chats/{chat}"))
        raise RouteNotFound("there are: POST to begin, GET {chat}/stream to go on, POST {chat}/stop to stop")

    async def _begin(self, request: Request) -> None:
        asked = await self._read(request)
        owner = asked.owner
        key, again = _key(asked, request)
        id = uuid4().hex if key is None else await self.runs.id_of(key, owner=owner, again=again)
        continued = _continued(asked)
        run = await self.runs.start(
            lambda: self._respond(msgspec.structs.replace(asked, run=id)),
            id=id,
            idempotency_key=key,
            owner=owner,
            thread=asked.chat,
            message_id=_message_id(continued),
            metadata=_metadata(continued),
            earlier=parts_of(continued) or None,
            cancel_when_unwatched=self._cancel_when_unwatched,
        )
        # The source is asked before the answer is opened; what it says at once is then in the answer's first bytes.
        await asyncio.sleep(0)
        await self.tell(request, run.id, has_earlier=True)

    async def _read(self, request: Request) -> ChatRequest:
        kind = request.headers.get(names.CONTENT_TYPE, b"").decode("latin-1")
        if media_type(kind) != "application/json":
            # A page of another origin can send anything else without asking.
            raise BadRequest("the request must be application/json")
        body = await request.body(self._max_request_bytes)
        chat, messages = body.get("id", body.get("threadId")), body.get("messages", [])
        if not isinstance(chat, str) or not chat:
            raise BadRequest("the request needs the chat's id: a string `id`, or `threadId` of AG-UI")
        if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
            raise BadRequest("`messages` must be a list of objects")
        message_id = body.get("messageId")
        return ChatRequest(
            chat=chat,
            messages=messages,
            trigger=str(body.get("trigger") or "submit-message"),
            message_id=message_id if isinstance(message_id, str) else None,
            owner=await self.owner_of(request, Operation.CREATE, f"chats/{chat}"),
            body=body,
            scope=request.exchange.scope or {},
        )

    async def _resume(self, request: Request, chat: str, owner: str | None) -> Answer | None:
        found = await self._named(request, chat, owner) or await self.runs.of_thread(chat, owner=owner)
        running = [info for info in found if info.state is RunState.RUNNING]
        if not running and (_RUN in request.query or request.query.get(_ENDED) == "true"):
            running = found
        if not running:
            return responses.nothing()
        await self.tell(request, running[0].id)
        return None

    async def _state(self, request: Request, chat: str, owner: str | None) -> Answer:
        found = await self._found(request, chat, owner)
        path = request.exchange.request.raw_path.rstrip("/")
        more = {
            "stream": f"{path}/stream?{_RUN}={found[0].id}",
            "running": [info.id for info in found if info.state is RunState.RUNNING],
        }
        return self.described(found[0], more)

    async def _stop(self, request: Request, chat: str, owner: str | None) -> Answer:
        found = await self._found(request, chat, owner)
        stopped = [
            await self.runs.stop(info.id, reason="stopped by the reader")
            for info in found
            if info.state is RunState.RUNNING
        ]
        return self.described(next(iter(stopped), found[0]), {"stopped": [info.id for info in stopped]})

    async def _found(self, request: Request, chat: str, owner: str | None) -> list[RunInfo]:
        """The run that is named, or the chat's last ones.

        Raises:
            RunNotFound: there is none.
        """
        found = await self._named(request, chat, owner) or await self.runs.of_thread(chat, owner=owner)
        if not found:
            raise RunNotFound(f"the chat {chat[:80]!r} has no run")
        return found

    async def _named(self, request: Request, chat: str, owner: str | None) -> list[RunInfo]:
        """The run of the chat that the request names; none: it names none.

        Raises:
            RunNotFound: it is none of this chat.
        """
        run = request.query.get(_RUN)
        if run is None:
            return []
        info = await self.runs.get(run, owner=owner)
        if info.thread != chat or info.owner != owner:
            raise RunNotFound(f"the chat {chat[:80]!r} has no run {run[:80]!r}")
        return [info]


def _continued(asked: ChatRequest) -> Json:
    """The message with which the answer goes on; an empty one if it does not.

    It is the assistant's of the AI SDK, where that is the last one: a page has run a tool, and sends its output.
    """
    last = asked.messages[-1] if asked.messages else {}
    is_continued = last.get("role") == "assistant" and isinstance(last.get("parts"), list)
    return last if is_continued and asked.trigger == "submit-message" and _message_id(last) else {}


def _message_id(message: Json) -> str | None:
    id = message.get("id")
    return id if isinstance(id, str) and 0 < len(id) <= _MAX_MESSAGE_ID else None


def _metadata(message: Json) -> Json | None:
    found = message.get("metadata")
    return found if isinstance(found, dict) else None


def _key(asked: ChatRequest, request: Request) -> tuple[str | None, bool]:
    """What makes two requests the same one, and whether it asks again after a failure.

    The client's key; AG-UI's `runId`, which each call of an agent has anew; else the last message of the chat, also
    when it is sent twice. A regeneration is another.
    """
    given = request.headers.get(_IDEMPOTENCY_KEY)
    if given:
        return given.decode("latin-1"), False
    run = asked.body.get("runId")
    if "id" not in asked.body and isinstance(run, str) and run:
        return f"run {_digest(asked.chat, run)}", False
    last = asked.messages[-1] if asked.messages else {}
    if asked.trigger != "submit-message" or not last.get("id"):
        return None, False
    return f"message {_digest(asked.chat, len(asked.messages), last)}", True


def _digest(*values: Any) -> str:
    return sha256(msgspec.json.encode(values)).hexdigest()
