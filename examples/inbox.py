"""Notifications: an inbox for each user, and a count that all of their tabs agree on. python examples/inbox.py

What to see: open http://127.0.0.1:8000/as/ada in two tabs, press "Tell everybody", and click on one: both tabs count
the same, also over a restart of this program. Bob, at /as/bob in another browser, has his own, and may not read Ada's.
"""

from __future__ import annotations

import os
from typing import Annotated, Final

import uvicorn
from fastapi import Body, Cookie, FastAPI
from fastapi.responses import HTMLResponse

from headwater import Access, Ask, Credential, Entry, Hub, Operation, Retention, StreamConfig
from headwater.errors import Refused

PAGE: Final = """<!doctype html><title>Inbox</title>
<h1>USER <b id=count>0</b></h1><input id=text value="The build is green">
<button onclick="send('/notify', {id: crypto.randomUUID(), text: text.value})">Tell everybody</button><ul id=list></ul>
<script>
const headers = {"content-type": "application/json"}
const send = (url, body) => fetch(url, {method: "POST", headers, body: JSON.stringify(body)})
const rows = new Map()
new EventSource("/streams/inbox/USER?missing=wait").onmessage = ({data}) => {
  const told = JSON.parse(data)
  if (told.read) rows.get(told.read)?.classList.add("read")
  else if (!rows.has(told.id)) {
    const row = list.insertBefore(document.createElement("li"), list.firstChild)
    row.onclick = () => send("/read", told.id)
    row.append(told.text)
    rows.set(told.id, row)
  }
  count.textContent = rows.size - document.querySelectorAll(".read").length
}
</script><style>.read { opacity: .4 }</style>"""

USERS: Final = ("ada", "bob", "eve")  # yours: from a database
INBOX: Final = StreamConfig("application/json", retention=Retention(count=1000))
User = Annotated[str, Cookie()]


def authorize(asks: tuple[Ask, ...], credential: Credential, client: tuple[str, int] | None) -> Access | None:
    user = credential.cookie("user")  # yours: a session
    if user and any(ask.operation is not Operation.READ or ask.path != f"inbox/{user}" for ask in asks):
        raise Refused("you may read your own inbox")
    return Access(user) if user else None


hub = Hub(os.environ.get("INBOX_STORE", "sqlite:inbox.db"), authorize=authorize)
app = FastAPI(lifespan=hub.lifespan)
app.mount("/streams", hub.asgi)


@app.get("/as/{user}", response_class=HTMLResponse)
async def page(user: str) -> HTMLResponse:
    answer = HTMLResponse(PAGE.replace("USER", user if user in USERS else "ada"))
    answer.set_cookie("user", user, httponly=True, samesite="strict")
    return answer


@app.post("/notify", status_code=204)
async def notify(id: Annotated[str, Body()], text: Annotated[str, Body()]) -> None:
    # One commit: everybody has it, or nobody. The same id again is one row.
    await hub.append_all(Entry(f"inbox/{user}", {"id": id, "text": text}, create=INBOX) for user in USERS)


@app.post("/read", status_code=204)
async def read(id: Annotated[str, Body()], user: User) -> None:
    await hub.append(f"inbox/{user}", {"read": id})


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ.get("PORT", "8000")), timeout_graceful_shutdown=10)
