"""The output items of a response: the events that open, grow and close each, and its final form.

Rule: events are told without `sequence_number`; the dialect numbers them.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from headwater.llm.parts import Json


class Item:
    """An output item.

    Attributes:
        id: its id, made of the message's and its place.
        index: its place in the output.
        text: what it has said so far, in pieces.
    """

    prefix: ClassVar[str]

    def __init__(self) -> None:
        self.id = ""
        self.index = 0
        self.pieces: list[str] = []
        self.status = "in_progress"

    @property
    def text(self) -> str:
        """What it has said so far."""
        return "".join(self.pieces)

    def place(self, message: str, index: int) -> None:
        """Give it its place."""
        self.id, self.index = f"{self.prefix}_{message}_{index}", index

    def opening(self) -> list[Json]:
        """The events that open it."""
        return [self._whole("added")]

    def grow(self, delta: str) -> Json:
        """The event of a delta."""
        self.pieces.append(delta)
        return {**self._event("delta"), "delta": delta}

    def closing(self, status: str) -> list[Json]:
        """The events that close it."""
        self.status = status
        return [self._whole("done")]

    def body(self) -> Json:
        """The item itself."""
        raise NotImplementedError

    def _event(self, what: str) -> Json:
        raise NotImplementedError

    def _whole(self, what: str) -> Json:
        return {"type": f"response.output_item.{what}", "output_index": self.index, "item": self.body()}


class MessageItem(Item):
    """A message with one content part: a text, or a refusal."""

    prefix: ClassVar[str] = "msg"

    def __init__(self, is_refusal: bool) -> None:
        super().__init__()
        self._is_refusal = is_refusal
        self._annotations: list[Json] = []
        self._has_content = False

    def opening(self) -> list[Json]:
        """The item, then its content part."""
        whole = self._whole("added")
        self._has_content = True
        return [whole, self._content_part("added")]

    def closing(self, status: str) -> list[Json]:
        """The text, the content part, the item."""
        key = "refusal" if self._is_refusal else "text"
        done = {**self._event("done"), key: self.text}
        return [done, self._content_part("done"), *super().closing(status)]

    def cite(self, url: str, title: str) -> list[Json]:
        """The event of a citation."""
        note = {"type": "url_citation", "url": url, "title": title, "start_index": 0, "end_index": 0}
        self._annotations.append(note)
        place = {"item_id": self.id, "output_index": self.index, "content_index": 0}
        index = len(self._annotations) - 1
        event = {"type": "response.output_text.annotation.added", **place}
        return [{**event, "annotation_index": index, "annotation": note}]

    def body(self) -> Json:
        """The item itself."""
        content = [self._content()] if self._has_content else []
        return {"id": self.id, "type": "message", "role": "assistant", "status": self.status, "content": content}

    def _content(self) -> Json:
        if self._is_refusal:
            return {"type": "refusal", "refusal": self.text}
        return {"type": "output_text", "text": self.text, "annotations": list(self._annotations), "logprobs": []}

    def _event(self, what: str) -> Json:
        kind = "refusal" if self._is_refusal else "output_text"
        place = {"item_id": self.id, "output_index": self.index, "content_index": 0}
        return {"type": f"response.{kind}.{what}", **place, **({} if self._is_refusal else {"logprobs": []})}

    def _content_part(self, what: str) -> Json:
        place = {"item_id": self.id, "output_index": self.index, "content_index": 0}
        return {"type": f"response.content_part.{what}", **place, "part": self._content()}


class ReasoningItem(Item):
    """Thinking, or a summary of it.

    Attributes:
        encrypted: the thinking for the provider alone, once it is known.
    """

    prefix: ClassVar[str] = "rs"

    def __init__(self, is_summary: bool) -> None:
        super().__init__()
        self.encrypted: str | None = None
        self._is_summary = is_summary

    def opening(self) -> list[Json]:
        """The item, then the part of its summary."""
        return [self._whole("added"), *([self._summary_part("added")] if self._is_summary else [])]

    def closing(self, status: str) -> list[Json]:
        """The text, the part of the summary, the item."""
        done = {**self._event("done"), "text": self.text}
        return [done, *([self._summary_part("done")] if self._is_summary else []), *super().closing(status)]

    def body(self) -> Json:
        """The item itself."""
        summary = [{"type": "summary_text", "text": self.text}] if self._is_summary and self.pieces else []
        found: Json = {"id": self.id, "type": "reasoning", "summary": summary, "encrypted_content": self.encrypted}
        if not self._is_summary:
            found["content"] = [{"type": "reasoning_text", "text": self.text}]
        return found

    def _event(self, what: str) -> Json:
        place = {"item_id": self.id, "output_index": self.index}
        if self._is_summary:
            return {"type": f"response.reasoning_summary_text.{what}", **place, "summary_index": 0}
        return {"type": f"response.reasoning_text.{what}", **place, "content_index": 0}

    def _summary_part(self, what: str) -> Json:
        place = {"item_id": self.id, "output_index": self.index, "summary_index": 0}
        part = {"type": "summary_text", "text": self.text}
        return {"type": f"response.reasoning_summary_part.{what}", **place, "part": part}


class CallItem(Item):
    """A call of a function.

    Args:
        call: its id for the result.
        name: the function's.
    """

    prefix: ClassVar[str] = "fc"

    def __init__(self, call: str, name: str) -> None:
        super().__init__()
        self._call = call
        self._name = name

    def missing(self, value: Any) -> str:
        """The arguments as text, if none were told."""
        return "" if self.pieces else msgspec.json.encode(value).decode()

    def closing(self, status: str) -> list[Json]:
        """The arguments, the item."""
        done = {**self._event("done"), "name": self._name, "arguments": self.text}
        return [done, *super().closing(status)]

    def body(self) -> Json:
        """The item itself."""
        return {
            "id": self.id,
            "type": "function_call",
            "status": self.status,
            "call_id": self._call,
            "name": self._name,
            "arguments": self.text,
        }

    def _event(self, what: str) -> Json:
        place = {"item_id": self.id, "output_index": self.index}
        return {"type": f"response.function_call_arguments.{what}", **place}
