"""Store URLs: `memory:`, `sqlite:PATH`.

Rule: a store's module is imported when a URL names it, so that nobody needs what another store is made with.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from typing import Final
from urllib.parse import unquote_plus

from headwater.errors import HeadwaterError
from headwater.stores.base import Clock, Store

#: Where the stores are: each module has `from_url`, which takes a location, options and a clock.
_MODULES: Final = {"memory": "headwater.stores.memory", "sqlite": "headwater.stores.sqlite"}


class UnknownStore(HeadwaterError, ValueError):
    """The store URL names no store."""

    code = "unknown-store"
    advice = "Name memory:, or sqlite: and the path of a file, such as sqlite:app.db."


def open_store(url: str, *, clock: Clock = time.time) -> Store:
    """The store a URL names, not yet opened.

    Args:
        url: `memory:`, or `sqlite:PATH` with options as a query: `sqlite:app.db?synchronous=normal`,
            `sqlite:/var/lib/app.db`, `sqlite:~/app.db`.
        clock: seconds since the Unix epoch.

    Raises:
        UnknownStore: no such scheme, or an option it does not have.
    """
    scheme, separator, rest = url.partition(":")
    if not separator or scheme not in _MODULES:
        raise UnknownStore(f"{url!r} names no store; {_advice(scheme, rest)}")
    from_url: Callable[[str, dict[str, str], Clock], Store] = import_module(_MODULES[scheme]).from_url
    location, _, query = rest.partition("?")
    try:
        return from_url(location, _parse_query(query), clock)
    except (TypeError, ValueError) as error:
        raise UnknownStore(f"store URL {url!r}: {error}") from None


def _advice(scheme: str, rest: str) -> str:
    if not rest and scheme and scheme not in _MODULES:
        return f"for a file, write sqlite:{scheme}"
    if scheme.partition("+")[0] in ("sqlite", "sqlite3"):
        return "write sqlite:PATH"
    return f"use one of {', '.join(f'{name}:' for name in _MODULES)}"


def _parse_query(query: str) -> dict[str, str]:
    """The options of a URL, each once.

    Raises:
        ValueError: one has no value, or comes twice.
    """
    found: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, equals, value = (unquote_plus(side) for side in part.partition("="))
        if not equals:
            raise ValueError(f"the option {name!r} has no value; write {name}=VALUE")
        if name in found:
            raise ValueError(f"the option {name!r} comes twice")
        found[name] = value
    return found
