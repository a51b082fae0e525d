"""The progress of jobs in a FastAPI application, over plain SSE. Runs by itself: python examples/fastapi_app.py

What to see: open http://127.0.0.1:8000, start a job, and reload the page in the middle of it: the job goes on, the list
is whole again, and it ends when the job ends. The work is real: the SHA-256 of every module of the standard library's
`json`, `email` and `asyncio`.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from headwater import Hub

PAGE: Final = """<!doctype html><title>Jobs</title>
<button onclick="start()">Start a job</button> <b id=state></b><ol id=list></ol>
<script>
const list = document.getElementById("list"), state = document.getElementById("state")
async function start() { location.hash = await (await fetch("/jobs", {method: "POST"})).json() }
function follow() {
  const job = location.hash.slice(1)
  if (!job) return
  list.replaceChildren(); state.textContent = "running"
  const events = new EventSource("/streams/jobs/" + job)
  events.onmessage = event => list.appendChild(document.createElement("li")).append(event.data)
  events.addEventListener("stream-closed", () => { state.textContent = "complete"; events.close() })
  events.addEventListener("stream-failed", () => { state.textContent = "broken off"; events.close() })
}
addEventListener("hashchange", follow); follow()
</script>"""

hub = Hub(os.environ.get("JOBS_STORE", "sqlite:jobs.db"))
running: set[asyncio.Task[None]] = set()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with hub:
        yield
        # A cancelled job fails its stream, so that readers are told and do not wait for the rest.
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


app = FastAPI(lifespan=lifespan)
app.mount("/streams", hub.asgi)


@app.get("/", response_class=HTMLResponse)
async def page() -> str:
    return PAGE


@app.post("/jobs")
async def start() -> str:
    job = uuid.uuid4().hex
    await hub.create(f"jobs/{job}", content_type="application/json", ttl=86_400)
    # The job belongs to no request: whoever reads it may go and come back.
    task = asyncio.create_task(work(f"jobs/{job}"))
    running.add(task)
    task.add_done_callback(running.discard)
    return job


async def work(stream: str) -> None:
    library = Path(os.__file__).parent
    async with hub.writer(stream) as out:  # closed at the end; failed, if it raises
        for name in ("json", "email", "asyncio"):
            for module in sorted((library / name).glob("*.py")):
                digest = await asyncio.to_thread(lambda file: hashlib.sha256(file.read_bytes()).hexdigest(), module)
                await out.write({"module": f"{name}/{module.name}", "sha256": digest})
                await asyncio.sleep(0.1)


if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ.get("PORT", "8000")), timeout_graceful_shutdown=10)
