"""A chat whose answers survive reloads, further tabs, stops and restarts. Runs by itself: python -m examples.chat.app

What an application needs is what is here: `Runs` keep the answers, `Chat` has the routes that a stock `useChat` calls,
`Watch` tells any run to whoever knows its id, and a stream for each chat keeps what was asked and which run answers.

There are no users here: whoever reaches the page sees all chats. It listens on this machine only.

Environment: DEMO_MODEL, `real` or `scripted`, by default the real one if it is installed; DEMO_STORE, where everything
is kept; DEMO_PAUSE, seconds between two tokens of the scripted model.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from headwater import Hub
from headwater.errors import StreamNotFound
from headwater.llm import Chat, ChatRequest, Runs, Watch

from .model import Message, choose_model

#: Turns of the conversation that the model is told again.
MEMORY = 6
#: What the page may do: run its own files and talk to this server, nothing else. No text can become markup.
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}

hub = Hub(os.environ.get("DEMO_STORE", "sqlite:demo.db"), introspection=False)
runs = Runs(hub, lease_seconds=5, grace_seconds=1.0)
model = choose_model(os.environ.get("DEMO_MODEL", ""), float(os.environ.get("DEMO_PAUSE", "0.03")))


async def respond(request: ChatRequest) -> Any:
    """Write the question down, then give the model's answer; called once for each run, whoever asks again."""
    said = await conversation(request.chat)
    turn = {"id": str((request.messages or [{}])[-1].get("id") or request.run), "text": request.text}
    if not said:
        await hub.append("chats", {"chat": request.chat, "title": request.text[:80]})
    await hub.create(f"chats/{request.chat}", content_type="application/json")
    await hub.append(f"chats/{request.chat}", {**turn, "run": request.run})
    messages: list[Message] = []
    for earlier in before(said, turn["id"])[-MEMORY:]:
        answer = await runs.answer(earlier["run"])
        messages += [{"role": "user", "content": earlier["text"]}, {"role": "assistant", "content": answer.text}]
    return model.answer([*messages, {"role": "user", "content": turn["text"]}])


async def conversation(chat: str) -> list[dict[str, str]]:
    """The turns so far; one that was asked again takes the place of the first and of what came after it."""
    turns: list[dict[str, str]] = []
    try:
        async for record in hub.read(f"chats/{chat}"):
            turn = record.json()
            turns = [*before(turns, turn["id"]), turn]
    except StreamNotFound:
        pass
    return turns


def before(turns: list[dict[str, str]], id: str) -> list[dict[str, str]]:
    places = [index for index, turn in enumerate(turns) if turn["id"] == id]
    return turns[: places[0]] if places else turns


async def history(scope: Scope, receive: Receive, send: Send) -> None:
    """The chats' streams, to read: the application alone writes them."""
    if scope["method"] not in ("GET", "HEAD") or not scope["path"].startswith("/history/chats"):
        await Response("there is only GET /history/chats…", 405)(scope, receive, send)
    else:
        await hub.asgi(scope, receive, send)


class Page(StaticFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers.update(HEADERS)
        return response


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with runs:
        await hub.create("chats", content_type="application/json")
        yield


app = FastAPI(lifespan=lifespan, openapi_url=None)
# A page elsewhere could otherwise give its own name this machine's address, and read all chats.
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])
Chat(runs, respond, max_request_bytes=256 * 1024).install(app)  # /api/chat, /api/chat/ID/stream, /api/chat/ID/stop
app.mount("/api/runs", Watch(runs))
app.mount("/history", history)


@app.get("/api/model")
async def about() -> dict[str, Any]:
    return {"name": model.name, "about": model.about, "isReal": model.is_real, "tries": model.tries, "busy": model.busy}


app.mount("/", Page(directory=Path(__file__).parent / "static", html=True))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m examples.chat.app", description="A chat that survives.")
    parser.add_argument("--port", type=int, default=4438)
    port = parser.parse_args().port
    print(f"\n  Chat    http://127.0.0.1:{port}\n  Model   {model.name}: {model.about}\n  Stop    Ctrl-C\n", flush=True)
    uvicorn.run(app, port=port, log_level="warning", timeout_graceful_shutdown=10)
