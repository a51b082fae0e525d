"""Runs as the hub delivers them: late, resumed, proxied, and at every kind of end."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from tests.llm.providers.test_wire import VECTORS
from tests.llm.readers import events, read
from tests.llm.sample_runs import (
    FULL,
    SAID,
    SAYING,
    START,
    TEXT,
    batch_of,
    offset_of,
    told,
    told_late,
)

from headwater.errors import StoreUnavailable
from headwater.llm.encoder import RunEncoder
from headwater.llm.parts import Error, Finish, Foreign, Part, Raw, Text, TextStart
from headwater.llm.providers.registry import DIALECTS, dialect
from headwater.model import BEGINNING, Batch, Failure, Record
from headwater.protocol.cursor import Data, Detached, Failed, Gap, Idle

SSE = [name for name, made in DIALECTS.items() if made.media_type == b"text/event-stream" and name != "gemini"]
#: Dialects whose events can be put together again after any cut.
PROVIDERS = ["openai", "openai-responses", "anthropic", "ai-sdk"]


def live(encoder: RunEncoder, parts: list[Part], after: int = 0) -> bytes:
    return b"".join(
        encoder.encode(Data(batch_of([part], after=after + i, closed=False)), 0.0) for i, part in enumerate(parts)
    )


@pytest.mark.parametrize("name", DIALECTS)
def test_what_the_encoder_says_of_itself(name: str) -> None:
    encoder = RunEncoder(dialect(name))
    assert encoder.media_type == dialect(name).media_type
    assert encoder.headers == dialect(name).headers
    assert encoder.opening() == b""
    assert not encoder.must_cut


@pytest.mark.parametrize("name", [name for name in SSE if name != "raw"])
def test_who_comes_late_gets_one_delta(name: str) -> None:
    """All text so far at once, then the live tail; the same message."""
    encoder = RunEncoder(dialect(name))
    first = encoder.encode(Data(batch_of(SAYING, closed=False)), 0.0)
    assert sum("wörld" in data for _, data, _ in events(first)) == 1
    assert read(name, first).text == TEXT
    rest = live(encoder, [Text("t0", "!"), Finish()], after=len(SAYING))
    rest += encoder.encode(Data(batch_of([], after=len(SAYING) + 2)), 0.0)
    assert read(name, first + rest).text == TEXT + "!"


@pytest.mark.parametrize("name", DIALECTS)
def test_readers_who_stand_at_the_same_place_can_share(name: str) -> None:
    """From the start, late, or resumed: the state is the same, and so are the bytes from then on."""
    early, late = RunEncoder(dialect(name)), RunEncoder(dialect(name))
    resumed = RunEncoder(dialect(name), resume_at=offset_of(3))
    live(early, SAYING)
    late.encode(Data(batch_of(SAYING, closed=False)), 0.0)
    resumed.encode(Data(batch_of(SAYING, closed=False)), 0.0)
    assert early.state() == late.state() == resumed.state()
    last = Data(batch_of([Text("t0", "!")], after=len(SAYING)))
    assert early.encode(last, 0.0) == late.encode(last, 0.0) == resumed.encode(last, 0.0)
    assert RunEncoder(dialect(name)).state() != RunEncoder(dialect(name), resume_at=offset_of(3)).state()


@pytest.mark.parametrize("name", DIALECTS)
def test_who_has_the_message_before_can_share_behind_the_start(name: str) -> None:
    """The one that asked and the others that watch are told the same from then on, and so are given the same bytes."""
    asked, watching = RunEncoder(dialect(name), has_earlier=True), RunEncoder(dialect(name))
    assert asked.state() != watching.state()
    for encoder in (asked, watching):
        live(encoder, [START])
    assert asked.state() == watching.state()


def test_later_batches_are_joined() -> None:
    """A reader who lags gets few events, each with the offset of its last record."""
    encoder = RunEncoder(dialect("plain"))
    encoder.encode(Data(batch_of([START, TextStart("t0")], closed=False)), 0.0)
    body = encoder.encode(Data(batch_of([Text("t0", str(i)) for i in range(10)], after=2, closed=False)), 0.0)
    assert body == b'id: %b\ndata: {"content":"0123456789"}\n\n' % offset_of(12).encode()


@pytest.mark.parametrize("name", SSE)
@pytest.mark.parametrize("seed", range(4))
def test_a_message_put_together_from_many_cuts(name: str, seed: int) -> None:
    """Resumed again and again at random places, what a client keeps (events up to the last id) is the message."""
    dice = random.Random(seed)
    kept: list[tuple[str, str, str]] = []
    at: str | None = None
    for _ in range(30):
        encoder = RunEncoder(dialect(name), resume_at=at)
        body = b""
        position = 0
        while position < len(FULL):
            size = dice.randint(1, 4)
            batch = batch_of(FULL[position : position + size], after=position, closed=position + size >= len(FULL))
            body += encoder.encode(Data(batch), 0.0)
            position += size
        cut = dice.randint(0, len(body))
        seen = events(body if at and dice.random() < 0.2 else body[:cut])
        ends = [i for i, event in enumerate(seen) if event[2] and (i == 0 or seen[i - 1][2] != event[2])]
        if len(seen) == len(events(body)):
            kept += seen
            break
        if ends:
            kept += seen[: ends[-1] + 1]
            at = seen[ends[-1]][2]
    else:
        kept += events(RunEncoder(dialect(name), resume_at=at).encode(Data(batch_of(FULL)), 0.0))
    again = b"".join((b"event: %b\n" % n.encode() if n else b"") + b"data: %b\n\n" % d.encode() for n, d, _ in kept)
    seen_again, whole = read(name, again), read(name, told(name, FULL, ids=False))
    assert seen_again == whole


@pytest.mark.parametrize("resume_at", [None, BEGINNING])
def test_from_the_beginning_is_no_resume(resume_at: str | None) -> None:
    assert RunEncoder(dialect("plain"), resume_at).encode(Data(batch_of(SAID)), 0.0) == told_late("plain", SAID)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_client_that_had_everything_gets_the_end(name: str) -> None:
    """Resumed at the tail of a closed run: the last event alone."""
    encoder = RunEncoder(dialect(name), resume_at=offset_of(len(SAID)))
    body = encoder.encode(Data(batch_of(SAID)), 0.0)
    assert b'"delta":"' not in body
    assert b'"content":"' not in body.replace(b'"content":""', b"")
    assert b"rror" not in body.replace(b'"error":null', b"")
    assert (body == b"") == (name == "text")


@pytest.mark.parametrize("name", DIALECTS)
def test_an_idle_reader_is_kept(name: str) -> None:
    assert RunEncoder(dialect(name)).encode(Idle(offset_of(1)), 0.0) == dialect(name).keepalive()


@pytest.mark.parametrize("name", DIALECTS)
@pytest.mark.parametrize(
    ("event", "message"),
    [
        (Detached(offset_of(5), 1.0), "connect again"),
        (Failed(offset_of(5), StoreUnavailable("the disk is full")), "the disk is full"),
        (Gap(offset_of(1), offset_of(3), offset_of(3)), "too slow"),
    ],
    ids=["detached", "failed", "gap"],
)
def test_what_is_not_the_end_of_the_run_is_an_error(name: str, event: Detached | Failed | Gap, message: str) -> None:
    """A drain, an error of the store, records that were left out: never a success, and nothing follows."""
    encoder = RunEncoder(dialect(name))
    body = live(encoder, SAYING) + encoder.encode(event, 0.0)
    seen = read(name, body)
    assert seen.text == TEXT
    if name == "text":
        assert encoder.must_cut
    else:
        assert message in (seen.error or "")
    assert encoder.encode(Data(batch_of([Text("t0", "more")], after=9)), 0.0) == b""


def test_the_failure_of_a_closed_log_is_told() -> None:
    assert read("plain", told("plain", SAYING, Failure("lost"))).error is not None
    assert read("plain", told("plain", SAYING, Failure("x", "why"))).error == "why"


def proxied(name: str, body: bytes, size: int = 50) -> list[Part]:
    return [START, *(Raw.of(name, body[i : i + size]) for i in range(0, len(body), size))]


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("size", [1, 50, 10_000])
def test_a_proxied_run_is_passed_byte_by_byte(name: str, size: int) -> None:
    """In its own dialect, to a reader from the start and to a late one."""
    parts = proxied(name, VECTORS[name], size)
    opening = b'data: {"type":"start","messageId":"msg-1"}\n\n' if name == "ai-sdk" else b""
    late = RunEncoder(dialect(name, ids=False)).encode(Data(batch_of(parts)), 0.0)
    assert told(name, parts, ids=False) == late == opening + VECTORS[name]


@pytest.mark.parametrize("name", PROVIDERS)
def test_whole_events_of_a_provider_carry_their_offset(name: str) -> None:
    """A client of the proxy comes back with the last id; pieces of an event carry none."""
    blocks = [block + b"\n\n" for block in VECTORS[name].split(b"\n\n")[:-1]]
    body = told(name, [START, *(Raw.of(name, block) for block in blocks)])
    relayed = events(body)[1:] if name == "ai-sdk" else events(body)
    assert [offset for _, _, offset in relayed] == [offset_of(i + 2) for i in range(len(blocks))]
    assert b"id: " not in told(name, [START, *(Raw.of(name, block[:9]) for block in blocks)])[60:]


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "raw"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_proxied_run_is_seen_in_every_dialect(name: str, provider: str) -> None:
    """Live and late; cut anywhere by the provider's connection."""
    for size in (7, 10_000):
        parts = proxied(provider, VECTORS[provider], size)
        for body in (told(name, parts), told_late(name, parts)):
            seen = read(name, body)
            assert (seen.text, seen.error) == (TEXT, None)


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "raw"])
@pytest.mark.parametrize("provider", ["openai", "openai-responses", "anthropic"])
def test_a_proxied_run_that_is_cut_is_an_error_in_every_dialect(name: str, provider: str) -> None:
    """With a failure of the log, and without one."""
    body = VECTORS[provider]
    cut = body[: body.index("wörld".encode())]
    cut = cut[: cut.rindex(b"\n\n") + 2]
    parts = proxied(provider, cut)
    for failure in (None, Failure("lost"), Failure("truncated", "cut")):
        for made in (told, told_late):
            seen = read(name, made(name, parts, failure))
            if name != "text":
                assert seen.error
                assert seen.finish in (None, "failed")
    encoder = RunEncoder(dialect("text"))
    encoder.encode(Data(batch_of(parts)), 0.0)
    assert encoder.must_cut


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_error_of_ours_behind_raw_bytes_is_told_once(provider: str) -> None:
    """The run's own error part, and the failure of its log."""
    body = VECTORS[provider]
    cut = body[: body.index("wörld".encode())]
    parts = [*proxied(provider, cut[: cut.rindex(b"\n\n") + 2]), Error("truncated", "it broke off")]
    told_once = told(provider, parts, Failure("truncated", "it broke off"))
    assert told_once.count(b"it broke off") == (2 if provider == "openai-responses" else 1)
    assert sum("it broke off" in data for _, data, _ in events(told_once)) == 1


def test_the_end_of_a_provider_needs_no_other() -> None:
    """After its own error too."""
    parts = proxied("anthropic", VECTORS["anthropic-error"])
    assert told("anthropic", parts, Failure("failed")).endswith(VECTORS["anthropic-error"])


def test_records_that_are_no_parts_are_left_out() -> None:
    """Somebody appended to the log; only `raw` shows it."""
    records = tuple(Record(offset_of(i + 1), data) for i, data in enumerate([b'{"a":1}', b"5"]))
    batch = Batch(offset_of(0), records, offset_of(2), True, True, "application/json")
    for name in ("plain", "openai", "ai-sdk", "anthropic", "ag-ui", "openai-responses"):
        body = RunEncoder(dialect(name)).encode(Data(batch), 0.0)
        assert body
        assert b'"a":1' not in body
    assert b'data: {"a":1}\n\n' in RunEncoder(dialect("raw")).encode(Data(batch), 0.0)
    assert b"5" not in told("plain", [Foreign("x", 5)])


@pytest.mark.parametrize("stop", ["max_tokens", "tool_use", "refusal"])
def test_why_a_proxied_answer_ended_is_told_in_other_dialects(stop: str) -> None:
    """The log's own finish, which knows no reason, does not stand before it."""
    events: list[dict[str, Any]] = [
        {
            "type": "message_start",
            "message": {"id": "m", "model": "m", "usage": {"input_tokens": 1, "output_tokens": 1}},
        },
        {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    ]
    raw = b"".join(b"event: %b\ndata: %b\n\n" % (e["type"].encode(), json.dumps(e).encode()) for e in events)
    word = {"max_tokens": "length", "tool_use": "tool-calls", "refusal": "content-filter"}[stop]
    assert read("ai-sdk", told("ai-sdk", [START, Raw.of("anthropic", raw), Finish()])).finish == word
