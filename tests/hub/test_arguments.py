"""Arguments of the wrong type: a sentence, and nothing is done."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.conftest import Run

from headwater import Expiry, Hub, Producer, Retention, StreamConfig, StreamInfo
from headwater.errors import StreamNotFound
from headwater.model import Policy

CREATES: list[tuple[dict[str, Any], str]] = [
    ({"content_type": 5}, "content_type must be text, not int"),
    ({"expires_at": "2030-01-01"}, "expires_at must be seconds since the Unix epoch, not str"),
    ({"expires_at": datetime.now(UTC)}, "expires_at must be seconds since the Unix epoch, not datetime"),
    ({"retention": {"age": 5}}, "retention must be a Retention, not dict"),
    ({"retention": Retention(age="5")}, "retention is no valid Retention: Expected `int | null`, got `str`"),  # type: ignore[arg-type]
    ({"slow": Policy.LATEST}, "slow must be text, not Policy"),
    ({"body": "text"}, "body must be bytes, not str"),
]
APPENDS: list[tuple[dict[str, Any], str]] = [
    ({"create": {"content_type": "text/plain"}}, "create must be a StreamConfig, not dict"),
    ({"create": True}, "create must be a StreamConfig, not bool"),
    ({"create": StreamConfig(retention={"age": 5})}, r"create\.retention must be a Retention, not dict"),  # type: ignore[arg-type]
    ({"create": StreamConfig(expiry=Expiry("5"))}, r"at `create\.expiry\.ttl`"),  # type: ignore[arg-type]
    ({"producer": ("p", 0, 0)}, "producer must be a Producer, not tuple"),
    ({"producer": Producer("p", "0", 0)}, r"Expected `int`, got `str` - at `producer\.epoch`"),  # type: ignore[arg-type]
    ({"producer": Producer(uuid4(), 0, 0)}, r"producer\.id must be a str, not UUID"),  # type: ignore[arg-type]
    ({"seq": 5}, "seq must be text, not int"),
    ({"if_match": 5}, "if_match must be text, not int"),
]


@pytest.fixture(params=["memory:", "sqlite:{}/app.db"])
def hub(request: pytest.FixtureRequest, tmp_path: Path) -> Hub:
    return Hub(request.param.format(tmp_path))


def test_creates(run: Run[None], hub: Hub) -> None:
    """Each names the argument, what it takes and what it was; there is no stream."""

    async def main() -> None:
        async with hub:
            for arguments, message in CREATES:
                with pytest.raises(TypeError, match=message):
                    await hub.create("a", **arguments)
                with pytest.raises(StreamNotFound):
                    await hub.info("a")
            with pytest.raises(TypeError, match="path must be text, not int"):
                await hub.create(7)  # type: ignore[arg-type]
            with pytest.raises(TypeError, match=r"got `str` - at `config\.fork\.sub_offset`"):
                await hub.fork("a", "b", offset="-1", sub_offset="1")  # type: ignore[arg-type]

    run(main())


def test_appends(run: Run[None], hub: Hub) -> None:
    """The same, on a stream that is there and where none is; what is written afterwards is not harmed."""

    async def main() -> None:
        async with hub:
            before = await hub.create("there")
            for arguments, message in APPENDS:
                for path in ("there", "a"):
                    with pytest.raises(TypeError, match=message):
                        await hub.append(path, b"x", **arguments)
            assert await hub.info("there") == before
            with pytest.raises(StreamNotFound):
                await hub.info("a")
            await hub.append("there", b"x", seq="1", producer=Producer("p", 0, 0))

    run(main())


def test_what_is_right_passes(run: Run[StreamInfo], hub: Hub) -> None:
    """Every argument at once, whole numbers for a time among them."""

    async def main() -> StreamInfo:
        async with hub:
            await hub.create("a", content_type="text/plain", expires_at=4_000_000_000, retention=Retention(1, 2, 3))
            config = StreamConfig("application/json", Expiry(ttl=9), Retention(count=3))
            await hub.append("b", 1, create=config, producer=Producer("p", 0, 0), seq="1")
            return await hub.info("b")

    info = run(main())
    assert (info.expiry.ttl, info.retention.count) == (9, 3)
