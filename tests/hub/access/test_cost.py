"""What access costs those who are told records: nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from tests.conftest import Run
from tests.support.inprocess import turns

from headwater import BufferSink, Hub, Limits
from headwater.hub import Peer
from headwater.hub.access.proven import Proven
from headwater.hub.formats import wire_format
from headwater.model import NOW
from headwater.protocol.access.identity import ANYBODY, Access

READERS = 50


async def calls(access: Access) -> int:
    """Calls of Python while one record is told to some readers."""
    count = 0

    def profile(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event == "call"

    async with Hub(limits=Limits(flush_seconds=0)) as hub:
        await hub.create("a", content_type="application/json")
        sinks = [BufferSink() for _ in range(READERS)]
        for sink in sinks:
            await hub.live.subscribe("a", NOW, wire_format("ndjson"), sink, peer=Peer("ndjson", access=access))
        assert len(hub.runtime.principals) == (READERS if isinstance(access, Proven) else 0)
        await hub.append("a", 0)
        await turns()
        before: Callable[..., Any] | None = sys.getprofile()
        sys.setprofile(profile)
        try:
            await hub.append("a", 1)
            await turns()
        finally:
            sys.setprofile(before)
        assert all(sink.take().count(b"\n") >= 2 for sink in sinks)
    return count


def test_a_delivery_asks_nothing(run: Run[None]) -> None:
    """Not one call of Python more, whatever the number of readers."""

    async def main() -> None:
        assert await calls(Proven(Access("u1", issuer="x", read=["**"]), b"key")) == await calls(ANYBODY)

    run(main())
