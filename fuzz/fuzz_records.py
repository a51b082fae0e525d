"""Bodies of MessagePack and of Protobuf are the same records whole, byte by byte and cut anywhere, or refused alike.

And: joined, the records are the body; what is refused is told with a position in it; no record is empty.
Run it: python -m fuzz.fuzz_records -runs=200000 -max_len=100
"""

from __future__ import annotations

from fuzz.driver import instrumented, run

with instrumented():
    from headwater.errors import InvalidBody
    from headwater.protocol.delimited import MessageSplitter, message_of
    from headwater.protocol.msgpack import ValueSplitter
    from headwater.protocol.splitter import Splitter

SEEDS = (
    b"\x81\xa1a\x93\x01\x02\x03\xc0",
    b"\xdc\x00\x02\x01\x02\xde\x00\x01\xa1k\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00",
    b"\xc4\x03abc\xd9\x03abc\xc7\x02\x05ab\xd6\xff\x00\x00\x00\x01",
    b"\x00\x03abc\x00",
    b"\xac\x02" + b"x" * 300,
    b"\x01a\xff\xff\xff\xff\x07",
)
WORDS = (b"\xc1", b"\xdd\xff\xff\xff\xff", b"\xdf\x00\x00\x00\x01", b"\x80", b"\xff\xff\xff\xff\x0f", b"\x91", b"\xc6")


def outcome(splitter: Splitter, pieces: list[bytes]) -> list[bytes] | int:
    """The records; or where it is malformed."""
    found = []
    try:
        for piece in pieces:
            found += splitter.feed(piece)
        splitter.end()
    except InvalidBody as error:
        return int(error.details["position"])
    return found


def check(body: bytes) -> None:
    """However it is cut."""
    for make in (ValueSplitter, MessageSplitter):
        whole = outcome(make(), [body])
        assert outcome(make(), [body[at : at + 1] for at in range(len(body))]) == whole
        for cut in range(1, len(body), 1 + len(body) // 16):
            assert outcome(make(), [body[:cut], body[cut:]]) == whole
        if isinstance(whole, int):
            assert 0 <= whole < len(body)
            continue
        assert b"".join(whole) == body
        assert all(whole)
        if make is MessageSplitter:
            assert all(record.endswith(message_of(record)) and message_of(record) != record for record in whole)


if __name__ == "__main__":
    run(check, SEEDS, WORDS)
