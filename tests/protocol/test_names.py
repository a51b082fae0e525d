"""The vocabulary: each name once, in the form in which it goes over the wire."""

from __future__ import annotations

import re

from headwater.protocol import names

HEADERS = {
    name: value for name, value in vars(names).items() if isinstance(value, bytes) and not name.startswith("EVENT_")
}
EVENTS = {value for name, value in vars(names).items() if name.startswith("EVENT_")}


def test_headers_are_written_as_asgi_has_them() -> None:
    """Lower-case tokens, each under the one name that says it."""
    assert len(set(HEADERS.values())) == len(HEADERS)
    for name, value in HEADERS.items():
        assert re.fullmatch(rb"[a-z][a-z-]*[a-z]", value)
        assert value == name.lower().replace("_", "-").encode()


def test_the_protocol_s_headers_have_their_names() -> None:
    """As section 13.2 and section 5.2.1 register them."""
    registered = (
        "Stream-TTL Stream-Expires-At Stream-Seq Stream-Cursor Stream-Next-Offset Stream-Up-To-Date Stream-Closed "
        "Stream-Forked-From Stream-Fork-Offset Stream-Fork-Sub-Offset Stream-SSE-Data-Encoding "
        "Producer-Id Producer-Epoch Producer-Seq Producer-Expected-Seq Producer-Received-Seq"
    )
    assert {name.lower().encode() for name in registered.split()} <= set(HEADERS.values())


def test_query_parameters_have_their_names() -> None:
    """As sections 5.6 to 5.8 have them, and ours."""
    parameters = {value for name, value in vars(names).items() if name.startswith("QUERY_")}
    assert parameters == {
        *("offset", "live", "cursor", "lastEventId", "last-event-id"),
        *("event", "data", "slow", "reader", "dialect"),
        *("last", "last_bytes", "before", "envelope", "missing", "signals", "kind"),
        *("raw", "producer", "heartbeat", "ticket"),
        *("presence", "member", "member_key", "member_connection", "member_state"),
    }


def test_our_events_cannot_be_named_by_records() -> None:
    """Nor can the two that an `EventSource` fires by itself."""
    assert {event.decode() for event in EVENTS} | {"open", "error"} == names.RESERVED_EVENTS
    assert "message" not in names.RESERVED_EVENTS


def test_pages_may_send_and_read_every_header_of_the_protocol() -> None:
    """No header of streams or producers is missing from what CORS allows and exposes."""
    ours = {value for value in HEADERS.values() if value.startswith((b"stream-", b"producer-"))}
    assert ours <= {*names.CORS_REQUEST_HEADERS, *names.CORS_RESPONSE_HEADERS}
    for both in (names.CORS_REQUEST_HEADERS, names.CORS_RESPONSE_HEADERS):
        assert len(set(both)) == len(both)
