"""Conditions where no one stream is written to: refused, because to pass them over would be to write."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import Run
from tests.support.access import token
from tests.support.lanes import OWN, ROOT, guarded_lane, lanes

#: Where, and what would be taken there without a condition.
WORDS = [
    ("POST", "-/append", b'{"stream": "a", "data": 1}', "application/x-ndjson"),
    ("POST", "-/many?live=false", b'{"streams": {"a": "-1"}}', "application/json"),
    ("POST", "a/-/signal", b"1", "application/json"),
    ("POST", "a/-/presence", b'{"state": {}}', "application/json"),
    ("POST", "-/ticket", b'{"read": ["a"]}', "application/json"),
    ("POST", "-/revoke", b'{"subject": "u2"}', "application/json"),
    ("POST", "-/kick", b'{"subject": "u2"}', "application/json"),
    ("POST", "-/session", b"", "application/json"),
    ("DELETE", "-/session", b"", "application/json"),
]
NAMES = [f"{method} {word}" for method, word, _, _ in WORDS]


@lanes
@pytest.mark.parametrize(("method", "word", "body", "kind"), WORDS, ids=NAMES)
def test_conditions_are_refused(
    run: Run[None], tmp_path: Path, lane: str, method: str, word: str, body: bytes, kind: str
) -> None:
    """400 that says where they are taken; nothing is done."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            mine = {**OWN, "authorization": f"Bearer {token('u1')}", "content-type": kind}
            before = await door.say("HEAD", f"{ROOT}a", mine)
            for name in ("If-Match", "If-None-Match"):
                for tag in ("*", before.header("etag") or "", '"another"'):
                    found = await door.say(method, ROOT + word, {**mine, name: tag}, body)
                    assert found.status == 400
                    problem = found.json()
                    assert problem["code"] == "bad-request"
                    assert name in problem["detail"]
                    assert "PUT, POST and DELETE of a stream" in problem["detail"]
            assert (await door.say("HEAD", f"{ROOT}a", mine)).header("etag") == before.header("etag")

    run(main())


@lanes
@pytest.mark.parametrize(("method", "word", "body", "kind"), WORDS, ids=NAMES)
def test_without_them_the_same_is_done(
    run: Run[None], tmp_path: Path, lane: str, method: str, word: str, body: bytes, kind: str
) -> None:
    """So it is they that are refused above."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            mine = {**OWN, "authorization": f"Bearer {token('u1')}", "content-type": kind}
            assert (await door.say(method, ROOT + word, mine, body)).status < 300

    run(main())


@lanes
@pytest.mark.parametrize(
    "name",
    ["Producer-Id", "Producer-Epoch", "Producer-Seq", "Stream-Seq", "Stream-Closed", "Stream-Failure", "Stream-Create"],
)
def test_headers_of_one_stream_are_refused_by_an_append_to_several(
    run: Run[None], tmp_path: Path, lane: str, name: str
) -> None:
    """What a line can say is not passed over in a header."""

    async def main() -> None:
        async with guarded_lane(lane, tmp_path) as door:
            mine = {**OWN, "authorization": f"Bearer {token('u1')}", "content-type": "application/x-ndjson"}
            before = await door.say("HEAD", f"{ROOT}a", mine)
            found = await door.say("POST", f"{ROOT}-/append", {**mine, name: "0"}, WORDS[0][2])
            assert (found.status, found.json()["code"]) == (400, "bad-request")
            assert name.lower() in found.json()["detail"]
            assert (await door.say("HEAD", f"{ROOT}a", mine)).header("etag") == before.header("etag")

    run(main())
