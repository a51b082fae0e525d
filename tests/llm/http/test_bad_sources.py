"""Sources that are wrong: readers of every dialect are told in its words, and the log is whole.

Rule: what came before an error is there, the error is the log's last part, and other runs go on.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from typing import TYPE_CHECKING, Any

import pytest
from tests.llm.http.test_chat import JSON
from tests.llm.providers.test_frameworks import ai
from tests.llm.providers.test_recogniser import chunk
from tests.llm.readers import Seen, read

from headwater import Hub, Limits
from headwater.llm import Runs, RunState
from headwater.llm.answer import Answer
from headwater.llm.http.chat import Chat, ChatRequest
from headwater.llm.parts import OURS, Data, Error, Foreign, Part, decode_part
from headwater.llm.providers.registry import DIALECTS
from headwater.llm.runs.layout import RunInfo
from headwater.model import Record
from headwater.testing.asgi import AsgiClient

if TYPE_CHECKING:
    from tests.conftest import Run

BEFORE = "It was. "
SECRET = "my secret prompt"
SAID = chunk({"content": BEFORE})


class Raises:
    """An object that raises, in words that are nobody's business, when it is looked at."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(SECRET)


class Dumps:
    """A model that cannot be dumped."""

    def model_dump(self, **_: Any) -> Any:
        raise RuntimeError(SECRET)


def deep() -> list[Any]:
    found: list[Any] = []
    for _ in range(5000):
        found = [found]
    return found


#: What no source may yield, and what is told of it.
NONSENSE: dict[str, tuple[Any, str]] = {
    "an object": (object(), "an item of the type object"),
    "a class": (dict, "an item of the type type"),
    "nothing": (None, "an item of the type NoneType"),
    "a number": (5, "an item of the type int"),
    "a dict of nobody": ({SECRET[:2]: SECRET, 7: 1}, "a dict with the keys int, my"),
    "an object that raises": (Raises(), "RuntimeError when it was read"),
    "a model that cannot be dumped": (Dumps(), "RuntimeError when it was read"),
    "a value without a JSON form": ({"type": "data-x", "data": object()}, "a Data with a value that has no JSON form"),
    "a value that is too deep": ({"type": "data-x", "data": deep()}, "a Data with a value that has no JSON form"),
}


async def played(
    source: Callable[[], Iterable[Any]], dialect: str, limits: Limits | None = None, sent: Any = None
) -> tuple[Seen, RunInfo, list[Part]]:
    """What a reader sees of a run, how it ended, and its log."""

    async def respond(request: ChatRequest) -> AsyncIterator[Any]:
        if request.chat == "good":
            yield "Good."
            return
        for item in source():
            yield item

    async with Hub(limits=limits) as hub, Runs(hub) as runs:
        client = AsgiClient(Chat(runs, respond))
        message = {"id": "m1", "role": "user", "parts": []}
        body = {"id": "c1", "messages": [message], **(sent or {})}
        (answer, told), (_, good) = await asyncio.gather(
            client.request("POST", f"/api/chat?dialect={dialect}", json.dumps(body).encode(), JSON),
            client.request("POST", "/api/chat?dialect=text", json.dumps({**body, "id": "good"}).encode(), JSON),
        )
        assert (answer.status, good) == (200, b"Good.")
        run = answer.headers["headwater-run"]
        log: list[Record] = []
        offset = "-1"
        while not (batch := await hub.store.read(runs.places.log(run), offset, limit=10_000)).closed:
            log += batch.records
            offset = batch.next_offset
        log += batch.records
        return read(dialect, told), await runs.get(run), [decode_part(record.data) for record in log]


def check_error(dialect: str, seen: Seen, info: RunInfo, log: list[Part], said: str) -> None:
    assert info.state is RunState.FAILED
    assert said in info.message
    assert seen.text == BEFORE
    if DIALECTS[dialect].tells_ends:  # else the end is a cut
        assert said in str(seen.error)
    assert Answer(log).text == BEFORE
    assert isinstance(log[-1], Error)
    assert log[-1] == next(part for part in log if isinstance(part, Error))
    assert not [part for part in log if isinstance(part, Foreign) and part.dialect == OURS]  # which are no parts


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense(run: Run[None], name: str, dialect: str, caplog: pytest.LogCaptureFixture) -> None:
    item, said = NONSENSE[name]

    async def main() -> None:
        seen, info, log = await played(lambda: [SAID, item, chunk({"content": "after"})], dialect)
        check_error(dialect, seen, info, log, said)

    with caplog.at_level(logging.DEBUG, logger="headwater"):
        run(main())
    assert SECRET not in caplog.text


@pytest.mark.parametrize("dialect", DIALECTS)
def test_objects_of_two_frameworks(run: Run[None], dialect: str) -> None:
    """Each is read by its own family; that the one whose answer has no end is truncated, is said once and last."""
    line = {"model": "l", "created_at": "t", "message": {"content": "was. "}, "done": True}
    texts = [{"type": "text-start", "id": "t"}, {"type": "text-delta", "id": "t", "delta": "more"}]

    async def main() -> None:
        mixed = [chunk({"content": "It "}), ai(""), line]
        check_error(dialect, *await played(lambda: mixed, dialect), "without its last event (openai)")
        whole = [*mixed, *texts, chunk({}, "stop")]
        seen, info, _ = await played(lambda: whole, dialect)
        assert (seen.text, info.state, seen.error) == (f"{BEFORE}more", RunState.FINISHED, None)

    run(main())


def test_half_a_character(run: Run[None]) -> None:
    """In whatever value: it is no text, and costs nothing else."""
    half = {"type": "data-x", "data": {"\ud83d": ["a\ude00", "\\ud83d"]}}

    async def main() -> None:
        seen, info, log = await played(lambda: [SAID, half, chunk({}, "stop")], "raw")
        assert (seen.text, info.state) == (BEFORE, RunState.FINISHED)
        assert Data("x", {"\ufffd": ["a\ufffd", "\\ud83d"]}) in log

    run(main())


def large(size: int) -> list[Any]:
    """A call whose input comes in pieces."""
    value = '{"x":"' + "a" * size + '"}'
    step = size // 10
    calls = [{"index": 0, "id": "c", "function": {"name": "w", "arguments": ""}}]
    calls += [{"index": 0, "function": {"arguments": value[at : at + step]}} for at in range(0, len(value), step)]
    return [SAID, *(chunk({"tool_calls": [call]}) for call in calls), chunk({}, "tool_calls")]


def many(count: int) -> list[Any]:
    """Calls at the same time, each of whose inputs comes in two pieces."""
    opened = [{"index": n, "id": f"c{n}", "function": {"name": "w", "arguments": "{"}} for n in range(count)]
    closed = [chunk({"tool_calls": [{"index": n, "function": {"arguments": f'"n":{n}}}'}}]}) for n in range(count)]
    return [SAID, chunk({"tool_calls": opened}), *closed, chunk({}, "tool_calls")]


#: Dialects that tell calls.
CALLS = [name for name, made in DIALECTS.items() if "calls" not in made.lacks]


@pytest.mark.parametrize("dialect", CALLS)
def test_an_input_of_ten_megabytes(run: Run[None], dialect: str) -> None:
    """With its pieces it is more than one append may be; it takes several."""

    async def main() -> None:
        seen, info, log = await played(lambda: large(10_000_000), dialect)
        assert (info.state, seen.error) == (RunState.FINISHED, None)
        assert seen.tools == [("w", {"x": "a" * 10_000_000})]
        assert Answer(log).text == BEFORE

    run(main())


@pytest.mark.parametrize("dialect", CALLS)
def test_a_thousand_calls_at_once(run: Run[None], dialect: str) -> None:
    async def main() -> None:
        seen, info, _ = await played(lambda: many(1000), dialect, Limits(max_append_records=100))
        assert (info.state, seen.error) == (RunState.FINISHED, None)
        assert seen.tools == [("w", {"n": n}) for n in range(1000)]

    run(main())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_input_that_the_hub_does_not_take(run: Run[None], dialect: str) -> None:
    """Its pieces are taken, whatever the size of one; the whole is refused, by its size and the setting."""

    async def main() -> None:
        seen, info, log = await played(lambda: large(100_000), dialect, Limits(max_body_bytes=50_000))
        check_error(dialect, seen, info, log, "a ToolReady of 100")
        assert "max_body_bytes=50000" in info.message

    run(main())


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_text_that_is_larger_than_an_append(run: Run[None], dialect: str) -> None:
    text = "ü" * 100_000

    async def main() -> None:
        source = [SAID, chunk({"content": text}), chunk({}, "stop")]
        seen, info, _ = await played(lambda: source, dialect, Limits(max_body_bytes=50_000))
        assert (seen.text, info.state) == (BEFORE + text, RunState.FINISHED)

    run(main())


WRONG = [
    {"type": "start", "messageMetadata": [SECRET]},
    {"type": "text-start", "id": "t", "providerMetadata": "wrong"},
    {"type": "text-delta", "id": "t", "delta": BEFORE, "providerMetadata": ["wrong"]},
    {"type": "text-end", "id": "t", "providerMetadata": {"openai": 5}},
    {"type": "finish", "finishReason": "stop", "messageMetadata": "wrong"},
]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_metadata_that_is_no_object(run: Run[None], dialect: str) -> None:
    """No client can take it: it is left out, counted, and in the log."""

    async def main() -> None:
        seen, info, log = await played(lambda: WRONG, dialect)
        assert (seen.text, seen.error, info.state) == (BEFORE, None, RunState.FINISHED)
        assert len([part for part in log if isinstance(part, Foreign) and part.content]) == 4

    run(main())


LIES: dict[str, list[Any]] = {
    "two starts": [{"type": "start", "messageId": "a"}, SAID, {"type": "start", "messageId": "b"}, chunk({}, "stop")],
    "no string": [{"type": "start", "messageId": 5}, {"type": "start", "messageId": None}, SAID, chunk({}, "stop")],
    "another one's": [{"type": "start", "messageId": "m1"}, SAID, chunk({}, "stop")],
    "lines": [{"type": "start", "messageId": "a\n\ndata: x\r\n\r\n"}, SAID, chunk({}, "stop")],
    "large": [{"type": "start", "messageId": "a" * 100_000}, SAID, chunk({}, "stop")],
}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", LIES)
def test_message_ids_of_a_source_that_lie(run: Run[None], name: str, dialect: str) -> None:
    """None counts: who reads knows the message's id before its source says a word, and it stays."""
    continued = {"id": "mine", "role": "assistant", "parts": [{"type": "text", "text": "x"}]}

    async def main() -> None:
        for sent in ({}, {"messages": [continued]}):
            seen, info, log = await played(lambda: LIES[name], dialect, sent=sent)
            assert (seen.text.removeprefix("x"), seen.error, info.state) == (BEFORE, None, RunState.FINISHED)
            wanted = "mine" if sent else f"msg-{info.id}"
            assert Answer(log).start.id == wanted
            assert dialect not in ("ai-sdk", "ai-sdk-7") or seen.id == wanted

    run(main())


@pytest.mark.parametrize("id", [5, "", None, ["m"], "x" * 1000, "m1"])
def test_message_ids_of_a_client_that_lie(run: Run[None], id: Any) -> None:
    """An id that is none is not taken over; that of another message is, for this chat alone."""
    continued = {"id": id, "role": "assistant", "parts": [{"type": "text", "text": "x"}]}

    async def main() -> None:
        seen, info, log = await played(lambda: [SAID, chunk({}, "stop")], "ai-sdk", sent={"messages": [continued]})
        assert (seen.text.removeprefix("x"), info.state) == (BEFORE, RunState.FINISHED)
        assert (Answer(log).start.id == id) == (id == "m1")

    run(main())
