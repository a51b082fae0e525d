"""What a dialect has no place for is told with its last event, counted, and kept in the log.

Rule: of every part of an answer the reader is told either the part, or that there was one of its kind.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from tests.llm.readers import values
from tests.llm.sample_runs import START, batch_of, told, told_late
from tests.llm.test_encoder import live

from headwater.llm.encoder import RunEncoder
from headwater.llm.parts import (
    Abort,
    Data,
    Error,
    File,
    Finish,
    Foreign,
    Part,
    Reasoning,
    ReasoningEnd,
    ReasoningStart,
    Source,
    Text,
    TextEnd,
    TextStart,
    ToolApproval,
    ToolError,
    ToolInput,
    ToolOutput,
    ToolReady,
    ToolStart,
)
from headwater.llm.providers.left_out import KINDS, kind_of
from headwater.llm.providers.registry import DIALECTS, dialect
from headwater.protocol import cursor

#: What stands in a part, and nowhere else.
MARK = "TWFyaw=="
TEXT: list[Part] = [TextStart("t"), Text("t", "Hi")]
CALL = ToolReady("c", "city", {})
HOSTED = ToolReady("c", "search", {}, provider_executed=True)
#: Parts of each kind, in every way in which a source can give them; the marked one is looked for.
WAYS: dict[str, list[Part]] = {
    "thinking": [ReasoningStart("r"), Reasoning("r", MARK), ReasoningEnd("r")],
    "thinking that is sealed": [ReasoningStart("r"), Reasoning("r", MARK), ReasoningEnd("r", signature="s")],
    "a call": [ToolReady("c", MARK, {})],
    "a call's input": [ToolReady("c", "city", {"city": MARK})],
    "a call that grows": [
        *(ToolStart("c", "city"), ToolInput("c", f'"{MARK}'), ToolInput("c", '"')),
        ToolReady("c", "city", MARK),
    ],
    "an input that is no object": [ToolReady("c", "city", MARK)],
    "an input that is no JSON": [ToolError("c", "no", "city", MARK)],
    "a call that the provider runs": [ToolReady("c", "search", {"q": MARK}, provider_executed=True)],
    "a result": [CALL, ToolOutput("c", {"sky": MARK})],
    "a result that replaces one": [CALL, ToolOutput("c", 1, preliminary=True), ToolOutput("c", MARK)],
    "a result of the provider's": [HOSTED, ToolOutput("c", {"sky": MARK})],
    "a call that failed": [CALL, ToolError("c", MARK)],
    "a call of the provider's that failed": [HOSTED, ToolError("c", MARK)],
    "an approval": [CALL, ToolApproval(MARK, "c")],
    "a page": [*TEXT, Source("s", f"https://{MARK}.example")],
    "a page before its text": [Source("s", f"https://{MARK}.example"), *TEXT],
    "a page without a text": [Source("s", f"https://{MARK}.example")],
    "a document": [*TEXT, Source("s", "", MARK, "text/plain")],
    "a document without a text": [Source("s", "", MARK, "text/plain")],
    "an image": [File(f"data:image/png;base64,{MARK}", "image/png")],
    "an image by its URL": [File(f"https://{MARK}.example/a.png", "image/png")],
    "an image of the thinking": [File(f"data:image/png;base64,{MARK}", "image/png", reasoning=True)],
    "a file": [File(f"data:application/pdf;base64,{MARK}", "application/pdf")],
    "a file by its URL": [File(f"https://{MARK}.example/a.pdf", "application/pdf")],
    "a file of the thinking": [File(f"https://{MARK}.example/a.pdf", "application/pdf", reasoning=True)],
    "a file that the provider keeps": [
        Source(MARK, "", MARK, "application/octet-stream", MARK, {"headwater": {"is_file": True}})
    ],
    "data": [Data("x", MARK, "d")],
    "data that is replaced": [Data("x", 1, "d"), Data("x", MARK, "d")],
    "an event of another provider": [Foreign("klingon", {"type": MARK}, content=True)],
    "redacted thinking": [ReasoningStart("r", redacted=MARK), ReasoningEnd("r")],
}
ENDS: dict[str, Part] = {"finish": Finish(), "error": Error("overloaded", "later"), "stop": Abort()}


def marked(run: list[Part]) -> Part:
    """The last part with the mark."""
    return next(part for part in reversed(run) if MARK in repr(part))


def found(value: Any) -> list[Any]:
    """What stands in any object of a value as ours."""
    if isinstance(value, list):
        return [one for item in value for one in found(item)]
    if not isinstance(value, dict):
        return []
    here = [value["left_out"]] if "left_out" in value else []
    return here + [one for item in value.values() for one in found(item)]


def counted(name: str, run: list[Part]) -> dict[str, int]:
    """What is counted as left out of a run, by its kind."""
    counts: Counter[str] = Counter()
    RunEncoder(dialect(name), left_out=counts).encode(cursor.Data(batch_of(run)), 0.0)
    return {key.removeprefix(f"{name}: "): count for key, count in counts.items()}


def told_left_out(name: str, body: bytes) -> list[Any]:
    return found(values(name, body)) if DIALECTS[name].tells_ends else []


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", DIALECTS)
def test_a_part_is_told_or_counted(name: str, way: str, end: str) -> None:
    """And what is counted is told with the end, the same to who was there and to who comes late."""
    run = [START, *WAYS[way], *([TextEnd("t")] if TEXT[0] in WAYS[way] else []), ENDS[end]]
    kind = kind_of(marked(run)) or "calls"
    counts = counted(name, run)
    for body in (told(name, run), told_late(name, run)):
        is_told = MARK.encode() in body or MARK.lower().encode() in body
        assert is_told != (kind in counts), body
        if DIALECTS[name].tells_ends and not DIALECTS[name].keeps_records:
            assert told_left_out(name, body) == ([counts] if counts else [])
    assert counts.keys() <= DIALECTS[name].lacks


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_lacks_what_it_says(name: str) -> None:
    """Nothing that it always tells is in the list."""
    seen = {kind for way in WAYS for kind in counted(name, [START, *WAYS[way], Finish()])}
    assert seen == DIALECTS[name].lacks


#: All of the above, and what is no loss: what goes by, and what stands beside the answer.
EVERYTHING: list[Part] = [
    START,
    *TEXT,
    *(part for way in WAYS.values() for part in way if part not in TEXT),
    Data("gone", 3, transient=True),
    Foreign("klingon", {"type": "beside it"}),
    Finish(),
]


@pytest.mark.parametrize("name", DIALECTS)
def test_readers_at_one_place_are_alike(name: str) -> None:
    for count in range(1, len(EVERYTHING)):
        early, late = RunEncoder(dialect(name)), RunEncoder(dialect(name))
        live(early, EVERYTHING[:count])
        late.encode(cursor.Data(batch_of(EVERYTHING[:count], closed=False)), 0.0)
        assert early.state() == late.state(), count


@pytest.mark.parametrize("name", DIALECTS)
def test_where_nothing_is_left_out_nothing_is_told(name: str) -> None:
    assert told_left_out(name, told(name, [START, Text("t", "Hi"), Finish()])) == []
    own = DIALECTS[name].relays
    if own:
        event = {"type": "tool-approval-request"} if own == "ai-sdk" else {"type": "own"}
        run: list[Part] = [START, Foreign(own.removesuffix("-array"), event, content=True), Finish()]
        assert told_left_out(name, told(name, run)) == []


def test_what_only_a_later_version_knows_is_left_out() -> None:
    custom: list[Part] = [START, Foreign("ai-sdk", {"type": "custom", "kind": "a.b"}, content=True), Finish()]
    assert told_left_out("ai-sdk", told("ai-sdk", custom)) == [{"foreign": 1}]
    assert told_left_out("ai-sdk-7", told("ai-sdk-7", custom)) == []


def test_each_is_counted_once() -> None:
    """Thinking is one, however it grows; so is a value that is replaced; what goes by is none."""
    thought: list[Part] = [ReasoningStart("r"), *(Reasoning("r", "a") for _ in range(3)), ReasoningEnd("r")]
    assert counted("text", [START, *thought, *thought, Finish()]) == {"thinking": 2}
    assert counted("text", [START, Data("x", 1, "d"), Data("x", 2, "d"), Data("x", 2, "e"), Finish()]) == {"data": 2}
    gone: list[Part] = [Data("x", 1, transient=True), ToolOutput("c", 1, preliminary=True), Foreign("k", {"a": 1})]
    assert counted("text", [START, *gone, Finish()]) == {}
    assert {kind for name in DIALECTS for kind in DIALECTS[name].lacks} == KINDS.keys()
