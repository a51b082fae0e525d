"""Live answers, cut anywhere, tell what the server meant."""

from __future__ import annotations

import pytest

from headwater.cli.failures import ExitCode, Failure
from headwater.cli.lines import MAX_LINE
from headwater.cli.wires import Alive, Closed, Ended, EventsWire, JsonLinesWire, Told, UpToDate, Wire
from headwater.errors import StreamNotFound
from headwater.model import Batch, Record
from headwater.protocol.cursor import Data, Detached, Event, Failed, Idle
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.sse_plain import PlainEvents

KINDS = {
    "application/json": (b'{"a": "\\n"}', b"[1]", b'"half \\ud83d"', '"ä"'.encode()),
    "text/plain": (b"a\nb", "ä".encode(), b" x\n"),
    "application/octet-stream": (bytes(range(256)), b"\n", b"x"),
}
WIRES: list[tuple[type[Wire], type[JsonLines | PlainEvents]]] = [
    (JsonLinesWire, JsonLines),
    (EventsWire, PlainEvents),
]


def batch(content_type: str, *, closed: bool = False) -> tuple[Data, tuple[Record, ...]]:
    records = tuple(Record(f"000000000000000{n}_0000000000000001", data) for n, data in enumerate(KINDS[content_type]))
    return Data(Batch("-1", records, records[-1].offset, True, closed, content_type)), records


def tell(wire: Wire, text: bytes, size: int) -> list[Told]:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    told = [item for piece in pieces for item in wire.feed(piece)]
    return [item for item in told if not isinstance(item, Alive | UpToDate)]


@pytest.mark.parametrize(("wire", "encoder"), WIRES)
@pytest.mark.parametrize("content_type", KINDS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100_000])
def test_records_arrive_whole_wherever_the_bytes_are_cut(
    wire: type[Wire], encoder: type[JsonLines | PlainEvents], content_type: str, size: int
) -> None:
    """What the server encodes comes out with the same bytes and offsets, and so does the end."""
    data, records = batch(content_type, closed=True)
    made = encoder(content_type)
    text = made.opening() + made.encode(data, 0)
    assert tell(wire(content_type), text, size) == [*records, Closed(records[-1].offset)]


@pytest.mark.parametrize(("wire", "encoder"), WIRES)
def test_an_unfinished_record_is_not_told(wire: type[Wire], encoder: type[JsonLines | PlainEvents]) -> None:
    """At every length short of its end the last record is held back."""
    data, records = batch("application/json")
    text = encoder("application/json").encode(data, 0)
    first_end = len(encoder("application/json").encode(Data(_only(data.batch, 1)), 0))
    for length in range(first_end):
        assert len(tell(wire("application/json"), text[:length], 5)) <= 1
    assert records[0] in tell(wire("application/json"), text, 5)


def _only(whole: Batch, count: int) -> Batch:
    return Batch(whole.offset, whole.records[:count], whole.records[count - 1].offset, False, False, whole.content_type)


@pytest.mark.parametrize(("wire", "encoder"), WIRES)
def test_the_server_says_how_it_ends(wire: type[Wire], encoder: type[JsonLines | PlainEvents]) -> None:
    """Errors become failures with their exit code; being let go is a reason to come back later."""

    def ended(event: Event) -> Failure:
        (found,) = tell(wire("text/plain"), encoder("text/plain").encode(event, 0), 10_000)
        assert isinstance(found, Ended)
        return found.failure

    gone = ended(Failed("-1", StreamNotFound("deleted")))
    assert (gone.code, gone.detail, gone.exit_code, gone.passing) == (
        "stream-not-found",
        "deleted",
        ExitCode.NOT_FOUND,
        False,
    )
    let_go = ended(Detached("-1", 2.5))
    assert (let_go.passing, let_go.retry_after) == (True, 2.5)


@pytest.mark.parametrize(("wire", "encoder"), WIRES)
def test_a_heartbeat_gives_no_place(wire: type[Wire], encoder: type[JsonLines | PlainEvents]) -> None:
    """A keepalive says that the connection lives, and nothing of where to go on."""
    assert wire("text/plain").feed(encoder("text/plain").encode(Idle("-1"), 0)) == [Alive()]


@pytest.mark.parametrize("text", [b"<html>\n", b'{"offset": 1}\n', b'{"offset":"x","base64":"?"}\n', b"[]\n"])
def test_other_lines_are_refused(text: bytes) -> None:
    """Bytes that are not Headwater's NDJSON are an error, not records."""
    with pytest.raises(Failure, match="malformed"):
        JsonLinesWire("text/plain").feed(text)


def test_a_line_without_end_is_refused() -> None:
    """A line grows only so far."""
    wire = JsonLinesWire("text/plain")
    wire.feed(b"x" * MAX_LINE)
    with pytest.raises(Failure, match="longer"):
        wire.feed(b"x")
