"""Conversations with a model, all of them in a sidebar that lives on one connection. python examples/sidebar.py

What to see: open http://127.0.0.1:8000 in two windows, ask in one and begin a new chat in the other: both lists are in
the same order, and show where an answer is being written. Scroll up in a long chat for what was before. Kill the
program while it answers, and start it again: the answer is marked as lost, with what was said.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Final

import uvicorn
from fastapi import Body, FastAPI
from fastapi.responses import HTMLResponse

from headwater import Access, Ask, Credential, Hub, Operation, StreamConfig
from headwater.errors import Refused
from headwater.llm import RunInfo, Runs, Watch

PAGE: Final = (Path(__file__).parent / "sidebar.html").read_text("utf-8")


def read_only(asks: tuple[Ask, ...], credential: Credential, client: tuple[str, int] | None) -> Access:
    if any(ask.operation is not Operation.READ for ask in asks):
        raise Refused("questions are asked at /chats/CHAT")
    return Access("anybody")  # yours: the session's user, and the paths of their chats alone


hub = Hub(os.environ.get("SIDEBAR_STORE", "sqlite:sidebar.db"), authorize=read_only)
runs = Runs(hub, lease_seconds=5, grace_seconds=1.0)
ends: set[asyncio.Task[None]] = set()


async def model(question: str) -> AsyncIterator[str]:
    """Yours: a stream of an SDK of any provider."""
    for word in f"You asked {question!r}, and this is word by word what there is to say. ".split(" ") * 3:
        yield word + " "
        await asyncio.sleep(0.05)


async def tell_end(chat: str, text: str, run: str) -> None:
    """A record behind the question says how its answer ended: it is what the sidebar and later visits read."""
    info: RunInfo = await runs.wait(run)
    said = (await runs.answer(run)).text
    await hub.append(f"chats/{chat}", {"text": text, "run": run, "state": info.state, "answer": said})


def expect_end(chat: str, text: str, run: str) -> None:
    task = asyncio.create_task(tell_end(chat, text, run))
    ends.add(task)
    task.add_done_callback(ends.discard)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with runs:
        # A process before this one may have left an answer without end.
        for info in await hub.list(prefix="chats/", limit=1000):
            [last] = (await hub.page(info.path, last=1)).batch.records
            if "state" not in (turn := last.json()):
                expect_end(info.path.partition("/")[2], turn["text"], turn["run"])
        yield
        for task in ends:
            task.cancel()


app = FastAPI(lifespan=lifespan)
app.mount("/streams", hub.asgi)
app.mount("/runs", Watch(runs))  # of a run without an owner the hub decides, too: who may read it, and stop it


@app.get("/", response_class=HTMLResponse)
async def page() -> str:
    return PAGE


@app.post("/chats/{chat}", status_code=204)
async def ask(chat: str, text: Annotated[str, Body()]) -> None:
    run = (await runs.start(model(text), id=uuid.uuid4().hex, thread=chat)).id
    await hub.append(f"chats/{chat}", {"text": text, "run": run}, create=StreamConfig("application/json"))
    expect_end(chat, text, run)


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ.get("PORT", "8000")), timeout_graceful_shutdown=10)
