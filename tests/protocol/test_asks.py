"""What a command asks for: every path that it names, and nothing that it does not need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest

from headwater.model import BEGINNING, Failure, ForkPoint, Mode, StreamConfig
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.asks import Ask, Operation, asks_of
from headwater.protocol.commands import (
    Attend,
    Command,
    Create,
    Delete,
    Describe,
    Inspect,
    ListMembers,
    Preflight,
    Read,
    SendSignal,
    Undecided,
    Write,
)
from headwater.protocol.headers import Headers
from headwater.protocol.http1 import may_have_body
from headwater.protocol.requests import parse_request
from headwater.protocol.signals import Addressed

FORK = StreamConfig(fork=ForkPoint("the/source"))


def write(**fields: Any) -> Write:
    """An append to `a` with further fields."""
    return Write("a", **{"content_type": None, "producer": None, "seq": None, "close": False, **fields})


#: Of each type of command what names as many paths as it can.
EXAMPLES: dict[type, Command | Undecided] = {
    Create: Create("a", FORK, closed=True),
    Write: write(close=True, create=FORK),
    Read: Read("a", BEGINNING, Mode.CATCH_UP),
    Inspect: Inspect("a"),
    Delete: Delete("a"),
    SendSignal: SendSignal("a", "text/plain", Addressed(), None),
    Attend: Attend("a", None),
    ListMembers: ListMembers("a", "", 1),
    Describe: Describe("a", "record"),
    Preflight: Preflight("a"),
    Undecided: Undecided("a"),
}


def paths_in(value: Any) -> Iterator[str]:
    """Every path in a command, however deep."""
    if isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            inner = getattr(value, field)
            if field in ("path", "source"):
                yield inner
            yield from paths_in(inner)


def told(command: Command | Undecided, *, has_body: bool = True) -> str:
    """Asks in short: `append a, close a`."""
    return ", ".join(f"{ask.operation} {ask.path}" for ask in asks_of(command, has_body=has_body))


def test_every_command_has_asks() -> None:
    """A new type of command needs an example here, and asks there."""
    assert set(EXAMPLES) == {*get_args(Command), Undecided}


@pytest.mark.parametrize("has_body", [True, False])
@pytest.mark.parametrize("command", [found for kind, found in EXAMPLES.items() if kind is not Preflight])
def test_every_path_that_a_command_names_is_asked_for(command: Command | Undecided, has_body: bool) -> None:
    """Also the source of a fork."""
    assert {ask.path for ask in asks_of(command, has_body=has_body)} == set(paths_in(command)) != set()


def test_the_examples_name_sources() -> None:
    """So that the test above looks deep enough."""
    assert set(paths_in(EXAMPLES[Create])) == {"a", "the/source"}


def test_what_is_no_command_has_no_asks() -> None:
    """Nothing is let through because it is not known."""
    with pytest.raises(AssertionError):
        asks_of(Ask(Operation.READ, "a"))  # type: ignore[arg-type]


REQUESTS: list[tuple[str, bytes, Headers, str]] = [
    ("GET", b"", {}, "read s"),
    ("GET", b"offset=now", {}, "read s"),
    ("GET", b"offset=-1&live=long-poll", {}, "read s"),
    ("GET", b"offset=-1&live=sse", {}, "read s"),
    ("GET", b"", {b"accept": b"text/event-stream"}, "read s"),
    ("GET", b"slow=latest", {b"accept": b"application/x-ndjson"}, "read s"),
    ("GET", b"", {b"accept": b"application/json, text/event-stream"}, "read s"),
    ("HEAD", b"", {}, "read s"),
    ("OPTIONS", b"", {}, ""),
    ("DELETE", b"", {}, "delete s"),
    ("DELETE", b"", {b"if-match": b'"x:y"'}, "delete s"),
    ("PUT", b"", {}, "create s"),
    ("PUT", b"", {b"content-length": b"3", b"stream-closed": b"true"}, "create s"),
    ("PUT", b"", {b"stream-forked-from": b"/v1/stream/other/s"}, "create s, read other/s"),
    ("PUT", b"", {b"stream-forked-from": b"s"}, "create s, read s"),
    ("POST", b"", {b"content-length": b"3"}, "append s"),
    ("POST", b"", {b"transfer-encoding": b"chunked"}, "append s"),
    ("POST", b"", {b"content-length": b"3", b"stream-closed": b"true"}, "append s, close s"),
    ("POST", b"", {b"transfer-encoding": b"chunked", b"stream-closed": b"true"}, "append s, close s"),
    ("POST", b"", {b"content-length": b"3", b"stream-closed": b"no"}, "append s"),
    ("POST", b"", {b"content-length": b"3", b"stream-failure": b"cut-off"}, "append s, close s"),
    ("POST", b"", {b"stream-closed": b"true"}, "close s"),
    ("POST", b"", {b"content-length": b"0", b"stream-closed": b"TRUE"}, "close s"),
    ("POST", b"", {b"stream-failure": b"cut-off"}, "close s"),
    ("POST", b"", {b"stream-failure": b"cut-off", b"stream-closed": b"false"}, "close s"),
    ("POST", b"", {b"content-length": b"3", b"stream-create": b"true"}, "append s, create s"),
    ("POST", b"", {b"stream-closed": b"true", b"stream-create": b"true"}, "close s, create s"),
    (
        "POST",
        b"",
        {b"content-length": b"3", b"stream-closed": b"true", b"stream-create": b"true"},
        "append s, close s, create s",
    ),
    # Refused later, for it has nothing to do; until then it must not be free.
    ("POST", b"", {}, "append s"),
    ("POST", b"", {b"content-length": b"0", b"stream-create": b"true"}, "append s, create s"),
]


@pytest.mark.parametrize(("method", "query", "headers", "asks"), REQUESTS)
def test_a_request_asks_for_what_it_does(method: str, query: bytes, headers: Headers, asks: str) -> None:
    """By the head alone, with `may_have_body` for HTTP/1."""
    command = parse_request(method, "s", query, headers, prefixes=("/v1/stream/",))
    assert told(command, has_body=may_have_body(headers)) == asks


def test_where_nobody_can_tell_there_is_a_body() -> None:
    """A close alone is the only one that asks for less when it is known that no body follows."""
    closing = write(close=True)
    assert told(closing) == "append a, close a"
    assert told(closing, has_body=False) == "close a"
    for command in EXAMPLES.values():
        assert set(asks_of(command, has_body=False)) <= set(asks_of(command))


def test_a_failure_is_an_end() -> None:
    """Also where a program gives it without `close`."""
    assert told(write(failure=Failure("cut-off")), has_body=False) == "close a"


def test_operations_have_the_names_of_grants() -> None:
    """In tokens, settings and logs."""
    names = "read append close create delete signal presence list revoke"
    assert [*map(str, Operation)] == names.split()


def test_anybody_is_nobody_in_particular() -> None:
    """Without a name and without an end; who has a name is somebody else."""
    assert Access(None) == ANYBODY
    assert (ANYBODY.subject, ANYBODY.expires) == (None, None)
    assert Access("u42", expires=1_796_000_300.5) != Access("u42") != ANYBODY
