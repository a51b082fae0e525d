"""An application whose runs are what a provider's SDK gives it, each told in the dialect that is asked for.

Environment: HEADWATER_UPSTREAM, the provider's base URL without `/v1`.
`POST /{api}/{dialect}/...` with `"model": CASE` in its body, or `POST /{api}/{dialect}/{case}`: the run of the case.
Every reader of a case reads the same run; the first one while it is produced.
"""

from __future__ import annotations

import contextlib
import json
import os
from functools import partial
from typing import Any

import anthropic
import openai

from headwater import Hub
from headwater.asgi.types import Receive, Scope, Send
from headwater.llm import Runs
from headwater.llm.http.runs import Watch
from headwater.llm.parts import Error
from headwater.llm.runs.production import describe_source_error

UPSTREAM = os.environ["HEADWATER_UPSTREAM"]


def in_its_own_words(error: Exception) -> Error:
    """What the provider says, also when it refuses the request; by default that is not told."""
    status = getattr(error, "status_code", 200)
    body: Any = getattr(error, "body", None)
    if status == 200:
        return describe_source_error(error)
    return Error(str(status), str(body.get("message")) if isinstance(body, dict) else str(error))


runs = Runs(Hub("memory:", serve_private=True), on_error=in_its_own_words)
watch = Watch(runs)
openai_sdk = openai.AsyncOpenAI(api_key="key", base_url=f"{UPSTREAM}/v1", max_retries=0)
anthropic_sdk = anthropic.AsyncAnthropic(api_key="key", base_url=UPSTREAM, max_retries=0)
MESSAGES: Any = [{"role": "user", "content": "hi"}]


def source(api: str, case: str) -> Any:
    """The SDK's own stream."""
    match api:
        case "chat":
            return openai_sdk.chat.completions.create(model=case, messages=MESSAGES, stream=True)
        case "responses":
            return openai_sdk.responses.create(model=case, input="hi", stream=True)
    return anthropic_sdk.messages.create(model=case, max_tokens=9, messages=MESSAGES, stream=True)


async def body_of(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI 3.0."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    if scope["method"] == "GET":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    _, api, dialect, *rest = scope["path"].split("/")
    asked = json.loads(await body_of(receive) or b"{}")
    case = asked.get("model") or rest[0]
    await runs.start(partial(source, api, case), id=case)
    path = f"/{case}/stream"
    target = {"method": "GET", "path": path, "raw_path": path.encode(), "query_string": f"dialect={dialect}".encode()}
    await watch({**scope, **target}, receive, send)


async def lifespan(receive: Receive, send: Send) -> None:
    """Runs are open while the server is."""
    async with contextlib.AsyncExitStack() as stack:
        await receive()
        await stack.enter_async_context(runs)
        await send({"type": "lifespan.startup.complete"})
        await receive()
    await send({"type": "lifespan.shutdown.complete"})
