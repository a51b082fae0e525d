"""A ticket in a query: found however its name is encoded, and never in a log."""

from __future__ import annotations

import pytest

from headwater.protocol.ticket_query import may_have_ticket, tickets_of, without_tickets


@pytest.mark.parametrize(
    ("query", "tickets", "logged"),
    [
        ("", [], ""),
        ("offset=-1", [], "offset=-1"),
        ("ticket=abc", ["abc"], "ticket=***"),
        ("offset=-1&ticket=abc&live=sse", ["abc"], "offset=-1&ticket=***&live=sse"),
        ("%74icket=abc", ["abc"], "%74icket=***"),
        ("tic%6bet=a%62c", ["abc"], "tic%6bet=***"),
        ("ticket=a&ticket=b", ["a", "b"], "ticket=***&ticket=***"),
        ("tickets=abc&xticket=d&Ticket=e", [], "tickets=abc&xticket=d&Ticket=e"),
        ("x=ticket=abc", [], "x=ticket=abc"),
        ("ticket", [""], "ticket***"),
    ],
)
def test_tickets(query: str, tickets: list[str], logged: str) -> None:
    """What is found is what is cut."""
    assert tickets_of(query.encode()) == tickets
    assert may_have_ticket(query.encode()) or not any(tickets)
    assert without_tickets(f"/a?{query}" if query else "/a") == (f"/a?{logged}" if query else "/a")
