"""TTL, dates and retention: what the headers may say, and nothing else (section 5.1)."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headwater.errors import BadRequest
from headwater.model import Expiry, Retention
from headwater.protocol.expiry import (
    MAX_AMOUNT,
    MAX_SECONDS,
    format_retention,
    parse_date,
    parse_expiry,
    parse_integer,
    parse_retention,
)

NOT_INTEGERS = [
    *("", " ", "-1", "+1", "01", "00", "1.0", "1e3", "0x10", "1_000", " 1", "1 ", "1\n", "\n1", "1\0", "abc", "∞"),
    *("٣", "²", "\uff11", "9" * 17, "9" * 5000, "1,2", "None", "true", "1;2"),
]


@pytest.mark.parametrize("number", [0, 1, 9, 10, 4294967296, MAX_AMOUNT])
def test_whole_numbers_are_read(number: int) -> None:
    """Up to the maximum, which itself is allowed."""
    assert parse_integer(str(number), name="N", maximum=MAX_AMOUNT) == number


@pytest.mark.parametrize("text", NOT_INTEGERS)
def test_other_forms_of_a_number_are_refused(text: str) -> None:
    """Signs, leading zeros, fractions, exponents, other scripts, and more digits than anything has."""
    with pytest.raises(BadRequest, match="Stream-TTL must be a whole number"):
        parse_integer(text, name="Stream-TTL", maximum=MAX_AMOUNT)


def test_a_number_above_the_maximum_is_refused() -> None:
    """The message says the limit, and quotes little of what was sent."""
    with pytest.raises(BadRequest, match="from 0 to 5, not '6'"):
        parse_integer("6", name="N", maximum=5)
    with pytest.raises(BadRequest) as caught:
        parse_integer("x" * 10_000, name="N", maximum=5)
    assert len(caught.value.message) < 120


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("2026-03-04T05:06:07Z", 1772600767.0),
        ("2026-03-04t05:06:07z", 1772600767.0),
        ("2026-03-04T05:06:07.25Z", 1772600767.25),
        ("2026-03-04T05:06:07.123456789Z", 1772600767.123456),
        ("2026-03-04T07:06:07+02:00", 1772600767.0),
        ("2016-12-31T23:59:60Z", 1483228800.0),
        ("2016-12-31T15:59:60.25-08:00", 1483228800.25),
        ("2026-03-03T23:36:07-05:30", 1772600767.0),
        ("2024-02-29T00:00:00-00:00", 1709164800.0),
        ("9999-12-31T23:59:59Z", 253402300799.0),
    ],
)
def test_dates_are_read(text: str, seconds: float) -> None:
    """RFC 3339 in all its forms, as seconds since the Unix epoch."""
    assert parse_date(text) == seconds


@given(
    moment=st.datetimes(min_value=datetime(2, 1, 1), max_value=datetime(9998, 12, 31)),
    minutes=st.integers(-23 * 60, 23 * 60),
)
def test_any_date_with_any_zone(moment: datetime, minutes: int) -> None:
    """Python's own way of writing it is understood, to the microsecond."""
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_date(aware.isoformat()) == aware.timestamp()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "now",
            "0",
            "1772600767",
            "2026-03-04",
            "2026-03-04T05:06:07",
            "2026-03-04 05:06:07Z",
            "20260304T050607Z",
        ),
        *("2026-3-4T05:06:07Z", "2026-03-04T05:06Z", "2026-03-04T05:06:07,5Z", "2026-03-04T05:06:07.Z"),
        *("2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "0000-01-01T00:00:00Z"),
        *("2026-03-04T25:00:00Z", "2026-03-04T00:60:00Z", "2026-03-04T00:00:61Z", "2026-03-04T00:00:00+0200"),
        *("2026-03-04T00:00:00+24:00", "2026-03-04T00:00:00+02", "2026-W10-3T00:00:00Z", "-2026-03-04T00:00:00Z"),
        *("2026-03-04T05:06:07Z\n", "\n2026-03-04T05:06:07Z", "2026-03-04T05:06:07Z\0", "\uff12026-03-04T05:06:07Z"),
        *("12026-03-04T05:06:07Z", "Wed, 04 Mar 2026 05:06:07 GMT", "x" * 10_000),
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    """Other formats, days that do not exist, and trailing bytes; the message quotes little."""
    with pytest.raises(BadRequest, match="RFC 3339") as caught:
        parse_date(text)
    assert len(caught.value.message) < 120


@given(text=st.text("0123456789-:.+TtZz", max_size=30) | st.text(max_size=30))
@example("0001-01-01T00:00:00+23:59")
@example("9999-12-31T23:59:59-23:59")
def test_a_date_is_read_or_refused(text: str) -> None:
    """Nothing a client writes is any other error, not even at the ends of time."""
    with contextlib.suppress(BadRequest):
        assert isinstance(parse_date(text), float)


def test_a_stream_expires_by_idleness_or_at_a_date() -> None:
    """One of the two, or never; the date is kept as it was written."""
    assert parse_expiry(None, None) == Expiry()
    assert parse_expiry("0", None) == Expiry(ttl=0)
    assert parse_expiry("3600", None) == Expiry(ttl=3600)
    assert parse_expiry(str(MAX_SECONDS), None) == Expiry(ttl=MAX_SECONDS)
    date = "1970-01-01T01:00:00+01:00"
    assert parse_expiry(None, date) == Expiry(at=0.0, at_text=date)


@pytest.mark.parametrize(
    ("ttl", "date"),
    [("1", "2026-03-04T05:06:07Z"), ("", ""), ("-1", None), (str(MAX_SECONDS + 1), None), (None, "soon"), ("", None)],
)
def test_other_expiries_are_refused(ttl: str | None, date: str | None) -> None:
    """Both at once, or one that cannot be read."""
    with pytest.raises(BadRequest):
        parse_expiry(ttl, date)


@pytest.mark.parametrize(
    ("text", "retention"),
    [
        (None, Retention()),
        ("age=1", Retention(age=1)),
        ("size=0", Retention(size=0)),
        ("count=5,age=3", Retention(age=3, count=5)),
        (" age = 1 ,\tsize=2 , count=3 ", Retention(1, 2, 3)),
        (f"age={MAX_SECONDS}, size={MAX_AMOUNT}, count={MAX_AMOUNT}", Retention(MAX_SECONDS, MAX_AMOUNT, MAX_AMOUNT)),
    ],
)
def test_retention_is_read(text: str | None, retention: Retention) -> None:
    """Any of the three, in any order, with spaces."""
    assert parse_retention(text) == retention


@pytest.mark.parametrize(
    "text",
    [
        *("", ",", "age", "age=", "=1", "1", "age=1,", ",age=1", "age=1,,size=2", "age=1 size=2", "age=1;size=2"),
        *("age=1, age=2", "Age=1", "ages=1", "age==1", "age=1=2", "age=-1", "age=1.5", "age=01", "max=1", "age=x"),
        *(f"age={MAX_SECONDS + 1}", f"size={MAX_AMOUNT + 1}", "count=" + "9" * 5000, "x" * 5000, "age=\0", "age=1\n2"),
    ],
)
def test_other_retentions_are_refused(text: str) -> None:
    """Unknown, repeated, empty and malformed; the message quotes little."""
    with pytest.raises(BadRequest, match="Stream-Retention") as caught:
        parse_retention(text)
    assert len(caught.value.message) < 160


amounts = st.none() | st.integers(0, MAX_AMOUNT)


@given(age=st.none() | st.integers(0, MAX_SECONDS), size=amounts, count=amounts)
def test_a_retention_is_written_as_it_is_read(age: int | None, size: int | None, count: int | None) -> None:
    """What HEAD tells can be sent with the next create."""
    retention = Retention(age, size, count)
    text = format_retention(retention)
    assert parse_retention(text or None) == retention
    assert (text == "") == (retention == Retention())
