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
from typing import Annotated, Final

import uvicorn
from fastapi import Body, FastAPI
from fastapi.responses import HTMLResponse

from headwater import Access, Ask, Credential, Hub, Operation, StreamConfig
from headwater.errors import Refused
from headwater.llm import RunInfo, Runs, Watch

PAGE: Final = """<!doctype html><title>Chats</title>
<nav><a href="#" id=new>New chat</a><div id=list></div></nav>
<main><div id=log></div><form><input id=text placeholder=Ask size=40><button>Send</button></form></main>
<script>
const rows = {}, seen = {}, turns = {}
let chat, cursor, before, held, busy
function sidebar(wait = 1000) {
  const query = new URLSearchParams({last: 1, stream: "chats/*"})
  if (cursor) query.set("lastEventId", cursor)
  const events = new EventSource("/streams/-/many?" + query)
  events.addEventListener("stream-cursor", event => { cursor = event.lastEventId })
  events.onopen = () => { wait = 1000 }
  events.onerror = () => { if (events.readyState === 2) setTimeout(sidebar, wait, Math.min(2 * wait, 30000)) }
  events.onmessage = event => {
    const {stream, offset, data} = JSON.parse(event.data)
    if (offset <= (seen[stream] ?? "")) return
    seen[stream] = offset
    const row = rows[stream] ??= document.createElement("a"), turn = {...data, offset}
    row.href = "#" + stream.slice(6)
    row.textContent = data.text
    row.className = data.state ?? "writing"
    list.prepend(row)
    if (row.hash === location.hash) held ? held.push(turn) : show(turn)
  }
}
function show(turn, first) {
  const known = turns[turn.run] ??= {}
  if (!known.row) {
    known.row = log.insertBefore(document.createElement("section"), first ?? null)
    known.row.append(document.createElement("b"), known.answer = document.createElement("p"))
    known.row.firstChild.textContent = turn.text
  }
  if (turn.state) {
    known.events?.close()
    known.state = known.answer.className = turn.state
    known.answer.textContent = turn.answer
  } else if (!known.state && !known.events) {
    known.events = new EventSource(`/runs/${turn.run}/stream?dialect=plain`)
    known.events.onmessage = ({data}) => {
      if (data === "[DONE]") return known.events.close()
      known.answer.append(JSON.parse(data).content ?? "")
    }
  }
  log.scrollTop = first ? log.scrollTop : log.scrollHeight
}
async function page(query) {
  const response = await fetch(`/streams/chats/${chat}?last=50${query}`)
  before = response.headers.get("stream-previous-offset")
  return {found: response.ok ? await response.json() : [], end: response.headers.get("stream-next-offset") ?? ""}
}
async function open() {
  const asked = chat = location.hash.slice(1)
  held = []
  for (const run in turns) {
    turns[run].events?.close()
    delete turns[run]
  }
  log.replaceChildren()
  const {found, end} = asked ? await page("") : {found: [], end: ""}
  if (asked !== chat) return
  const newer = held.filter(turn => turn.offset > end)
  held = undefined;
  [...found, ...newer].forEach(turn => show(turn))
}
log.onscroll = async () => {
  if (log.scrollTop > 50 || !before || busy) return
  busy = true
  const top = log.firstChild, {found} = await page("&before=" + before)
  found.forEach(turn => show(turn, top))
  busy = false
}
document.forms[0].onsubmit = event => {
  event.preventDefault()
  location.hash ||= crypto.randomUUID()
  fetch("/chats/" + location.hash.slice(1),
    {method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(text.value)})
  text.value = ""
}
onhashchange = open
open()
sidebar()
</script><style>
body { display: flex; gap: 2em } nav a { display: block } #log { height: 80vh; overflow: auto; width: 40em }
.writing::after { content: " …" } .failed, .lost { color: #a00 } .stopped { opacity: .6 }
</style>"""


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
app.mount("/runs", Watch(runs))


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
