"""A ticket in the query of a URL: found, and left out of what is written down.

Rule: a name counts however it is encoded. What is not found here is no ticket, and what is found is never logged.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote, unquote_plus

from headwater.protocol.names import QUERY_TICKET

#: In place of a ticket.
_CUT: Final = "***"


def may_have_ticket(query: bytes) -> bool:
    """A quick look: the name is there, or something is encoded."""
    return b"ticket=" in query or b"%" in query


def tickets_of(query: bytes) -> list[str]:
    """All tickets of a query, as sent; there is one at most in what is meant well."""
    parts = [part.partition("=") for part in query.decode("latin-1").split("&")]
    return [unquote(value) for name, _, value in parts if _is_ticket(name)]


def without_tickets(target: str) -> str:
    """A request target, or a query behind its question mark, for a log."""
    path, mark, query = target.partition("?")
    if not mark or ("ticket" not in query and "%" not in query):
        return target
    parts = [part.partition("=") for part in query.split("&")]
    return f"{path}?{'&'.join([name + mark + (_CUT if _is_ticket(name) else value) for name, mark, value in parts])}"


def _is_ticket(name: str) -> bool:
    return unquote_plus(name) == QUERY_TICKET
