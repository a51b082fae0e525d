"""Whole responses over an ASGI `send`."""

from __future__ import annotations

from typing import Final

from headwater.asgi.bodies import throw_away
from headwater.asgi.outlet import LUMP, send_streamed, whole
from headwater.asgi.types import Receive, Scope, Send
from headwater.hub import Engine
from headwater.protocol import names
from headwater.protocol.responses import Answer, HeaderList

#: Statuses without a body.
_BODILESS: Final = (204, 304)


async def send_answer(
    scope: Scope, receive: Receive, send: Send, answer: Answer, hub: Engine, extra: HeaderList
) -> None:
    """Send a response; a HEAD request gets no body. Behind one that is `unread`, linger.

    Args:
        scope: ASGI's.
        receive: ASGI's.
        send: ASGI's.
        answer: what to send.
        hub: whose limits and figures count.
        extra: further headers.
    """
    headers = [*answer.headers, *extra]
    head_only = scope["method"] == "HEAD"
    closes = answer.unread and scope["http_version"] in ("1.0", "1.1")
    if answer.status not in _BODILESS and not head_only:
        headers.append((names.CONTENT_LENGTH, b"%d" % len(answer.body)))
    if closes:
        headers.append((b"connection", b"close"))
    if len(answer.body) > LUMP and not closes and not head_only:
        await send_streamed(scope, receive, send, whole(answer, scope["path"], headers), hub, [])
        return
    body = {"type": "http.response.body", "body": b"" if head_only else answer.body}
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if closes:
        # The server closes when the response ends. The client has all of it before that, by its length.
        await send({**body, "more_body": True})
        hub.stats.linger_cuts += not await throw_away(receive, hub.limits)
        body["body"] = b""
    await send(body)
