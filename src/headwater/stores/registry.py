"""Store URLs: `memory:`, `sqlite:PATH`.

Rule: a store's module is imported when a URL names it, so that nobody needs what another store is made with.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Final
from urllib.parse import parse_qsl

from headwater.errors import HeadwaterError
from headwater.stores.base import Clock, Store

#: Where the stores are: each module has `from_url`, which takes a location, options and a clock.
_MODULES: Final = {"memory": "headwater.stores.memory", "sqlite": "headwater.stores.sqlite"}


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
    if not separator or scheme not in _MODULES:
        raise UnknownStore(f"{url!r} names no store; use one of {', '.join(f'{name}:' for name in _MODULES)}")
    from_url: Callable[[str, dict[str, str], Clock], Store] = import_module(_MODULES[scheme]).from_url
    location, _, query = rest.partition("?")
    try:
        return from_url(location, dict(parse_qsl(query, strict_parsing=bool(query))), clock)
    except (TypeError, ValueError) as error:
        raise UnknownStore(f"store URL {url!r}: {error}") from None
