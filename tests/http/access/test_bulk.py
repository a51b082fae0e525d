"""A large append waits for its turn: what it may do is looked at again when that comes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run
from tests.support.access import guarded_settings, token
from tests.support.inprocess import in_process, turns

from headwater.errors import StreamNotFound
from headwater.http.writes import BULK_BYTES

BODY = json.dumps(["x" * BULK_BYTES]).encode()


async def size_of(hub: Any) -> int:
    """Bytes of what was appended; 0 also where there is no stream."""
    try:
        return int((await hub.info("a")).size)
    except StreamNotFound:
        return 0


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_body_whose_token_is_revoked_while_it_waits_is_refused(method: str, tmp_path: Path, run: Run[None]) -> None:
    """As one whose body came slowly is."""

    async def main() -> None:
        async with in_process(guarded_settings(tmp_path)) as server:
            hub = server.hub
            if method == "POST":
                await hub.create("a", content_type="application/json")
            client = await server.connect()
            head = f"{method} /v1/stream/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token()}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n\r\n"
            bulk, others = hub.runtime.bulk, 200
            for _ in range(others):
                bulk.call(lambda: None)
            client.sendall(head.encode() + BODY)
            await turns()
            assert not await size_of(hub)
            await hub.revoke("u1", issuer="headwater")
            await turns(others + 20)
            with client:
                assert client.recv(12) == b"HTTP/1.1 401"
            assert not await size_of(hub)

    run(main())
