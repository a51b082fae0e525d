"""Any request head is a command or a documented error, and nothing let in or told breaks a header.

Run it: python -m fuzz.fuzz_requests -runs=200000 -max_len=400
"""

from __future__ import annotations

from fuzz.driver import instrumented, run

with instrumented():
    from headwater.errors import HeadwaterError, error_table
    from headwater.model import Created, StreamInfo
    from headwater.protocol import names, responses
    from headwater.protocol.requests import METHODS, Command, Create, Read, Undecided, Write, parse_request

DOCUMENTED = frozenset(error_table())
HEADERS = sorted(
    {value for name, value in vars(names).items() if isinstance(value, bytes) and not name.startswith("EVENT_")}
)
OFFSET = b"0000000000000001_0000000000000002"


def head(method: bytes, path: bytes, query: bytes, headers: dict[bytes, bytes]) -> bytes:
    """A request as this fuzzer's input: lines, each header's name as one byte."""
    lines = [bytes([HEADERS.index(name)]) + value for name, value in headers.items()]
    return b"\n".join([method, path, query, *lines])


SEEDS = (
    head(b"PUT", b"a/b", b"", {names.CONTENT_TYPE: b"text/plain; a=b", names.STREAM_TTL: b"60"}),
    head(b"PUT", b"a", b"", {names.STREAM_EXPIRES_AT: b"2026-03-04T05:06:07.5+02:00", names.STREAM_CLOSED: b"true"}),
    head(b"PUT", b"a", b"", {names.STREAM_RETENTION: b"age=1, size=2, count=3"}),
    head(b"PUT", b"a", b"", {names.STREAM_FORKED_FROM: b"/v1/stream/c%20d", names.STREAM_FORK_OFFSET: OFFSET}),
    head(b"POST", b"a", b"", {names.PRODUCER_ID: b"p", names.PRODUCER_EPOCH: b"0", names.PRODUCER_SEQ: b"1"}),
    head(b"POST", b"a", b"", {names.STREAM_SEQ: b"7", names.CONTENT_TYPE: b"application/json"}),
    head(b"GET", b"a", b"offset=" + OFFSET + b"&live=sse&cursor=5", {}),
    head(b"GET", b"a", b"event=kind", {names.ACCEPT: b"text/event-stream", names.LAST_EVENT_ID: OFFSET}),
    head(b"GET", b"a", b"offset=-1", {names.ACCEPT: b"application/x-ndjson", names.IF_NONE_MATCH: b'"a:b", *'}),
    head(b"DELETE", "grüße".encode(), b"", {}),
)
WORDS = (
    *(method.encode() for method in METHODS),
    OFFSET,
    b"live=long-poll",
    b"offset=now",
    b"%0d%0a",
    b"\r\n",
    b"\0",
    b"%00",
)


def parse(data: bytes) -> Command | Undecided | HeadwaterError:
    """Method, path and query as lines, and a header in each further one; a byte 1 in a value is its line feed."""
    method, path, query, *lines = [*data.split(b"\n"), b"", b""]
    headers = {HEADERS[line[0] % len(HEADERS)]: line[1:].replace(b"\1", b"\n") for line in lines if line}
    text = path.decode(errors="surrogateescape")
    try:
        return parse_request(method.decode("latin-1"), text, query, headers, prefixes=("/v1/stream/",))
    except HeadwaterError as error:
        return error


def check(data: bytes) -> None:
    """Whatever comes in; what is refused is told in an answer."""
    command = parse(data)
    if isinstance(command, HeadwaterError):
        assert type(command) in DOCUMENTED
        assert command.message.isprintable()
        check_answer(responses.failed(command))
        return
    assert command.path.isprintable()
    match command:
        case Create(path=stream, config=config):
            kind = config.content_type or ""
            info = StreamInfo(stream, kind, "0", "0", False, 0.0, config.expiry, config.retention, None, 0, 1)
            check_answer(responses.inspected(info))
            check_answer(responses.created(Created(info, True), b""))
            assert config.fork is None or config.fork.source.isprintable()
        case Write():
            assert (command.seq or "").isprintable()
            assert command.producer is None or command.producer.id.isprintable()
        case Read():
            assert command.offset in ("-1", "now") or len(command.offset) == len(OFFSET)
            assert (command.if_none_match or "").isprintable()
        case _:
            pass


def check_answer(answer: responses.Answer) -> None:
    """No header has a second line in it."""
    for _, value in answer.headers:
        assert not set(value) & set(b"\r\n\0")


if __name__ == "__main__":
    run(check, SEEDS, WORDS)
