"""A chat room that opens at its newest messages and scrolls back through all. python examples/room.py

What to see: open http://127.0.0.1:8000/#lobby in two windows and write; double-click to edit; scroll up for what was
before. A room that nobody has written in is waited for. Edits lie behind what they edit, so that any end of the log is
right by itself.
"""

from __future__ import annotations

import os
import uuid
from typing import Annotated, Final

import uvicorn
from fastapi import Body, FastAPI
from fastapi.responses import HTMLResponse

from headwater import Access, Ask, Credential, Hub, Operation, StreamConfig
from headwater.errors import Refused

PAGE: Final = """<!doctype html><title>Room</title>
<ol id=list style="height: 60vh; overflow: auto; list-style: none"></ol>
<form><input id=by placeholder=Name size=8><input id=text placeholder=Message><button>Send</button></form>
<script>
const room = location.hash.slice(1) || "lobby", log = "/streams/rooms/" + room, rows = {}, edits = {}
let before, busy
function show(message, where) {
  if (message.edits) {
    edits[message.edits] ??= message.text  // of two edits the later one is met first when one goes back
    if (!where) edits[message.edits] = message.text
    return rows[message.edits]?.replaceChildren(edits[message.edits])
  }
  const row = list.insertBefore(document.createElement("li"), where)
  row.append(message.by + ": ", rows[message.id] = document.createElement("span"))
  rows[message.id].append(edits[message.id] ?? message.text)
  row.ondblclick = () => send({by: message.by, text: prompt("", message.text), edits: message.id})
}
const send = body => fetch("/rooms/" + room,
  {method: "POST", body: JSON.stringify(body), headers: {"content-type": "application/json"}})
async function back() {
  if (!before || busy) return
  busy = true
  const page = await fetch(`${log}?last=50&before=${before}`), found = await page.json(), top = list.firstChild
  before = page.headers.get("stream-previous-offset")
  found.filter(message => !message.edits).forEach(message => show(message, top))
  found.filter(message => message.edits).reverse().forEach(message => show(message, top))
  busy = false
}
async function open() {
  const page = await fetch(log + "?last=50")
  before = page.headers.get("stream-previous-offset")
  if (page.ok) for (const message of await page.json()) show(message, null)
  const offset = page.ok ? page.headers.get("stream-next-offset") : "-1"
  new EventSource(`${log}?missing=wait&offset=${offset}`).onmessage = event => show(JSON.parse(event.data), null)
}
list.onscroll = () => { if (list.scrollTop < 50) back() }
document.forms[0].onsubmit = event => {
  event.preventDefault()
  send({by: by.value, text: text.value})
  text.value = ""
}
open()
</script>"""


def read_only(asks: tuple[Ask, ...], credential: Credential, client: tuple[str, int] | None) -> Access:
    if any(ask.operation is not Operation.READ for ask in asks):
        raise Refused("messages are sent to /rooms/ROOM, where it is known who writes")
    return Access("anybody")


hub = Hub(os.environ.get("ROOM_STORE", "sqlite:room.db"), authorize=read_only)
app = FastAPI(lifespan=hub.lifespan)
app.mount("/streams", hub.asgi)


@app.get("/", response_class=HTMLResponse)
async def page() -> str:
    return PAGE


@app.post("/rooms/{room}", status_code=204)
async def say(
    room: str, by: Annotated[str, Body()], text: Annotated[str, Body()], edits: Annotated[str | None, Body()] = None
) -> None:
    message = {"id": uuid.uuid4().hex, "by": by, "text": text, "edits": edits}  # `by`: yours, from the session
    await hub.append(f"rooms/{room}", message, create=StreamConfig("application/json"))


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ.get("PORT", "8000")), timeout_graceful_shutdown=10)
