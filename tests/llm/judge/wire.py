"""How providers spell their streams: events of each API as bytes, from the fewest values that make a case."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

Json = dict[str, Any]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A response of a provider.

    Attributes:
        name: unique; the model that is asked for.
        api: `chat`, `messages` or `responses`.
        about: the kind of part, or of form, that it is about.
        pieces: the body; each is an HTTP chunk.
        threads: where people met it.
        status: of the response.
        media_type: of the response; None: it has none.
        coding: the content coding of the body, though nobody asked for one.
        cut: the connection ends within the body.
        truncated: the body ends, and the answer was not over.
        unfinished: chat completions without a finish reason.
        tells: an error that the SDK takes for an event of the answer; runs tell it as an error.
    """

    name: str
    api: str
    about: str
    pieces: tuple[bytes, ...]
    threads: str = ""
    status: int = 200
    media_type: str | None = "text/event-stream"
    coding: str = ""
    cut: bool = False
    truncated: bool = False
    unfinished: bool = False
    tells: str = ""

    @property
    def breaks_off(self) -> bool:
        """Not all of the answer came."""
        return self.cut or self.truncated


def dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def data(value: Any) -> bytes:
    """An event without a name."""
    return f"data: {value if isinstance(value, str) else dumped(value)}\n\n".encode()


def named(event: Json) -> bytes:
    """An event with the name that its type is."""
    return f"event: {event['type']}\ndata: {dumped(event)}\n\n".encode()


# Chat completions

DONE = data("[DONE]")


def chunk(delta: Json | None = None, finish: str | None = None, **more: Any) -> Json:
    """A chunk with one choice."""
    return {**head(), "choices": [choice(delta, finish)], **more}


def head() -> Json:
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def choice(delta: Json | None = None, finish: str | None = None, index: int = 0) -> Json:
    return {"index": index, "delta": delta or {}, "finish_reason": finish}


def text(content: str) -> Json:
    return chunk({"content": content})


def used(**more: Any) -> Json:
    """The chunk with the tokens."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3, **more}
    return {**head(), "choices": [], "usage": usage}


def call(index: int | None, id: str | None = None, name: str | None = None, arguments: Any = "") -> Json:
    """A chunk with a piece of a call; no index, no id and no name where None is given."""
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    made: Json = {"function": function}
    if index is not None:
        made = {"index": index, **made}
    if id is not None:
        made = {**made, "id": id, "type": "function"}
    return chunk({"tool_calls": [made]})


ROLE = chunk({"role": "assistant", "content": ""})
STOP = chunk({}, "stop")
CALLED = chunk({}, "tool_calls")


def chat(*chunks: Json, role: Json = ROLE, end: bytes = DONE) -> tuple[bytes, ...]:
    """Chunks with their role before them, and what ends them."""
    return tuple(piece for piece in (*map(data, (role, *chunks)), end) if piece)


# Anthropic's messages

MESSAGE_START = {
    "type": "message_start",
    "message": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 10,
            "output_tokens": 1,
            "cache_creation_input_tokens": 5,
            "cache_read_input_tokens": 7,
            "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 0},
            "service_tier": "standard",
        },
    },
}
MESSAGE_STOP = {"type": "message_stop"}
PING = {"type": "ping"}


def message_delta(
    reason: str = "end_turn", sequence: str | None = None, more: Json | None = None, **usage: Any
) -> Json:
    delta = {"stop_reason": reason, "stop_sequence": sequence, **(more or {})}
    return {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 9, **usage}}


def block(index: int, block: Json, *deltas: Json) -> list[Json]:
    """A content block, whole."""
    grown = [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
    start = {"type": "content_block_start", "index": index, "content_block": block}
    return [start, *grown, {"type": "content_block_stop", "index": index}]


def text_block(index: int, content: str) -> list[Json]:
    return block(index, {"type": "text", "text": ""}, {"type": "text_delta", "text": content})


def call_block(index: int, kind: str, id: str, name: str, *pieces: str, **more: Any) -> list[Json]:
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return block(index, {"type": kind, "id": id, "name": name, "input": {}, **more}, *deltas)


def messages(*events: Json, last: Json | None = None) -> tuple[bytes, ...]:
    """A whole message of these events."""
    return tuple(map(named, [MESSAGE_START, *events, last or message_delta(), MESSAGE_STOP]))


# Responses

USAGE = {
    "input_tokens": 11,
    "input_tokens_details": {"cached_tokens": 3},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 16,
}


def response(status: str = "in_progress", output: Sequence[Json] = (), **more: Any) -> Json:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "gpt-5",
        "status": status,
        "output": list(output),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "usage": None,
        **more,
    }


def event(kind: str, **fields: Any) -> Json:
    return {"type": f"response.{kind}", **fields}


def numbered(events: Iterable[Json]) -> tuple[bytes, ...]:
    return tuple(named({**event, "sequence_number": number}) for number, event in enumerate(events))


def responses(*events: Json, output: Sequence[Json] = (), status: str = "completed", **more: Any) -> tuple[bytes, ...]:
    """A whole response of these events."""
    begun = [event(kind, response=response()) for kind in ("created", "in_progress")]
    last = event(status, response=response(status, output, usage=USAGE, **more))
    return numbered([*begun, *events, last])


def item_events(index: int, begun: Json, done: Json, *between: Json) -> list[Json]:
    """An output item, whole."""
    added = event("output_item.added", output_index=index, item=begun)
    return [added, *between, event("output_item.done", output_index=index, item=done)]


def message_item(content: str, index: int = 0, annotations: Sequence[Json] = ()) -> tuple[list[Json], Json]:
    """A message with one text: its events, and the item in the end."""
    begun: Json = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    part = {"type": "output_text", "text": content, "annotations": list(annotations), "logprobs": []}
    done = {**begun, "status": "completed", "content": [part]}
    place = {"item_id": "msg_1", "output_index": index, "content_index": 0}
    between = [
        event("content_part.added", **place, part={**part, "text": "", "annotations": []}),
        event("output_text.delta", **place, delta=content, logprobs=[]),
        *(
            event("output_text.annotation.added", **place, annotation_index=number, annotation=annotation)
            for number, annotation in enumerate(annotations)
        ),
        event("output_text.done", **place, text=content, logprobs=[]),
        event("content_part.done", **place, part=part),
    ]
    return item_events(index, begun, done, *between), done
