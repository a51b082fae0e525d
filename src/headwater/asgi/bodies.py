"""Request bodies, within the limits of size and time."""

from __future__ import annotations

import asyncio

from headwater.asgi.types import ClientGone, Receive
from headwater.errors import BadRequest, RequestTimeout, TooLarge
from headwater.hub import Limits
from headwater.protocol import names
from headwater.protocol.requests import Headers


async def read_body(receive: Receive, headers: Headers, limits: Limits) -> bytes:
    """The whole body.

    Raises:
        TooLarge: it is over `limits.max_body_bytes`; a declared length is refused before any of it is read.
        RequestTimeout: it did not arrive within `limits.body_seconds`.
        ClientGone: the connection was closed before its end; nothing of it may be used.
    """
    declared = _declared_length(headers)
    if declared is not None and declared > limits.max_body_bytes:
        raise _too_large(limits, declared)
    try:
        async with asyncio.timeout(limits.body_seconds):
            return await _collect(receive, limits)
    except TimeoutError:
        raise RequestTimeout(f"the body did not arrive within body_seconds={limits.body_seconds:g}") from None


async def _collect(receive: Receive, limits: Limits) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ClientGone
        part = event.get("body", b"")
        size += len(part)
        if size > limits.max_body_bytes:
            raise _too_large(limits, None)
        if not event.get("more_body", False):
            return part if not parts else b"".join([*parts, part])
        parts.append(part)


def _declared_length(headers: Headers) -> int | None:
    value = headers.get(names.CONTENT_LENGTH)
    if value is None:
        return None
    if not value.isdigit() or len(value) > 18:
        raise BadRequest("Content-Length is not a number")
    return int(value)


def _too_large(limits: Limits, size: int | None) -> TooLarge:
    found = "is too large" if size is None else f"has {size} bytes"
    return TooLarge(f"the body {found}, the limit is max_body_bytes={limits.max_body_bytes}")
