"""The output items of a response: the events that open, grow and close each, and its final form.

Rule 1: events are told without `sequence_number`; the dialect numbers them.
Rule 2: an item with an id of its provider may get further parts, so it is closed when the next item comes.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from headwater.llm.parts import Json


class Content(msgspec.Struct):
    """A part of an item: a text, a refusal, thinking, a summary of it, or a call's input.

    Attributes:
        kind: of the part.
        pieces: what it has said so far.
        notes: its annotations.
        is_open: it may grow.
    """

    kind: str = ""
    pieces: list[str] = []
    notes: list[Json] = []
    is_open: bool = True

    @property
    def text(self) -> str:
        """What it has said so far."""
        return "".join(self.pieces)


class Item:
    """An output item.

    Args:
        own: the id that the provider gave it; empty: it is made of the message's and its place.
        beside: further fields of it.

    Attributes:
        id: its id.
        index: its place in the output.
        parts: in their order.
    """

    prefix: ClassVar[str]

    def __init__(self, own: str = "", beside: Json | None = None) -> None:
        self.own = own
        self.id = ""
        self.index = 0
        self.status = "in_progress"
        self.parts: list[Content] = []
        self.is_done = False
        self._beside = beside or {}

    @property
    def is_open(self) -> bool:
        """One of its parts may grow."""
        return any(part.is_open for part in self.parts)

    def place(self, message: str, index: int) -> None:
        """Give it its place."""
        self.id, self.index = self.own or f"{self.prefix}_{message}_{index}", index

    def opening(self) -> list[Json]:
        """The item."""
        return [self._whole("added")]

    def add(self, part: Content) -> list[Json]:
        """Another part of it."""
        self.parts.append(part)
        return []

    def grow(self, number: int, delta: str) -> Json:
        """A part grows."""
        self.parts[number].pieces.append(delta)
        return {**self._event(number, "delta"), "delta": delta}

    def close(self, number: int) -> list[Json]:
        """A part is whole."""
        self.parts[number].is_open = False
        return [{**self._event(number, "done"), **self._said(number)}]

    def finish(self, status: str) -> list[Json]:
        """Close what is open, and the item; again: nothing."""
        if self.is_done:
            return []
        closing = [event for number, part in enumerate(self.parts) if part.is_open for event in self.close(number)]
        self.status, self.is_done = status, True
        return [*closing, self._whole("done")]

    def body(self) -> Json:
        """The item itself."""
        raise NotImplementedError

    def _said(self, number: int) -> Json:
        return {"text": self.parts[number].text}

    def _event(self, number: int, what: str) -> Json:
        raise NotImplementedError

    def _place(self) -> Json:
        return {"item_id": self.id, "output_index": self.index}

    def _whole(self, what: str) -> Json:
        return {"type": f"response.output_item.{what}", "output_index": self.index, "item": self.body()}


class MessageItem(Item):
    """A message; its parts are texts and refusals."""

    prefix: ClassVar[str] = "msg"

    def add(self, part: Content) -> list[Json]:
        """See `Item.add`."""
        super().add(part)
        return [self._content_part(len(self.parts) - 1, "added")]

    def close(self, number: int) -> list[Json]:
        """The text, the content part."""
        return [*super().close(number), self._content_part(number, "done")]

    def cite(self, number: int, note: Json) -> list[Json]:
        """The event of a citation."""
        notes = self.parts[number].notes
        notes.append(note)
        event = {"type": "response.output_text.annotation.added", **self._place(), "content_index": number}
        return [{**event, "annotation_index": len(notes) - 1, "annotation": note}]

    def body(self) -> Json:
        """The item itself."""
        about = {"id": self.id, "type": "message", "role": "assistant", "status": self.status, **self._beside}
        return {**about, "content": list(map(self._content, self.parts))}

    def _content(self, part: Content) -> Json:
        if part.kind == "refusal":
            return {"type": "refusal", "refusal": part.text}
        return {"type": "output_text", "text": part.text, "annotations": list(part.notes), "logprobs": []}

    def _said(self, number: int) -> Json:
        part = self.parts[number]
        return {"refusal" if part.kind == "refusal" else "text": part.text}

    def _event(self, number: int, what: str) -> Json:
        is_refusal = self.parts[number].kind == "refusal"
        place = {**self._place(), "content_index": number}
        kind = "refusal" if is_refusal else "output_text"
        return {"type": f"response.{kind}.{what}", **place, **({} if is_refusal else {"logprobs": []})}

    def _content_part(self, number: int, what: str) -> Json:
        place = {**self._place(), "content_index": number}
        return {"type": f"response.content_part.{what}", **place, "part": self._content(self.parts[number])}


class ReasoningItem(Item):
    """Thinking, or summaries of it.

    Attributes:
        encrypted: the thinking for the provider alone, once it is known.
    """

    prefix: ClassVar[str] = "rs"

    def __init__(self, own: str = "", *, is_summary: bool) -> None:
        super().__init__(own)
        self.encrypted: str | None = None
        self._is_summary = is_summary

    def add(self, part: Content) -> list[Json]:
        """See `Item.add`. A part of the summary is told before its first piece, for there may be none: see `begin`."""
        super().add(part)
        if self._is_summary:
            return []
        place = {**self._place(), "content_index": len(self.parts) - 1}
        return [{"type": "response.content_part.added", **place, "part": {"type": "reasoning_text", "text": ""}}]

    def begin(self, number: int) -> list[Json]:
        """The part of the summary, before its first piece."""
        return [self._summary_part(number, "added")] if self._is_summary else []

    def close(self, number: int) -> list[Json]:
        """The text, the part of the summary; nothing if it said nothing."""
        closing = super().close(number)
        if self._is_summary and not self.parts[number].pieces:
            return []
        return [*closing, *([self._summary_part(number, "done")] if self._is_summary else [])]

    def body(self) -> Json:
        """The item itself."""
        said = [part.text for part in self.parts if part.pieces or not self._is_summary]
        summary = [{"type": "summary_text", "text": text} for text in said] if self._is_summary else []
        found: Json = {"id": self.id, "type": "reasoning", "summary": summary, "encrypted_content": self.encrypted}
        if not self._is_summary:
            found["content"] = [{"type": "reasoning_text", "text": text} for text in said]
        return found

    def _event(self, number: int, what: str) -> Json:
        if self._is_summary:
            return {"type": f"response.reasoning_summary_text.{what}", **self._place(), "summary_index": number}
        return {"type": f"response.reasoning_text.{what}", **self._place(), "content_index": number}

    def _summary_part(self, number: int, what: str) -> Json:
        place = {**self._place(), "summary_index": number}
        part = {"type": "summary_text", "text": self.parts[number].text}
        return {"type": f"response.reasoning_summary_part.{what}", **place, "part": part}


class CallItem(Item):
    """A call of a function, or of a tool whose input is a text.

    Args:
        call: its id for the result.
        name: the function's.
        own: see `Item`.
        beside: see `Item`.
        is_text: the input is a text.
    """

    prefix: ClassVar[str] = "fc"

    def __init__(self, call: str, name: str, own: str = "", beside: Json | None = None, *, is_text: bool) -> None:
        super().__init__(own, beside)
        self._call = call
        self._name = name
        self._is_text = is_text
        self.parts.append(Content())

    def missing(self, value: Any) -> str:
        """The input as text, if none was told."""
        if self.parts[0].pieces:
            return ""
        return value if self._is_text and isinstance(value, str) else msgspec.json.encode(value).decode()

    def body(self) -> Json:
        """The item itself."""
        about = {"id": self.id, "type": "custom_tool_call" if self._is_text else "function_call", "status": self.status}
        return {**about, "call_id": self._call, "name": self._name, **self._input(), **self._beside}

    def _input(self) -> Json:
        return {"input" if self._is_text else "arguments": self.parts[0].text}

    def _said(self, number: int) -> Json:
        return self._input() if self._is_text else {"name": self._name, **self._input()}

    def _event(self, number: int, what: str) -> Json:
        kind = "custom_tool_call_input" if self._is_text else "function_call_arguments"
        return {"type": f"response.{kind}.{what}", **self._place()}


class OwnItem(Item):
    """An item that only this dialect has, as its source told it."""

    prefix: ClassVar[str] = "item"

    def __init__(self, item: Json) -> None:
        super().__init__(str(item.get("id") or ""))
        self._item = item

    def tell_again(self, event: Json) -> Json:
        """An event of it, at its place here."""
        if event.get("type") == "response.output_item.done":
            found = event.get("item")
            self._item, self.is_done = found if isinstance(found, dict) else self._item, True
        return {**event, "output_index": self.index}

    def body(self) -> Json:
        """The item itself."""
        return self._item


class HostedItem(Item):
    """A call that the provider ran, with its result.

    Args:
        call: its id.
        name: the tool's.
        value: its input.
        label: of the server that ran it.
    """

    prefix: ClassVar[str] = "mcp"

    def __init__(self, call: str, name: str, value: Any, label: str) -> None:
        super().__init__(call)
        text = msgspec.json.encode(value).decode()
        self._facts: Json = {"type": "mcp_call", "name": name, "server_label": label, "arguments": text}

    def settle(self, output: Any, error: str | None) -> list[Json]:
        """What came of it."""
        text = output if output is None or isinstance(output, str) else msgspec.json.encode(output).decode()
        self._facts |= {"output": text, "error": error}
        return self.finish("completed" if error is None else "failed")

    def body(self) -> Json:
        """The item itself."""
        return {"id": self.id, "status": self.status, **self._facts}
