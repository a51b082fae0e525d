"""Runs for the tests: their parts, as batches of a log, and what a dialect tells of them."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.llm.encoder import RunEncoder
from headwater.llm.parts import (
    Abort,
    Error,
    Finish,
    FinishReason,
    Part,
    Reasoning,
    ReasoningEnd,
    ReasoningStart,
    Start,
    Text,
    TextEnd,
    TextStart,
    ToolInput,
    ToolReady,
    ToolStart,
    Usage,
    encode_part,
)
from headwater.llm.providers.registry import dialect
from headwater.model import Batch, Failure, Record
from headwater.protocol.cursor import Data

TEXT = "Héllo, wörld! \u2028 😀"

START = Start(id="msg-1", run="run-1", model="test-model", created=1_700_000_000, thread="chat-1")
SAYING: list[Part] = [
    START,
    TextStart("t0"),
    *(Text("t0", piece) for piece in ("Héllo, ", "wörld", "! \u2028", " 😀")),
]
SAID: list[Part] = [*SAYING, TextEnd("t0")]
USED: list[Part] = [Usage(11, 7)]

#: Thinking, a text, a call of a tool, tokens, and the finish.
FULL: list[Part] = [
    START,
    ReasoningStart("r0"),
    Reasoning("r0", "Let me "),
    Reasoning("r0", "think."),
    ReasoningEnd("r0", signature="c2lnbmVk"),
    TextStart("t1"),
    *(Text("t1", piece) for piece in ("Héllo, ", "wörld", "! \u2028", " 😀")),
    TextEnd("t1"),
    ToolStart("call-1", "weather"),
    ToolInput("call-1", '{"city": '),
    ToolInput("call-1", '"Köln"}'),
    ToolReady("call-1", "weather", {"city": "Köln"}),
    *USED,
    Finish(FinishReason.TOOL_CALLS),
]

#: How runs end: the parts of the log, and the failure of its closure.
ENDINGS: dict[str, tuple[list[Part], Failure | None]] = {
    "finished": ([*SAID, *USED, Finish()], None),
    "length": ([*SAID, *USED, Finish(FinishReason.LENGTH)], None),
    "tools": (FULL, None),
    "truncated": (
        [*SAID, Error("truncated", "the source ended without its last event (openai)")],
        Failure("truncated", "the source ended without its last event (openai)"),
    ),
    "failed": ([*SAID, Error("overloaded", "try later")], Failure("overloaded", "try later")),
    "failed, only closed": (SAYING, Failure("failed", "the source raised ValueError")),
    "stopped": ([*SAID, Abort(), Finish(FinishReason.INTERRUPTED)], Failure("stopped")),
    "stopped, only closed": (SAYING, Failure("stopped")),
    "lost": (SAYING, Failure("lost")),
    "timeout": (SAYING, Failure("timeout", "the source gave nothing for 300 seconds")),
}
BAD = ("truncated", "failed", "failed, only closed", "stopped", "stopped, only closed", "lost", "timeout")


def offset_of(number: int) -> str:
    return f"0000000000000001_{number:016d}"


def batch_of(parts: Sequence[Part], *, after: int = 0, closed: bool = True, failure: Failure | None = None) -> Batch:
    """A batch of a log whose records before it are `after` in number."""
    records = tuple(Record(offset_of(after + i + 1), encode_part(part)) for i, part in enumerate(parts))
    last = offset_of(after + len(parts))
    return Batch(offset_of(after), records, last, True, closed, "application/json", failure)


def told(name: str, parts: Sequence[Part], failure: Failure | None = None, *, ids: bool = True) -> bytes:
    """A run that has ended, as a reader of a dialect receives it who was there from its start."""
    encoder = RunEncoder(dialect(name, ids=ids))
    live = [encoder.encode(Data(batch_of([part], after=i, closed=False)), 0.0) for i, part in enumerate(parts)]
    return b"".join(live) + encoder.encode(Data(batch_of([], after=len(parts), failure=failure)), 0.0)


def told_late(name: str, parts: Sequence[Part], failure: Failure | None = None) -> bytes:
    """The same for a reader who comes after the end."""
    return RunEncoder(dialect(name)).encode(Data(batch_of(parts, failure=failure)), 0.0)
