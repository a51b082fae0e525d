"""Requests beside reading, and what their answers mean. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from headwater.client.answers import Head
from headwater.client.errors import BadAnswer, UnknownOutcome
from headwater.client.items import Info
from headwater.client.problems import problem_of
from headwater.errors import HeadwaterError
from headwater.protocol import names

NEXT: Final = names.STREAM_NEXT_OFFSET.decode()
PREVIOUS: Final = names.STREAM_PREVIOUS_OFFSET.decode()
#: Of the records that `last` asks for in one request.
MOST: Final = 1000

_CONFIG: Final = {
    "ttl": "stream-ttl",
    "expires_at": "stream-expires-at",
    "retention": "stream-retention",
    "slow": "stream-slow",
}


def check_url(url: str) -> str:
    """A stream's URL.

    Raises:
        ValueError: it is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
        raise ValueError(f"{url!r} is no URL of a stream, such as http://127.0.0.1:4437/v1/stream/jobs/7")
    _ = parts.port  # raises ValueError when it is no port
    return url


def inner_url(path: str) -> str:
    """The URL of a stream of a hub in this process.

    Args:
        path: the stream's.
    """
    return join("hub://inside/v1/stream/", path)


def join(root: str, path: str) -> str:
    """The URL of a stream of a server.

    Args:
        root: of all its streams.
        path: the stream's.
    """
    return root.rstrip("/") + "/" + quote(path.removeprefix("/"), safe="/")


def beside(url: str, path: str) -> str:
    """The URL of another stream of the same server: the path replaces as many segments as it has.

    Args:
        url: of a stream.
        path: of another one; with a slash in front the path of a URL.
    """
    parts = urlsplit(url)
    if path.startswith("/"):
        return f"{parts.scheme}://{parts.netloc}{quote(path, safe='/')}"
    prefix = parts.path.rsplit("/", 1)[0]
    marker = "/v1/stream/"
    if marker in parts.path:
        prefix = parts.path[: parts.path.index(marker) + len(marker) - 1]
    return f"{parts.scheme}://{parts.netloc}{prefix}/{quote(path, safe='/')}"


def path_of(url: str) -> str:
    """The path of a URL, decoded, as `Stream-Forked-From` takes it."""
    return unquote(urlsplit(url).path)


def check(head: Head, body: bytes) -> Head:
    """The head of an answer that is no error.

    Raises:
        HeadwaterError: it is one.
    """
    if head.is_success:
        return head
    named = ("producer-epoch", "producer-expected-seq", "producer-received-seq", "stream-next-offset")
    facts = {name.replace("-", "_"): head.headers[name] for name in named if name in head.headers}
    raise problem_of(head.status, body, head.retry_after, facts, code=_code_of(head.status, head.headers))


def _code_of(status: int, headers: Mapping[str, str]) -> str:
    """What the protocol's own headers say of a refusal (sections 5.2, 5.2.1), for servers without problems."""
    if status == 403 and "producer-epoch" in headers:
        return "producer-fenced"
    if status == 409 and "producer-expected-seq" in headers:
        return "producer-gap"
    return "stream-closed" if status == 409 and headers.get("stream-closed") == "true" else ""


def check_written(head: Head, body: bytes) -> Head:
    """The head of an answer to a write.

    Raises:
        HeadwaterError: it is an error, or something else.
    """
    if not is_written(check(head, body).headers):
        raise BadAnswer(f"the answer has no {NEXT}: it is not a stream's")
    return head


def is_written(headers: Mapping[str, str]) -> bool:
    """Whether an answer to a write is a stream's.

    It tells the tail, or, of what was there before, the numbers of its producer (section 5.2.1). A login page tells
    neither.
    """
    return NEXT in headers or "producer-seq" in headers


def info_of(headers: Mapping[str, str], *, created: bool = False) -> Info:
    """What the headers of HEAD or PUT say of a stream.

    Raises:
        BadAnswer: they are not a stream's.
    """
    if NEXT not in headers:
        raise BadAnswer(f"the answer has no {NEXT}: it is not a stream's")
    ttl = headers.get("stream-ttl")
    return Info(
        headers.get("content-type", "application/octet-stream"),
        headers[NEXT],
        headers.get("stream-earliest-offset", ""),
        closed=headers.get("stream-closed") == "true",
        failure=headers.get("stream-failure", ""),
        failure_message=unquote(headers.get("stream-failure-message", "")),
        ttl=int(ttl) if ttl is not None and ttl.isdecimal() else None,
        expires_at=headers.get("stream-expires-at"),
        retention=headers.get("stream-retention"),
        slow=headers.get("stream-slow"),
        heartbeat=heartbeat_of(headers),
        transports=tuple(each.strip() for each in headers.get("stream-transports", "").split(",") if each.strip()),
        created=created,
    )


def heartbeat_of(headers: Mapping[str, str]) -> float | None:
    """Seconds between two heartbeats, of a live answer; None: it does not tell."""
    beat = headers.get("stream-heartbeat", "")
    return float(beat) if beat.replace(".", "", 1).isdecimal() else None


def config_headers(config: Mapping[str, Any]) -> dict[str, str]:
    """The headers of a create.

    Args:
        config: `ttl`, `expires_at`, `retention`, `slow`; None is left out.

    Raises:
        TypeError: it has other keys.
    """
    if unknown := [name for name in config if name not in _CONFIG]:
        raise TypeError(f"a stream is created with {', '.join(_CONFIG)}, not with {unknown[0]}")
    return {_CONFIG[name]: str(value) for name, value in config.items() if value is not None}


def failure_headers(code: str, message: str) -> dict[str, str]:
    """The headers that end a stream before it is complete."""
    told = {"stream-closed": "true", "stream-failure": code}
    return {**told, "stream-failure-message": quote(message)} if message else told


def outcome(error: HeadwaterError, *, is_write: bool) -> HeadwaterError:
    """The error as the caller sees it: of a write that may not be sent twice, a lost answer says nothing."""
    if is_write:
        return UnknownOutcome(f"the answer was lost ({error.message}): it may be done, or not")
    return error
