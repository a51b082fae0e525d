"""How an answer begins decides whether it is a run, wherever the network cuts it, and whatever its head says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import httpx2
import pytest
from tests.llm.proxy.provider import DONE, chunk
from tests.llm.proxy.test_wires import ARRAY, OLLAMAS

from headwater import Hub
from headwater.llm import Runs
from headwater.llm.proxy.resumable import Resumable

if TYPE_CHECKING:
    from tests.conftest import Run

CHAT = b"".join([chunk("Hello"), chunk(finish="stop"), DONE])
PAGE = b"<!doctype html><title>503</title>" + b"x" * 100


class Pieces(httpx2.AsyncByteStream):
    """A body that comes in pieces of a size."""

    def __init__(self, body: bytes, size: int) -> None:
        self._pieces = [body[at : at + size] for at in range(0, len(body), size)]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize(
    ("dialect", "body", "is_run"),
    [
        ("openai", CHAT, True),
        ("openai", b"\xef\xbb\xbf\r\n" + CHAT, True),
        ("openai", b": hi\n\n" + CHAT, True),
        ("openai", b"retry: 5\n\n" + CHAT, True),
        ("openai", b'{"error": "no"}', False),
        ("openai", b"dat", False),
        ("openai", b"", False),
        ("openai", PAGE, False),
        ("ollama", b"".join(OLLAMAS), True),
        ("ollama", b'{"error":\n"no"}', False),
        ("ollama", PAGE, False),
        ("gemini-array", b" \n" + b"".join(ARRAY), True),
        ("gemini-array", b'{"error": {}}', False),
    ],
)
def test_a_stream_is_known_by_its_first_bytes(
    run: Run[None], dialect: str, body: bytes, size: int, is_run: bool
) -> None:
    """What is none is passed as it is, and whole."""

    async def ask() -> httpx2.Response:
        return httpx2.Response(200, stream=Pieces(body, size), request=httpx2.Request("POST", "http://provider"))

    async def main() -> None:
        async with Hub() as hub, Runs(hub) as runs:
            begun = await Resumable(runs).begin("r1", dialect, "me", b"{}", "m", ask)
            assert (begun.refusal is None) == is_run
            if begun.refusal is not None:
                assert begun.refusal.body == body
            else:
                assert (await runs.wait("r1")).state == "finished"

    run(main())
