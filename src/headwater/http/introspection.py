"""What is under `/-/`: JSON for people, monitors and the page at `/`. Reads only."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import parse_qs

from headwater.errors import BadRequest, MethodNotAllowed, RouteNotFound, ShuttingDown, StoreUnavailable
from headwater.http import figures
from headwater.http.figures import Overview
from headwater.http.metrics import metrics
from headwater.hub import Engine
from headwater.model import StreamInfo
from headwater.protocol.asks import Ask, Operation
from headwater.protocol.expiry import format_retention, parse_integer
from headwater.protocol.paths import PrivatePaths
from headwater.protocol.responses import Answer, json_answer
from headwater.protocol.slow import format_slow
from headwater.stores import Fallible

#: Streams on one page of `/-/streams`, readers on one of `/-/readers`.
MAX_PAGE: Final = 1000
#: Readers that a page of `/-/readers` may begin after.
MAX_SKIP: Final = 1_000_000
#: Words behind `/-/`; none of them is one of `protocol.urls`, which are below the same `-` in a mounted hub.
ROUTES: Final = ("health", "ready", "streams", "readers", "stats", "overview", "metrics", "version")


async def introspect(
    hub: Engine, overview: Overview, route: str, method: str, query: bytes, private: PrivatePaths
) -> Answer:
    """The answer to a request under `/-/`.

    Args:
        hub: what is looked at.
        overview: of the same hub.
        route: what follows `/-/`.
        method: GET and HEAD are answered.
        query: the query string.
        private: streams that are counted and not named.

    Raises:
        RouteNotFound, MethodNotAllowed, BadRequest, ShuttingDown, StoreUnavailable: see `errors`.
    """
    if route not in ROUTES:
        raise RouteNotFound(f"there is nothing at /-/{route[:80]}")
    if method not in ("GET", "HEAD"):
        raise MethodNotAllowed(f"{method} is not a method of /-/{route}", allow="GET, HEAD")
    match route:
        case "health":
            return json_answer({"status": "ok"})
        case "ready":
            return json_answer(_ready(hub))
        case "streams":
            return json_answer(await _streams(hub, query, private))
        case "readers":
            return json_answer(await _readers(hub, query, private))
        case "metrics":
            return await metrics(hub)
        case "stats":
            return json_answer(figures.stats(hub))
        case "overview":
            return json_answer(await overview.get())
        case _:
            return json_answer(
                {"headwater": version("headwater"), "python": platform.python_version(), "protocol": "1.0"}
            )


def asks_of_route(route: str, query: bytes) -> tuple[Ask, ...]:
    """What a route shows, as asks; of health, readiness and version nothing.

    Args:
        route: what follows `/-/`.
        query: the query string.

    Raises:
        BadRequest: it is malformed.
    """
    match route:
        case "streams":
            return (Ask(Operation.LIST, _fields(query).get("prefix", "")),)
        case "readers":
            return (Ask(Operation.LIST, _fields(query).get("path", "")),)
        case "stats" | "overview" | "metrics":
            return (Ask(Operation.LIST, ""),)
        case _:
            return ()


def _ready(hub: Engine) -> dict[str, str]:
    if hub.draining:
        raise ShuttingDown
    if not hub.is_open:
        raise StoreUnavailable("the hub is not open")
    if isinstance(hub.store, Fallible) and (fault := hub.store.fault()) is not None:
        raise StoreUnavailable(fault)
    return {"status": "ready"}


def _fields(query: bytes) -> dict[str, str]:
    try:
        found = parse_qs(query.decode("ascii"), max_num_fields=16)
    except ValueError:
        raise BadRequest("the query string is malformed") from None
    return {name: values[0] for name, values in found.items()}


async def _readers(hub: Engine, query: bytes, private: PrivatePaths) -> dict[str, Any]:
    fields = _fields(query)
    limit = parse_integer(fields.get("limit", "100"), name="limit", maximum=MAX_PAGE)
    skip = parse_integer(fields.get("skip", "0"), name="skip", maximum=MAX_SKIP)
    return await figures.readers(hub, path=fields.get("path"), skip=skip, limit=limit, private=private)


async def _streams(hub: Engine, query: bytes, private: PrivatePaths) -> dict[str, Any]:
    fields = _fields(query)
    limit = parse_integer(fields.get("limit", "100"), name="limit", maximum=MAX_PAGE)
    found = await _page(hub, fields.get("prefix", ""), fields.get("after", ""), limit, private)
    return {
        "streams": [describe(info, hub.reader_count(info.path), private) for info in found],
        "next": found[-1].path if found and len(found) == limit else None,
    }


async def _page(hub: Engine, prefix: str, after: str, limit: int, private: PrivatePaths) -> list[StreamInfo]:
    """The next streams that are not private; what is private is passed over as a whole."""
    found: list[StreamInfo] = []
    while len(found) < limit:
        some = await hub.list(prefix=prefix, after=after, limit=limit - len(found))
        hidden = next((index for index, info in enumerate(some) if info.path in private), len(some))
        found += some[:hidden]
        if hidden == len(some):
            break
        after = private.end(some[hidden].path)
    return found


def describe(info: StreamInfo, readers: int, private: PrivatePaths) -> dict[str, Any]:
    """A stream as `/-/streams` shows it; a source that is private is not named."""
    source = info.forked_from
    return {
        "path": info.path,
        "content_type": info.content_type,
        "tail": info.tail,
        "earliest": info.earliest,
        "closed": info.closed,
        "failure": info.failure,
        "size": info.size,
        "readers": readers,
        "created_at": info.created_at,
        "ttl": info.expiry.ttl,
        "expires_at": info.expiry.at_text,
        "retention": format_retention(info.retention) or None,
        "slow": format_slow(info.slow),
        "forked_from": None if source is None or source in private else source,
    }
