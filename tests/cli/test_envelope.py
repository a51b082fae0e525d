"""tail --envelope: when each record was appended, and by whom, beside what --json tells."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from headwater import Hub, Principal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Call, Serve, Server

ISSUED = Principal("u1", "https://app.example")
#: By stream: its type, and what is in it.
STREAMS: dict[str, tuple[str, list[Any], list[Any]]] = {
    "json": ("application/json", [{"n": 1}, [2]], [{"n": 1}, [2]]),
    "text": ("text/plain", ["one\n", "ä"], ["one\n", "ä"]),
    "bytes": ("application/octet-stream", [b"\xff", b"x"], ["/w==", "eA=="]),
    "packed": ("application/msgpack", [{"n": 1}, 2], [{"n": 1}, 2]),
}


@pytest.fixture
def named(tmp_path: Path, serve: Serve) -> Server:
    """A server whose records have who appended them, and one of which nobody is named."""
    store = f"sqlite:{tmp_path}/named.db"

    async def fill() -> None:
        async with Hub(store) as hub:
            for name, (kind, data, _) in STREAMS.items():
                await hub.create(name, content_type=kind)
                await hub.append(name, data[0], by=ISSUED)
                await hub.append(name, data[1])
                await hub.close(name)

    asyncio.run(fill())
    return serve(store)


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("wire", ["ndjson", "sse", "websocket"])
def test_of_one_stream(call: Call, named: Server, wire: str) -> None:
    """By each wire; without it nothing of this is told."""
    for stream, (_, _, expected) in STREAMS.items():
        found = call("tail", stream, "--envelope", "--wire", wire, url=named.url)
        assert found.exit_code == 0, found.stderr
        told = rows(found.stdout)
        assert [row.get("data", row.get("base64")) for row in told] == expected
        assert [row.get("by") for row in told] == [{"subject": "u1", "issuer": "https://app.example"}, None]
        assert [*told[1]][:2] == ["offset", "at"]
        assert told[0]["at"] <= told[1]["at"]
        plain = call("tail", stream, "--json", "--wire", wire, url=named.url)
        assert {key for row in rows(plain.stdout) for key in row} <= {"offset", "data", "base64"}


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--no-follow"], ["-n", "2", "--no-follow"]], ids=" ".join)
def test_of_several(call: Call, named: Server, more: list[str]) -> None:
    """Live, and what there is."""
    names = ["json", "packed"] if "-n" in more else [*STREAMS]
    found = call("tail", *names, "--envelope", *more, url=named.url)
    assert found.exit_code == 0, found.stderr
    for name in names:
        told = [row for row in rows(found.stdout) if row["stream"] == name]
        assert [row.get("data", row.get("base64")) for row in told] == STREAMS[name][2]
        assert [row.get("by") for row in told] == [{"subject": "u1", "issuer": "https://app.example"}, None]
        assert all(row["at"] > 1e9 for row in told)
