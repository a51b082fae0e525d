"""Requests as the messages of a connection, and answers as the heads and bodies that HTTP has. No I/O.

Rule: what a connection has no message for is `unsupported`; the error says what has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import msgspec

from headwater.client.answers import Head
from headwater.client.connection.closes import problem_body
from headwater.client.errors import Unsupported
from headwater.client.requests import NEXT, PREVIOUS
from headwater.errors import HeadwaterError
from headwater.protocol import names
from headwater.protocol.framing import is_json, is_text, join_records, payloads, split_body
from headwater.protocol.given import GivenConfig
from headwater.protocol.websocket import messages as m

Headers = Mapping[str, str]
#: Makes a message of the number under which it will be answered.
Call = Callable[[int], Any]

_SIGNAL: Final = "/-/signal"
_PRESENCE: Final = "/-/presence"
_CONFIG: Final = {"stream-ttl": "ttl", "stream-expires-at": "expires_at", "stream-retention": "retention"}
_SLOW: Final = "stream-slow"
#: Facts of an `err`, and the headers that tell the same over HTTP.
_FACTS: Final = {"epoch": "producer-epoch", "expected": "producer-expected-seq", "next_offset": NEXT}


class Here(msgspec.Struct):
    """The body of a POST to `-/presence`."""

    id: str | None = None
    key: str | None = None
    state: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    connection: str | None = None
    leave: bool = False


def path_below(root: str, url: str) -> tuple[str, str]:
    """The path of a stream below a root, and what is asked of it beside: `/-/signal`, `/-/presence` or nothing.

    Raises:
        Unsupported: it is elsewhere.
    """
    if not url.startswith(root):
        raise Unsupported(f"{url} is not below {root}: use Stream(url)")
    path = urlsplit(url).path[len(urlsplit(root).path) :]
    for end in (_SIGNAL, _PRESENCE):
        if path.endswith(end):
            return unquote(path.removesuffix(end)), end
    return unquote(path), ""


def calls_of(method: str, path: str, end: str, headers: Headers, body: bytes, query: Mapping[str, str]) -> list[Call]:
    """The messages of a request, in their order; what the last one is answered is the answer.

    Raises:
        Unsupported: there are none for it.
    """
    if end:
        return [_signal(path, query, body) if end == _SIGNAL else _here(path, body)]
    match method:
        case "HEAD":
            return [lambda id: m.Head(id, path)]
        case "GET":
            return [lambda id: m.Head(id, path), _read(path, query)]
        case "DELETE":
            return [lambda id: m.Delete(id, path)]
        case "PUT":
            return [_create(path, headers, body)]
        case _:
            return _append(path, headers, body)


def subscription(path: str, query: Mapping[str, str], window: int | None) -> Callable[[int], m.Sub]:
    """The message that reads a stream, as the parameters of a live GET have it."""
    return lambda id: m.Sub(
        id,
        path,
        from_=query.get(names.QUERY_OFFSET),
        window=window,
        slow=query.get(names.QUERY_SLOW),
        missing=query.get(names.QUERY_MISSING),
        envelope=names.QUERY_ENVELOPE in query,
        signals=names.QUERY_SIGNALS in query,
        presence=names.QUERY_PRESENCE in query,
    )


def answer_of(message: m.ServerMessage, content_type: str) -> tuple[Head, bytes]:
    """An answer as HTTP has it.

    Args:
        message: the answer.
        content_type: of the stream, which a page does not tell.
    """
    match message:
        case m.Info():
            return Head(200, _state(message)), b""
        case m.Page():
            return _page(message, content_type)
        case m.Attending(_, member, key, count):
            return Head(200, {}), msgspec.json.encode({"id": member, "key": key, "count": count})
        case m.Problem():
            return refusal(message)
        case m.Ok():
            closed = {"stream-closed": "true"} if message.closed else {}
            return Head(201 if message.created else 200, {**({NEXT: message.o} if message.o else {}), **closed}), b""
        case _:
            return Head(200, {}), b""


def refusal(message: m.Problem) -> tuple[Head, bytes]:
    """An `err` as HTTP has it."""
    headers = {header: str(message.facts[name]) for name, header in _FACTS.items() if name in message.facts}
    after = None if message.after is None else float(message.after)
    return Head(message.status, headers, after), problem_body(message)


def begun(message: m.Subscribed, heartbeat: float) -> dict[str, str]:
    """The head of the answer to a read."""
    return {
        "content-type": message.type,
        NEXT: message.tail,
        "stream-earliest-offset": message.earliest,
        "stream-heartbeat": f"{heartbeat:g}",
    }


def _state(message: m.Info) -> dict[str, str]:
    told = {
        "content-type": message.type,
        NEXT: message.tail,
        "stream-earliest-offset": message.earliest,
        "stream-closed": "true" if message.closed else "",
        "stream-failure": message.code,
        "stream-failure-message": quote(message.message),
        "stream-ttl": "" if message.ttl is None else str(message.ttl),
        "stream-expires-at": message.expires_at or "",
        "stream-retention": message.retention,
    }
    return {name: value for name, value in told.items() if value}


def _page(page: m.Page, content_type: str) -> tuple[Head, bytes]:
    if page.r is None:
        records = page.b or []
    elif is_json(content_type):
        records = [bytes(each) for each in page.r]
    else:
        records = [msgspec.json.decode(each, type=str).encode() for each in page.r]
    headers = {"content-type": content_type, NEXT: page.o, **({PREVIOUS: page.from_} if page.earlier else {})}
    if page.at:
        headers["content-type"] = "application/x-ndjson"
        return Head(200, headers), _lines(page)
    return Head(200, headers), join_records(content_type, records)


def _lines(page: m.Page) -> bytes:
    """Envelopes, as a page over HTTP has them."""
    records: list[Any] = page.b or [] if page.r is None else page.r
    offsets = [*(page.o[: len(page.o) - len(end)] + end for end in page.e or ()), page.o]
    writers = page.by or [None] * len(records)
    name = "base64" if page.r is None else "data"  # bytes are encoded so
    known = zip(offsets, page.at or (), writers, records, strict=True)
    lines = ({"offset": offset, "at": at, "by": by, name: record} for offset, at, by, record in known)
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def _read(path: str, query: Mapping[str, str]) -> Call:
    last = query.get(names.QUERY_LAST)
    return lambda id: m.Read(
        id,
        path,
        from_=query.get(names.QUERY_OFFSET),
        last=None if last is None else int(last),
        before=query.get(names.QUERY_BEFORE),
        envelope=names.QUERY_ENVELOPE in query,
    )


def _signal(path: str, query: Mapping[str, str], body: bytes) -> Call:
    told = msgspec.Raw(body)
    return lambda id: m.SendSignal(id, path, data=told, to=query.get("to"), topic=query.get("topic"))


def _here(path: str, body: bytes) -> Call:
    asked = msgspec.json.decode(body, type=Here)
    state = msgspec.Raw(b"null") if asked.leave else asked.state
    return lambda id: m.Here(id, path, state=state, key=asked.key, member=asked.id, connection=asked.connection)


def _records(content_type: str | None, body: bytes) -> dict[str, Any]:
    """The fields `r` or `b`; what cannot be taken apart is sent as it is, and refused where that is decided."""
    if not body:
        return {}
    kind = content_type or "application/octet-stream"
    try:
        records = payloads(kind, list(split_body(kind, body)))
    except HeadwaterError:
        return {"b": [body]}
    if is_json(kind):
        return {"r": [msgspec.Raw(record) for record in records]}
    try:
        return {"r": [msgspec.Raw(msgspec.json.encode(body.decode()))]} if is_text(kind) else {"b": records}
    except UnicodeDecodeError:
        return {"b": [body]}


def _config(headers: Headers) -> dict[str, Any]:
    found: dict[str, Any] = {name: headers[header] for header, name in _CONFIG.items() if header in headers}
    if "ttl" in found:
        found["ttl"] = int(found["ttl"])
    return {**found, **({"slow": headers[_SLOW]} if _SLOW in headers else {})}


def _create(path: str, headers: Headers, body: bytes) -> Call:
    if "stream-forked-from" in headers:
        raise Unsupported("a connection has no message for a fork: use Stream(url).fork()")
    kind = headers.get("content-type")
    return lambda id: m.Create(
        id,
        path,
        type=kind,
        closed=headers.get("stream-closed") == "true",
        exclusive="if-none-match" in headers,
        **_config(headers),
        **_records(kind, body),
    )


def _append(path: str, headers: Headers, body: bytes) -> list[Call]:
    producer = None
    if "producer-id" in headers:
        producer = (headers["producer-id"], int(headers["producer-epoch"]), int(headers["producer-seq"]))
    kind, code = headers.get("content-type"), headers.get("stream-failure")
    closes = headers.get("stream-closed") == "true" and code is None
    create = GivenConfig(**_config(headers)) if headers.get("stream-create") == "true" else False
    found: list[Call] = []
    if body:
        records = _records(kind, body)
        found.append(lambda id: m.Append(id, path, type=kind, p=producer, close=closes, create=create, **records))
    elif closes:
        found.append(lambda id: m.Close(id, path, p=producer))
    if code is not None:
        told = unquote(headers.get("stream-failure-message", ""))
        found.append(lambda id: m.Fail(id, code, told, path))
    return found
