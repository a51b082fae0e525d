"""The ledger: what may happen to a stream, and that a refusal changes nothing."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

from headwater.errors import (
    ContentTypeMismatch,
    HeadwaterError,
    InvalidBody,
    InvalidProducer,
    ProducerFenced,
    ProducerGap,
    SequenceRegression,
    StreamClosed,
    StreamExists,
    StreamGone,
    StreamNotFound,
)
from headwater.model import Appended, Expiry, ForkPoint, Producer, Retention, StreamConfig
from headwater.protocol import ledger
from headwater.protocol.ledger import Accepted, Append, StreamState
from headwater.protocol.offsets import Segment, format_offset
from headwater.protocol.producers import ProducerState
from headwater.protocol.recreate import check_recreate

JSON = "application/json"


def stream(content_type: str | None = None, **fields: Any) -> StreamState:
    """A stream created at time 0 under incarnation 3."""
    config = StreamConfig(content_type, fields.pop("expiry", Expiry()), fields.pop("retention", Retention()))
    state = ledger.new_stream("a", 3, config, 0.0)
    for name, value in fields.items():
        setattr(state, name, value)
    return state


def accept(state: StreamState, known: ProducerState | None = None, **request: Any) -> Accepted:
    decision = ledger.append(state, known, Append(**request), 9.0)
    assert isinstance(decision, Accepted)
    return decision


def duplicate(state: StreamState, known: ProducerState | None = None, **request: Any) -> Appended:
    decision = ledger.append(state, known, Append(**request), 9.0)
    assert isinstance(decision, Appended)
    return decision


def refuse(
    error: type[HeadwaterError], state: StreamState, known: ProducerState | None = None, **request: Any
) -> HeadwaterError:
    """The error; whatever it is, the state is as it was."""
    before = copy.deepcopy(state)
    with pytest.raises(error) as failure:
        ledger.append(state, known, Append(**request), 9.0)
    assert state == before
    return failure.value


def test_a_new_stream() -> None:
    """A new stream is empty and open, with its own segment from 0 and the type filled in."""
    state = stream()
    assert (state.tail, state.earliest, state.closed, state.fork_position) == (0, 0, False, 0)
    assert (state.created_at, state.touched_at, state.lineage) == (0.0, 0.0, (Segment(3, 0),))
    assert state.content_type == state.config.content_type == "application/octet-stream"
    assert stream(JSON).content_type == JSON


def test_info_shows_the_state() -> None:
    """The public picture has offsets for positions, and the bytes between them."""
    expiry, retention = Expiry(ttl=5), Retention(count=2)
    info = stream("text/plain", expiry=expiry, retention=retention, tail=30, earliest=10, closed=True).info()
    assert (info.path, info.content_type, info.closed, info.created_at) == ("a", "text/plain", True, 0.0)
    assert (info.earliest, info.tail, info.size) == (format_offset(3, 10), format_offset(3, 30), 20)
    assert (info.expiry, info.retention, info.forked_from, info.incarnation) == (expiry, retention, None, 3)
    fork = stream()
    fork.config = StreamConfig(fork=ForkPoint("source"))
    assert fork.info().forked_from == "source"
    assert fork.content_type == "application/octet-stream"


def test_records_are_placed_at_the_tail() -> None:
    """An accepted append has each record's offset after it, and moves tail and last use."""
    state = stream(JSON, tail=10)
    decision = accept(state, body=b"[1, 22]", content_type="Application/JSON")
    assert decision.start == 10
    assert [(record.offset, record.data) for record in decision.records] == [
        (format_offset(3, 11), b"1"),
        (format_offset(3, 13), b"22"),
    ]
    assert decision.answer == Appended(format_offset(3, 13), closed=False)
    assert (state.tail, state.touched_at) == (13, 9.0)


def test_a_wrong_type_is_refused() -> None:
    """A body of another type is refused; without a body, or without a type, nothing is compared."""
    state = stream(JSON)
    refuse(ContentTypeMismatch, state, body=b"1", content_type="text/plain")
    accept(state, body=b"1")
    accept(state, close=True, content_type="text/plain")


def test_a_bad_body_is_refused() -> None:
    """A body that is not the type's is refused, with its producer number and Stream-Seq not used."""
    refuse(InvalidBody, stream(JSON), body=b"{", producer=Producer("p", 0, 0), seq="1", close=True)


def test_a_producers_number_goes_with_the_records() -> None:
    """An accepted request carries the producer's new state and answers with its number."""
    producer = Producer("p", 1, 4)
    decision = accept(stream(), ProducerState(1, 3), body=b"x", producer=producer)
    assert (decision.producer, decision.answer.producer) == (ProducerState(1, 4), producer)


def test_a_duplicate_is_answered_without_looking_at_it() -> None:
    """A retry counts as use and gets the highest number; neither its body nor its Stream-Seq is looked at."""
    state = stream(JSON, tail=7, last_seq="5")
    answer = duplicate(state, ProducerState(1, 3), body=b"{", producer=Producer("p", 1, 2), seq="1")
    assert answer == Appended(format_offset(3, 7), closed=False, duplicate=True, producer=Producer("p", 1, 3))
    assert (state.tail, state.touched_at) == (7, 9.0)


@pytest.mark.parametrize(
    ("error", "epoch", "seq"), [(ProducerFenced, 0, 4), (InvalidProducer, 2, 1), (ProducerGap, 1, 5)]
)
def test_a_wrong_number_is_refused(error: type[HeadwaterError], epoch: int, seq: int) -> None:
    """Old epochs, new ones that do not start at 0, and gaps change nothing."""
    refuse(error, stream(), ProducerState(1, 3), body=b"x", producer=Producer("p", epoch, seq))


def test_stream_seq_grows_in_byte_order() -> None:
    """Stream-Seq must be greater than the last one as bytes; the error names the last one."""
    state = stream()
    for seq in ("09", "1", "10", "9", "é"):
        accept(state, body=b"x", seq=seq)
    accept(state, body=b"x")
    assert state.last_seq == "é"
    for seq in ("é", "z", ""):
        assert refuse(SequenceRegression, state, body=b"x", seq=seq).details == {"last": "é"}


def test_a_close_comes_with_the_records() -> None:
    """A close is one step with its records, and is remembered with its producer."""
    state, producer = stream(), Producer("p", 0, 0)
    decision = accept(state, body=b"x", producer=producer, close=True)
    assert (state.closed, state.closed_by, decision.answer.closed) == (True, producer, True)


def test_a_closed_stream_takes_nothing() -> None:
    """An append to a closed stream is refused with the final offset, whatever else is wrong with it."""
    for wrong in ({"content_type": "text/plain"}, {"seq": "1"}, {"close": True}, {"producer": Producer("p", 0, 9)}):
        state = stream(JSON, tail=7, closed=True, last_seq="5")
        error = refuse(StreamClosed, state, body=b"{", **wrong)
        assert error.details == {"next_offset": format_offset(3, 7), "closed": True}


def test_a_close_can_be_repeated() -> None:
    """A close without a body, and the retry of the request that closed, find the stream as they want it."""
    producer = Producer("p", 0, 1)
    state = stream(tail=7, closed=True, closed_by=producer)
    closed = Appended(format_offset(3, 7), closed=True, duplicate=True)
    assert duplicate(state, close=True) == closed
    assert duplicate(state, ProducerState(0, 1), body=b"x", producer=producer, close=True) == msgspec.structs.replace(
        closed, producer=producer
    )


def test_any_producer_learns_that_a_stream_is_closed() -> None:
    """Also one of an old epoch (section 5.2.1): only the request that closed the stream is a duplicate."""
    state = stream(closed=True)
    request = {"body": b"x", "producer": Producer("p", 1, 0)}
    for known in (ProducerState(2, 0), ProducerState(1, 5), None):
        assert refuse(StreamClosed, state, known, **request).details["closed"] is True


@pytest.mark.parametrize(
    ("expiry", "end"), [(Expiry(), None), (Expiry(ttl=10), 15.0), (Expiry(at=20.0), 20.0), (Expiry(ttl=0), 5.0)]
)
def test_when_a_stream_expires(expiry: Expiry, end: float | None) -> None:
    """A TTL counts from the last use, a date from nothing; the moment itself is too late."""
    state = stream(expiry=expiry, touched_at=5.0)
    assert ledger.expires_at(state) == end
    if end is None:
        assert not ledger.is_expired(state, 1e18, ledger.nobody)
    else:
        assert not ledger.is_expired(state, end - 0.001, ledger.nobody)
        assert ledger.is_expired(state, end, ledger.nobody)


def test_what_can_be_used() -> None:
    """A stream can be used unless it is missing, expired, or deleted and kept for its forks."""
    state = stream(expiry=Expiry(ttl=10))
    assert ledger.check_usable(state, "a", 9.0, ledger.nobody) is state
    with pytest.raises(StreamNotFound, match="'b'"):
        ledger.check_usable(None, "b", 0.0, ledger.nobody)
    with pytest.raises(StreamNotFound, match="expired"):
        ledger.check_usable(state, "a", 10.0, ledger.nobody)
    state.deleted = True
    for now in (0.0, 10.0):
        with pytest.raises(StreamGone):
            ledger.check_usable(state, "a", now, ledger.nobody)


def confirm(state: StreamState, *, closed: bool = False, fork_position: int | None = None, **config: Any) -> None:
    check_recreate(state, StreamConfig(**config), closed=closed, fork_position=fork_position)


@pytest.mark.parametrize(("expiry", "kept"), [(Expiry(ttl=0), True), (Expiry(ttl=10), True), (Expiry(at=10.0), False)])
def test_who_watches_keeps_a_ttl_and_no_date(expiry: Expiry, kept: bool) -> None:
    """Asked for its path, and only when the time would be over."""
    state = ledger.new_stream("a", 1, StreamConfig(expiry=expiry), 0.0)
    asked: list[str] = []

    def watched(path: str) -> bool:
        asked.append(path)
        return True

    assert ledger.is_expired(state, 1e9, watched) is not kept
    assert asked == (["a"] if kept else [])
    assert ledger.is_expired(state, 1e9, ledger.nobody)


def test_the_last_use_only_grows() -> None:
    """A clock that is behind takes nothing away."""
    state = ledger.new_stream("a", 1, StreamConfig(expiry=Expiry(ttl=10)), 100.0)
    ledger.append(state, None, Append(b"x"), 50.0)
    assert state.touched_at == 100.0
    ledger.touch(state, 120.0)
    ledger.touch(state, 110.0)
    assert state.touched_at == 120.0


def test_the_same_create_is_confirmed() -> None:
    """A create with the same configuration passes; type parameters and a date's text do not matter."""
    state = stream("text/plain", expiry=Expiry(at=5.0, at_text="a"), retention=Retention(age=1))
    confirm(state, content_type="TEXT/plain; x=1", expiry=Expiry(at=5.0, at_text="b"), retention=Retention(age=1))
    confirm(stream())
    confirm(stream(closed=True), closed=True)


@pytest.mark.parametrize(
    ("differs", "request_"),
    [
        ("content type", {"content_type": JSON}),
        ("expiry", {"expiry": Expiry(ttl=6)}),
        ("expiry", {"expiry": Expiry(at=5.0)}),
        ("retention", {"retention": Retention(count=1)}),
        ("closure", {"closed": True}),
        ("fork source", {"fork": ForkPoint("b")}),
        ("content type, expiry", {"content_type": JSON, "expiry": Expiry(ttl=6)}),
    ],
)
def test_another_create_is_refused(differs: str, request_: dict[str, Any]) -> None:
    """A create that differs in anything is refused, and the message names all that differs."""
    with pytest.raises(StreamExists, match=f"differs in its {differs}$"):
        confirm(stream(), **request_)


def test_a_fork_is_confirmed_by_its_source_and_point() -> None:
    """A fork's create may leave out type and expiry, which it has from its source; its point must be the same."""
    state = stream(JSON)
    state.config = StreamConfig(JSON, Expiry(ttl=5), fork=ForkPoint("source"))
    state.lineage = (Segment(1, 0), Segment(3, 10))
    fork = ForkPoint("source", format_offset(1, 10))
    for position in (None, 10):
        confirm(state, fork=fork, fork_position=position)
    confirm(state, fork=fork, content_type=JSON, expiry=Expiry(ttl=5))
    with pytest.raises(StreamExists, match=r"fork point$"):
        confirm(state, fork=fork, fork_position=9)
    with pytest.raises(StreamExists, match=r"expiry$"):
        confirm(state, fork=fork, expiry=Expiry(ttl=6))
    with pytest.raises(StreamExists, match=r"fork source$"):
        confirm(state, fork=ForkPoint("other"))
    with pytest.raises(StreamExists, match=r"content type, expiry, fork source$"):
        confirm(state)
