"""Store URLs: `memory:`, `sqlite:PATH`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qsl

from headwater.errors import HeadwaterError
from headwater.stores.base import Clock, Store


class UnknownStore(HeadwaterError, ValueError):
    """The store URL names no store."""

    code = "unknown-store"


def open_store(url: str, *, clock: Clock = time.time) -> Store:
    """The store a URL names, not yet opened.

    Args:
        url: `memory:`, or `sqlite:PATH` with options as a query: `sqlite:app.db?synchronous=normal`.
        clock: seconds since the Unix epoch.

    Raises:
        UnknownStore: no such scheme, or an option it does not have.
    """
    scheme, separator, rest = url.partition(":")
    factory = _FACTORIES.get(scheme) if separator else None
    if factory is None:
        raise UnknownStore(f"{url!r} names no store; use one of {', '.join(f'{name}:' for name in _FACTORIES)}")
    location, _, query = rest.partition("?")
    try:
        return factory(location, dict(parse_qsl(query, strict_parsing=bool(query))), clock)
    except (TypeError, ValueError) as error:
        raise UnknownStore(f"store URL {url!r}: {error}") from None


def _memory(location: str, options: dict[str, str], clock: Clock) -> Store:
    from headwater.stores.memory import MemoryStore

    if location or options:
        raise ValueError("memory: takes no path and no options")
    return MemoryStore(clock=clock)


def _sqlite(location: str, options: dict[str, str], clock: Clock) -> Store:
    from headwater.stores.sqlite import SqliteStore, parse_options

    return SqliteStore(location.removeprefix("//"), parse_options(options), clock=clock)


_FACTORIES: Final[dict[str, Callable[[str, dict[str, str], Clock], Store]]] = {
    "memory": _memory,
    "sqlite": _sqlite,
}
