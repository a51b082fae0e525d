"""Preconditions: which tags hold, which headers are none, and what is told."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.test_cache_headers import batch

from headwater.errors import BadRequest, PreconditionFailed
from headwater.protocol.cache_headers import entity_tag, tail_tag
from headwater.protocol.preconditions import Condition, parse_condition

TAIL = "0000000000000007_0000000000000009"


def holds(tail: str | None, *, match: str | None = None, none_match: str | None = None) -> bool:
    condition = parse_condition(match, none_match)
    assert condition is not None
    try:
        condition.check("a", tail)
    except PreconditionFailed:
        return False
    return True


@pytest.mark.parametrize(
    "tag",
    [
        tail_tag(TAIL, closed=False),
        tail_tag(TAIL, closed=True),
        entity_tag(batch("x_0", TAIL)),
        entity_tag(batch("x_0", TAIL), "gzip"),
        entity_tag(batch("x_0", TAIL, closed=True), "zstd"),
    ],
)
@pytest.mark.parametrize("form", ["{}", '"other", {}', '{} , "x:y"', '"a,b",{},', ", ,{}", '"",\t{}', 'W/"x",{}'])
def test_the_end_of_a_given_tag_is_the_tail(tag: str, form: str) -> None:
    """The tag of HEAD, PUT, POST, and of a GET that was up to date, in any coding; alone or in a list."""
    sent = form.format(tag)
    assert holds(TAIL, match=sent)
    assert not holds(TAIL, none_match=sent)
    assert not holds("0000000000000007_0000000000000008", match=sent)
    assert not holds(None, match=sent)


def test_a_weak_tag_matches_weakly_only() -> None:
    """`If-Match` compares strongly, `If-None-Match` weakly (RFC 9110 sections 13.1.1 and 13.1.2)."""
    weak = "W/" + tail_tag(TAIL, closed=False)
    assert not holds(TAIL, match=weak)
    assert not holds(TAIL, none_match=weak)
    assert holds(TAIL, none_match='W/"other"')


def test_a_star_stands_for_any_stream() -> None:
    """For one that exists: `If-Match` needs it, `If-None-Match` excludes it."""
    assert holds(TAIL, match="*")
    assert not holds(None, match="*")
    assert not holds(TAIL, none_match="*")
    assert holds(None, none_match="*")


def test_both_must_hold() -> None:
    """Each is looked at, in the order of RFC 9110 section 13.2.2."""
    assert not holds(TAIL, match="*", none_match="*")
    assert holds(TAIL, match=tail_tag(TAIL, closed=False), none_match='"x:y"')


def test_the_start_of_a_tag_does_not_count() -> None:
    """Only where it ends; and a tag that is none of ours never matches."""
    assert not holds(TAIL, match=f'"{TAIL}:x"')
    assert not holds(TAIL, match=f'"{TAIL}"')
    assert not holds(TAIL, match='"*"')
    assert not holds(TAIL, match='"x:*"')


@pytest.mark.parametrize(
    "sent",
    [
        *("", " ", ",", "**", '*, "a"', TAIL, f"{TAIL}:{TAIL}"),
        *('"a:b', 'a:b"', '"a" "b"', '"a"b"', '"a";"b"', '"a b"', '"a\tb"', "'a:b'"),
        *('w/"a"', "W/", 'W/ "a"'),
    ],
)
def test_what_is_no_list_of_tags_is_refused(sent: str) -> None:
    """400, in either header: to ignore it would write what should not be written."""
    for headers in ((sent, None), (None, sent)):
        with pytest.raises(BadRequest):
            parse_condition(*headers)


@given(st.text(alphabet='"W/*, \tab:', max_size=30))
def test_any_text_is_a_condition_or_refused(sent: str) -> None:
    """Nothing else comes out of it."""
    with contextlib.suppress(BadRequest):
        assert isinstance(parse_condition(sent, sent), Condition)


def test_a_long_list_is_read_in_one_pass() -> None:
    """Tags and commas without end take no more than their length."""
    assert holds(TAIL, match=", " * 50_000 + tail_tag(TAIL, closed=False))
    with pytest.raises(BadRequest):
        parse_condition('"a",' * 50_000 + '"', None)


@pytest.mark.parametrize("sent", [f'"{TAIL}"', "W/" + tail_tag(TAIL, closed=False), '"other"'])
def test_a_tag_of_another_kind_is_told(sent: str) -> None:
    """An offset in quotes is no tag: to say that it is another tail would be wrong."""
    condition = parse_condition(sent, None)
    assert condition is not None
    with pytest.raises(PreconditionFailed, match="told as ETag by HEAD"):
        condition.check("a", TAIL)
    with pytest.raises(PreconditionFailed, match="names another tail"):
        Condition(if_match=("x",)).check("a", TAIL)


def test_a_refusal_tells_the_tail() -> None:
    """For who wants to read on; where no stream is there is none."""
    with pytest.raises(PreconditionFailed) as failure:
        Condition(if_match=("x",)).check("a", TAIL)
    assert failure.value.details == {"next_offset": TAIL}
    with pytest.raises(PreconditionFailed) as failure:
        Condition(if_match=("x",)).check("a", None)
    assert failure.value.details == {}
