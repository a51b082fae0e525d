"""Any bytes, cut anywhere, tell what the standard says; only TooLarge is raised, and no more than the limit is held.

Also: whatever is encoded as one event arrives as that event. Run it: python -m fuzz.fuzz_sse -runs=1000000
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from fuzz.driver import instrumented, run

with instrumented():
    from headwater.errors import TooLarge
    from headwater.protocol.sse import Parser, ServerEvent, encode_event

LIMITS = (8, 60, 1 << 20)
VECTORS = Path(__file__).parents[1] / "tests" / "protocol" / "vectors" / "sse.json"
WORDS = (
    b"data:",
    b"data",
    b"event: a",
    b"id: 1",
    b"id\n",
    b"retry: 5",
    b"\r\n",
    b"\n\n",
    b"\xef\xbb\xbf",
    b"\0",
    b": ",
)

Told = tuple[list[ServerEvent], bytes, int | None]


def parse(pieces: list[bytes], limit: int) -> tuple[Told, bool]:
    """What a parser tells, and whether it gave up; it holds no more than the limit between the pieces."""
    parser = Parser(max_event_bytes=limit)
    found: list[ServerEvent] = []
    try:
        for piece in pieces:
            found += parser.feed(piece)
            assert len(parser._rest) + len(parser._data or b"") + len(parser._event) <= limit
        parser.feed(b"")
    except TooLarge:
        return (found, parser.last_event_id, parser.retry), True
    return (found, parser.last_event_id, parser.retry), False


def reference(stream: bytes) -> Told:
    """The standard's own steps (WHATWG HTML section 9.2.6), on all bytes at once and without a limit."""
    *lines, _ = re.split(rb"\r\n|\r|\n", stream.removeprefix(b"\xef\xbb\xbf"))
    found: list[ServerEvent] = []
    data, event, buffer, last_event_id = b"", b"", b"", b""
    retry: int | None = None
    for line in lines:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not line:
            last_event_id = buffer
            if data:
                found.append(ServerEvent(data.removesuffix(b"\n"), event, buffer))
            data = event = b""
        elif name == b"data":
            data += value + b"\n"
        elif name == b"event":
            event = value
        elif name == b"id" and b"\0" not in value:
            buffer = value
        elif name == b"retry" and re.fullmatch(rb"[0-9]{1,15}", value):
            retry = int(value)
    return found, last_event_id, retry


def check(data: bytes) -> None:
    """The first two bytes choose a limit and where to cut; the rest is the stream."""
    limit = LIMITS[data[0] % 3] if data else LIMITS[2]
    step = 2 + data[1] % 16 if len(data) > 1 else 2
    stream = data[2:]
    told = parse([stream], limit)
    assert parse([stream[at : at + 1] for at in range(len(stream))], limit) == told
    assert parse([stream[at : at + step] for at in range(0, len(stream), step)], limit) == told
    expected = reference(stream)
    assert told[0][0] == expected[0][: len(told[0][0])]
    if not told[1]:
        assert told[0] == expected
    name = stream[:step].translate(None, b"\r\n\0")
    event = ServerEvent(re.sub(rb"\r\n|\r", b"\n", stream), name, name.lstrip(b" "))
    encoded = encode_event(stream, event=event.event, event_id=event.id)
    assert parse([encoded], LIMITS[2]) == (([event], event.id, None), False)


if __name__ == "__main__":
    vectors = [vector["bytes"].encode("latin-1") for vector in json.loads(VECTORS.read_text())["vectors"]]
    run(check, [bytes([number % 3, number]) + vector for number, vector in enumerate(vectors)], WORDS)
