"""Private streams before a real server."""

from __future__ import annotations

import pytest
from tests.support.http import call
from tests.support.processes import headwater_server

pytestmark = pytest.mark.slow

URL = "/v1/stream/runs/r1"
JSON = {"content_type": "application/json"}


def test_private_streams_are_served_only_when_told_to() -> None:
    """403 to appends, short and live reads; with `--serve-private` they are streams like all others."""
    with headwater_server("memory:") as server:
        assert call(server, "PUT", URL, **JSON).status == 403
        for method, body, headers in (
            ("POST", "1", JSON),
            ("GET", "", {}),
            ("GET", "", {"accept": "text/event-stream"}),
        ):
            found = call(server, method, URL, body, **headers)
            assert (found.status, found.json()["code"]) == (403, "stream-private")
    with headwater_server("memory:", "--serve-private") as server:
        assert call(server, "PUT", URL, **JSON).status == 201
        assert call(server, "POST", URL, "1", **JSON).status == 204
        assert call(server, "GET", URL).body == b"[1]"


def test_a_read_is_checked_whatever_was_read_before() -> None:
    """With the same headers, of streams that are served: a private path is 403 and one that no stream has 400."""
    with headwater_server("memory:") as server:
        assert call(server, "PUT", "/v1/stream/open", "[1]", **JSON).status == 201
        for path, status in (("open", 200), ("runs/r1", 403), ("open", 200), ("a//b", 400), ("a%zz", 400), ("b", 404)):
            assert call(server, "GET", f"/v1/stream/{path}?offset=-1").status == status, path
