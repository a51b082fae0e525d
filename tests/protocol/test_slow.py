"""Policies for slow readers: how they are asked for, and what conflation keeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import BadRequest
from headwater.model import Batch, Policy, Record, SlowPolicy
from headwater.protocol.offsets import format_offset
from headwater.protocol.slow import REPLAY, Conflater, check_slow, format_slow, parse_slow

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.mark.parametrize(
    ("text", "slow"),
    [
        ("replay", REPLAY),
        ("latest", SlowPolicy(Policy.LATEST)),
        ("disconnect", SlowPolicy(Policy.DISCONNECT)),
        ("conflate:symbol", SlowPolicy(Policy.CONFLATE, "symbol")),
        ("conflate:a:b", SlowPolicy(Policy.CONFLATE, "a:b")),
    ],
)
def test_a_policy_is_a_word(text: str, slow: SlowPolicy) -> None:
    """It is written as it is read."""
    assert parse_slow(text) == slow
    assert format_slow(slow) == text


@pytest.mark.parametrize(
    "text", ["", "fast", "conflate", "conflate:", "latest:x", "LATEST", "conflate:\n", "conflate:" + "k" * 257]
)
def test_a_policy_nobody_knows_is_refused(text: str) -> None:
    """A misspelt policy must not silently be another one."""
    with pytest.raises(BadRequest, match="slow"):
        parse_slow(text)


def test_only_json_has_keys() -> None:
    """Conflation of bytes is refused, every other policy has a meaning for all streams."""
    check_slow(SlowPolicy(Policy.CONFLATE, "k"), "application/json; charset=utf-8")
    check_slow(SlowPolicy(Policy.LATEST), "text/plain")
    with pytest.raises(BadRequest, match="JSON"):
        check_slow(SlowPolicy(Policy.CONFLATE, "k"), "text/plain")


def batch(first: int, values: Sequence[object]) -> Batch:
    records = tuple(
        Record(format_offset(1, first + index + 1), json.dumps(value).encode()) for index, value in enumerate(values)
    )
    end = format_offset(1, first + len(values))
    return Batch(format_offset(1, first), records, end, True, False, "application/json")


def survivors(conflater: Conflater) -> list[object]:
    return [json.loads(record.data) for record in conflater.records()]


def test_the_newest_of_each_key_survives_in_the_logs_order() -> None:
    """Older ones of a key are dropped and counted, over batches too; the order stays the log's."""
    conflater = Conflater("k")
    conflater.feed(batch(0, [{"k": "a", "n": 1}, {"k": "b", "n": 2}]))
    conflater.feed(batch(2, [{"k": "a", "n": 3}, {"k": 1}, {"k": "1"}, {"k": True}]))
    assert survivors(conflater) == [{"k": "b", "n": 2}, {"k": "a", "n": 3}, {"k": 1}, {"k": "1"}, {"k": True}]
    assert conflater.dropped == 1


def test_half_a_surrogate_pair_hides_no_key() -> None:
    """A record that has one somewhere is conflated by its own key."""
    conflater = Conflater("k")
    for key in ("a", "b", "a"):
        data = b'{"k":"%b","text":"\\ud83d"}' % key.encode()
        conflater.feed(Batch("", (Record(format_offset(1, 9), data),), "", True, False, "application/json"))
    assert len(conflater.records()) == 2


def test_records_without_the_key_count_as_one() -> None:
    """What has no key, or is no object, or has no Python value, is conflated with its like."""
    conflater = Conflater("k")
    conflater.feed(batch(0, [{"x": 1}, [1], "text", {"k": None}]))
    conflater.feed(Batch("", (Record(format_offset(1, 9), b"1e999"),), "", True, False, "application/json"))
    assert [record.data for record in conflater.records()] == [b"1e999"]
    assert conflater.dropped == 4


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers()), max_size=30), st.integers(1, 7))
def test_conflation_equals_a_dictionary(values: list[tuple[str, int]], size: int) -> None:
    """However the batches are cut, what survives is the last value of each key."""
    conflater = Conflater("k")
    for first in range(0, len(values), size):
        conflater.feed(batch(first, [{"k": key, "n": number} for key, number in values[first : first + size]]))
    assert {value["k"]: value["n"] for value in survivors(conflater)} == dict(values)  # type: ignore[index]
    offsets = [record.offset for record in conflater.records()]
    assert offsets == sorted(offsets)
    assert conflater.dropped == len(values) - len(dict(values))
