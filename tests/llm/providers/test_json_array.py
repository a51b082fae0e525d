"""A JSON array as its bytes come: the same bytes, cut behind its elements only."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.llm.providers.json_array import JsonArray, element_of
from headwater.llm.providers.wire import WireRecogniser

texts = st.text(alphabet='[]{}",\\ aü\n', max_size=8)
values = texts | st.lists(st.dictionaries(texts, texts, max_size=2), max_size=2)
arrays = st.lists(st.dictionaries(texts, values, max_size=2), max_size=4)


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@settings(max_examples=50)
@given(array=arrays, size=st.integers(1, 40), indent=st.sampled_from([None, 2]))
def test_each_element_is_a_piece(array: list[Any], size: int, indent: int | None) -> None:
    """Wherever the bytes are cut, and whatever brackets and quotes its strings have."""
    data = json.dumps(array, indent=indent).encode()
    pieces, cutter = [], JsonArray()
    for chunk in cut(data, size):
        assert not cutter.is_closed
        pieces += cutter.feed(chunk)
    assert cutter.is_closed
    assert b"".join(pieces) + cutter.rest() == data
    assert [json.loads(element) for element in map(element_of, pieces) if element] == array


def test_an_answer_as_an_array() -> None:
    """It is complete with its bracket; without, or with a bracket before its last response, it is truncated."""
    first = {"candidates": [{"content": {"parts": [{"text": 'Say "]"'}]}}]}
    last = {"candidates": [{"content": {"parts": [{"text": "!"}]}, "finishReason": "STOP"}]}
    for array, wanted in (([first, last], None), ([first], "truncated"), ([], "truncated")):
        for size in (1, 3, 1000):
            recogniser = WireRecogniser("gemini-array")
            for chunk in cut(json.dumps(array).encode(), size):
                recogniser.feed(chunk)
            assert recogniser.is_complete is (wanted is None)
            recogniser.finish()
            assert (recogniser.failed and recogniser.failed.code) == wanted
    recogniser = WireRecogniser("gemini-array")
    recogniser.feed(json.dumps([first, last]).encode()[:-1])
    assert not recogniser.is_complete


def test_an_error_in_an_array() -> None:
    """The provider's own; the bracket behind it is the end, and nothing follows that."""
    recogniser = WireRecogniser("gemini-array")
    recogniser.feed(b'[{"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}}')
    before = recogniser.is_complete
    assert recogniser.feed(b'\n]{"candidates": []}') == []
    assert (before, recogniser.is_complete) == (False, True)
    assert recogniser.failed is not None
    assert (recogniser.failed.code, recogniser.failed.message) == ("RESOURCE_EXHAUSTED", "slow down")


def test_an_element_without_end_is_an_error() -> None:
    recogniser = WireRecogniser("gemini-array")
    recogniser.feed(b'[{"a": "')
    for _ in range(17):
        recogniser.feed(b"x" * 2**20)
    assert recogniser.failed is not None
    assert recogniser.failed.code == "too-large"
