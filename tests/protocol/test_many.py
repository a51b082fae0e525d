"""Requests that read many streams."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headwater.errors import BadRequest, HeadwaterError, InvalidOffset, StreamPrivate, TooManyStreams
from headwater.model import BEGINNING, NOW, Last, Policy
from headwater.protocol.many import MAX_BY_GET, MAX_STREAMS, Names, ReadMany, Wanted, parse_get, parse_post
from headwater.protocol.paths import PrivatePaths
from headwater.protocol.vector import NOT_BEGUN, Stood, begun, encode_vector, head_of

OFFSET = "0000000000000001_0000000000000007"
SSE = {b"accept": b"text/event-stream"}
NAMES = Names(private=PrivatePaths("runs"))


def get(query: str, headers: dict[bytes, bytes] | None = None) -> ReadMany:
    return parse_get(query.encode(), headers or {}, NAMES)


def post(body: Any, query: str = "", headers: dict[bytes, bytes] | None = None) -> ReadMany:
    return parse_post(
        query.encode(), body if isinstance(body, bytes) else json.dumps(body).encode(), headers or {}, NAMES
    )


def test_where_a_stream_begins_stands_behind_it() -> None:
    """Before the first one it is for all that say nothing themselves."""
    found = get(
        f"last=5&stream=jobs/7&offset={OFFSET}&stream=a%2Fb%20c&stream=rooms/*&offset=now&stream=t&last_bytes=9"
    )
    assert found.wanted == (
        Wanted("jobs/7", OFFSET),
        Wanted("a/b c", Last(5)),
        Wanted("rooms/*", NOW),
        Wanted("t", Last(None, 9)),
    )
    assert get("stream=a").wanted == (Wanted("a", BEGINNING),)


def test_a_post_says_the_same() -> None:
    found = post({"streams": {"jobs/7": OFFSET, "a": {"last": 5}, "rooms/*": "now", "t": {"last_bytes": 9}, "b": None}})
    assert found.wanted == (
        Wanted("jobs/7", OFFSET),
        Wanted("a", Last(5)),
        Wanted("rooms/*", NOW),
        Wanted("t", Last(None, 9)),
        Wanted("b", BEGINNING),
    )


def test_what_is_for_all() -> None:
    found = get("slow=latest&reader=me&envelope=1&stream=a&unknown=1&utm%ff=2", SSE)
    assert found.slow is not None
    assert found.slow.policy is Policy.LATEST
    assert (found.reader, found.envelope, found.as_events, found.live) == ("me", True, True, True)
    page = post({"streams": {"a": None}}, "live=false&envelope=1", SSE)
    assert (page.as_events, page.live, page.envelope, page.reader) == (False, False, True, None)
    assert not get("stream=a").as_events


def test_a_cursor_comes_with_the_browser_or_in_the_body() -> None:
    text = encode_vector(head_of(["a", "b"]), [begun(OFFSET), NOT_BEGUN])
    assert get("stream=a&stream=b", {b"last-event-id": text.encode()}).places == [Stood(OFFSET), None]
    assert get(f"stream=a&stream=b&lastEventId={text}").places == [Stood(OFFSET), None]
    assert post({"streams": {"a": None, "b": None}, "cursor": text}).places == [Stood(OFFSET), None]
    assert get("stream=a").places is None
    with pytest.raises(InvalidOffset, match="of a read of other streams"):
        get("stream=b&stream=a", {b"last-event-id": text.encode()})


@pytest.mark.parametrize(
    ("query", "error", "says"),
    [
        ("", BadRequest, "names no stream"),
        ("stream=a&stream=b&stream=a", BadRequest, "named twice"),
        ("stream=a/*&stream=a/*", BadRequest, "named twice"),
        ("stream=", HeadwaterError, "empty"),
        ("stream=a//b", HeadwaterError, "segment that is empty"),
        ("stream=-/many", HeadwaterError, "segment '-'"),
        ("stream=a*", BadRequest, "whole segment"),
        ("stream=runs/7", StreamPrivate, "not served"),
        ("stream=runs/*", StreamPrivate, "not served"),
        ("stream=a&offset=nonsense", InvalidOffset, "not an offset"),
        ("stream=a&last=0", BadRequest, "1 to 1000"),
        ("stream=a&last=-1", BadRequest, "from 1 to 1000"),
        ("stream=a&last=5&before=now", BadRequest, "pages of one stream"),
        ("stream=a&offset=now&last=5", BadRequest, "each says where to begin"),
        ("stream=a&last=5&last=6", BadRequest, "given twice"),
        ("slow=latest&slow=replay&stream=a", BadRequest, "given twice"),
        ("slow=fast&stream=a", BadRequest, "slow"),
        ("envelope=2&stream=a", BadRequest, "takes 1"),
        ("live=sse&stream=a", BadRequest, "true or false"),
        ("stream=%ff", BadRequest, "UTF-8"),
        ("&".join(f"stream=s{index}" for index in range(MAX_BY_GET + 1)), TooManyStreams, "the limit is 32"),
    ],
)
def test_what_cannot_be_is_refused(query: str, error: type[HeadwaterError], says: str) -> None:
    with pytest.raises(error, match=says):
        get(query)


@pytest.mark.parametrize(
    ("body", "query", "error", "says"),
    [
        (b"", "", BadRequest, "not JSON"),
        (b"[1]", "", BadRequest, "JSON object"),
        (b"[" * 100_000, "", BadRequest, "not JSON"),
        (b"\xff", "", BadRequest, "not JSON"),
        (b'{"streams": {"a": null, "a": null}}', "", BadRequest, "twice"),
        ({"streams": {}}, "", BadRequest, "names no stream"),
        ({"streams": ["a"]}, "", BadRequest, "JSON object"),
        ({"streams": {"a": None}, "more": 1}, "", BadRequest, "JSON object"),
        ({"streams": {"a": None}, "cursor": 1}, "", BadRequest, "JSON object"),
        ({"streams": {"a": None}, "cursor": "x"}, "", InvalidOffset, "no cursor"),
        ({"streams": {"a": 7}}, "", BadRequest, "is an offset, null"),
        ({"streams": {"a": {"last": True}}}, "", BadRequest, "is an offset, null"),
        ({"streams": {"a": {"last": 1, "more": 2}}}, "", BadRequest, "is an offset, null"),
        ({"streams": {"a": {"last": 10**30}}}, "", BadRequest, "last"),
        ({"streams": {"runs/1": None}}, "", StreamPrivate, "not served"),
        ({"streams": {"a": None}}, "stream=b", BadRequest, "is for GET"),
        ({"streams": {"a": None}}, "offset=now", BadRequest, "is for GET"),
        ({"streams": {f"s{i}": None for i in range(MAX_STREAMS + 1)}}, "", TooManyStreams, "the limit is 1000"),
    ],
)
def test_a_post_that_cannot_be_is_refused(body: Any, query: str, error: type[HeadwaterError], says: str) -> None:
    with pytest.raises(error, match=says):
        post(body, query)


def test_a_refusal_names_the_stream() -> None:
    with pytest.raises(StreamPrivate) as caught:
        get("stream=a&stream=runs/7")
    assert caught.value.details["stream"] == "runs/7"


@pytest.mark.parametrize("value", ["null", "5"])
def test_a_refusal_is_unicode_whatever_the_name_is(value: str) -> None:
    with pytest.raises(BadRequest) as caught:
        post(b'{"streams": {"\\ud800a": %b}}' % value.encode())
    assert caught.value.details["stream"] == "?a"
    caught.value.message.encode()


def test_names_up_to_the_limits() -> None:
    assert len(get("&".join(f"stream=s{index}" for index in range(MAX_BY_GET))).names) == MAX_BY_GET
    assert len(post({"streams": {f"s{index}": None for index in range(MAX_STREAMS)}}).names) == MAX_STREAMS
