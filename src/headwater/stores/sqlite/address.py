"""The path in a store URL, and what other programs write there.

Rule: what can be read in two ways is refused, so that nobody's file is made where its owner does not look for it.

::

    sqlite:app.db              relative to the folder of the process
    sqlite:/var/lib/app.db     absolute
    sqlite:~/app.db            in the home folder; in a folder called `~`: sqlite:./~/app.db
    sqlite:////var/lib/app.db  absolute, as SQLAlchemy has it
    sqlite:///app.db           refused: SQLAlchemy's is relative, a URL's is absolute
    sqlite://app.db            refused: a URL's is a host
"""

from __future__ import annotations

import os


def parse_path(location: str) -> str:
    """The path of the database.

    Args:
        location: what follows `sqlite:`, without the query.

    Raises:
        ValueError: it is no path of a file, or it may mean two; the message says how to write which.
    """
    name = location.lstrip("/")
    if not name or name == ":memory:":
        raise ValueError("sqlite: needs the path of a file; use memory: for a store in memory")
    if "\0" in location:
        raise ValueError("a path has no zero bytes")
    if location.startswith("file:"):
        raise ValueError(f"no file: URIs; write sqlite:{location.removeprefix('file:')}")
    slashes = len(location) - len(name)
    if slashes in (2, 3):
        raise ValueError(
            f"sqlite:{'/' * slashes} can be read in two ways; write sqlite:{name} for a file in the folder of the"
            f" process, or sqlite:/{name} for an absolute path"
        )
    if not location.startswith("~"):
        return f"/{name}" if slashes else location
    path = os.path.expanduser(location)
    if path.startswith("~"):
        raise ValueError(f"the home folder of {location.partition('/')[0]} is not known; write the whole path")
    return path
