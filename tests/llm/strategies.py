"""Parts and runs for property tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from headwater.llm.parts import (
    Abort,
    Data,
    Error,
    File,
    Finish,
    FinishReason,
    Foreign,
    Metadata,
    Part,
    Raw,
    Reasoning,
    ReasoningEnd,
    ReasoningStart,
    Source,
    Start,
    StepFinish,
    StepStart,
    Text,
    TextEnd,
    TextStart,
    ToolApproval,
    ToolError,
    ToolInput,
    ToolOutput,
    ToolReady,
    ToolStart,
    Usage,
)
from headwater.llm.providers.recogniser import Recogniser
from headwater.llm.providers.registry import DIALECTS

words = st.text(st.characters(codec="utf-8"), max_size=6)
deltas = st.text(st.characters(codec="utf-8"), min_size=1, max_size=6)
ids = st.sampled_from(["a", "b"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
objects = st.dictionaries(st.sampled_from(["x", "y"]), values, max_size=2)
#: What dialects look for in metadata, and anything in its place.
_HINTS = ["told", "fields", "names", "id", "legacy", "is_file", "no_output"]
_OWN = ["type", "itemId", "item", "annotation", "image", "citation", "own", "citations", "content"]
metadata = (
    st.none()
    | objects
    | st.dictionaries(
        st.sampled_from(["headwater", "openai", "openai-responses", "anthropic"]),
        st.dictionaries(st.sampled_from(_HINTS + _OWN), values, max_size=3) | values,
        max_size=2,
    )
)
#: Events as dialects tell them again.
_kinds = ["response", "response.output_item.added", "response.output_item.done", "content_block_start"]
_kinds += ["content_block_delta", "content_block_stop", "response.x.delta", "error"]
_event = st.fixed_dictionaries(
    {"type": st.sampled_from(_kinds) | words},
    optional=dict.fromkeys(("item", "item_id", "response", "choices", "index", "content_block", "delta"), values),
)
tokens = st.none() | st.integers(0, 1000)

#: A strategy for each kind of part.
PARTS: dict[type, st.SearchStrategy[Any]] = {
    Start: st.builds(Start, words, words, words, st.integers(0, 2**31), words, metadata),
    Metadata: st.builds(Metadata, objects),
    TextStart: st.builds(TextStart, ids, st.booleans(), metadata),
    Text: st.builds(Text, ids, deltas),
    TextEnd: st.builds(TextEnd, ids, metadata),
    ReasoningStart: st.builds(ReasoningStart, ids, st.booleans(), st.none() | words, metadata),
    Reasoning: st.builds(Reasoning, ids, deltas),
    ReasoningEnd: st.builds(ReasoningEnd, ids, st.none() | words, st.none() | words, metadata),
    ToolStart: st.builds(ToolStart, ids, words, st.booleans(), st.booleans(), st.booleans(), words, metadata),
    ToolInput: st.builds(ToolInput, ids, deltas),
    ToolReady: st.builds(
        ToolReady, ids, words, values, st.booleans(), st.booleans(), st.just(""), st.just(None) | metadata
    ),
    ToolOutput: st.builds(ToolOutput, ids, values, st.booleans(), metadata | st.just({"kind": "x_tool_result"})),
    ToolError: st.builds(ToolError, ids, words, words, values, st.booleans(), metadata),
    ToolApproval: st.builds(ToolApproval, ids, ids, metadata),
    Source: st.builds(Source, ids, words, words, words, words, metadata, tokens, tokens),
    File: st.builds(File, words, words, st.booleans(), metadata),
    Data: st.builds(Data, st.sampled_from(["d", "e"]), values, st.sampled_from(["", "1"]), st.booleans()),
    StepStart: st.just(StepStart()),
    StepFinish: st.just(StepFinish()),
    Usage: st.builds(Usage, tokens, tokens, st.none() | st.dictionaries(ids, st.integers(0, 9), max_size=2), metadata),
    Error: st.builds(Error, words, words, metadata),
    Abort: st.builds(Abort, words),
    Finish: st.builds(Finish, st.sampled_from(FinishReason), words, st.sampled_from(["", "openai"]), words, metadata),
    Raw: st.builds(Raw.of, st.just("nobody"), st.binary(max_size=8)),
    Foreign: st.builds(Foreign, st.sampled_from(["ai-sdk", "x"]), values)
    | st.builds(Foreign, st.sampled_from(list(DIALECTS)), _event),
}

#: Parts in any order: what a source could do at its worst.
anything: st.SearchStrategy[list[Part]] = st.lists(st.one_of(*PARTS.values()), max_size=30)

_TEXTS = (Text, TextStart, TextEnd, Reasoning, ReasoningStart, ReasoningEnd)
_TOOLS = (ToolStart, ToolInput, ToolReady, ToolOutput, ToolError)
#: What a client does something with besides, at its place.
_OTHER = (StepStart, StepFinish, Usage, Source, File)
#: Chunks of the AI SDK that stay chunks.
_APPROVALS = st.builds(
    lambda kind, id: {"type": f"tool-approval-{kind}", "approvalId": id, "toolCallId": id, "approved": True},
    st.sampled_from(["request", "response"]),
    ids,
)


@st.composite
def runs(draw: st.DrawFn) -> list[Part]:
    """A run as a recogniser writes it: opened before it grows, one text and one thinking at a time, and a finish."""
    start = Start(id="msg-1", run="run-1", model="m", created=1)
    recogniser = Recogniser(start)
    parts: list[Part] = [start]
    texts = st.one_of(*(PARTS[kind] for kind in _TEXTS))
    tools = st.one_of(*(PARTS[kind] for kind in _TOOLS), _APPROVALS)
    others = st.one_of(*(PARTS[kind] for kind in _OTHER))
    last: dict[type, str] = {}
    for item in draw(st.lists(texts | tools | others, max_size=25)):
        family = Text if isinstance(item, Text | TextStart | TextEnd) else Reasoning
        if isinstance(item, _TEXTS) and last.get(family, item.id) != item.id:
            end = TextEnd if family is Text else ReasoningEnd
            parts += recogniser.feed(end(last[family]))
        if isinstance(item, _TEXTS):
            last[family] = item.id
        parts += recogniser.feed(item)
    return [*parts, *recogniser.finish()]
