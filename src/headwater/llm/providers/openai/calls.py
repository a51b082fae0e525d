"""Calls of chat completions, which come in pieces.

OpenAI gives each call an index, and its id, its name and `""` first. Others give no index, or 0 to every call; an id
with every piece, or none, or the same to two calls; a name in pieces, or late; the arguments as an object.

Rule 1: another index is another call, and so is another id at the same index. Without an index an id that is new is
        another call, and a piece without one belongs to the last.
Rule 2: a call is opened with the first piece of its arguments, when its name is whole.
Rule 3: ids of calls of one response are different here; the provider's own is in the metadata, for its own dialect.
"""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.llm.parts import OURS, Json, ToolStart
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.source import dict_of, number_of, rest_of, text_of

_KNOWN: Final = {"index", "id", "type", "function", "custom"}


class _Call:
    """A call: as the provider names it, and as the parts do, once it is opened."""

    __slots__ = ("id", "index", "is_custom", "is_empty", "is_legacy", "is_ready", "name", "names", "part", "rest")

    def __init__(self, index: int | None, id: str) -> None:
        self.index = index
        self.id = id
        self.name = ""
        self.names: list[str] = []
        self.part = ""
        self.is_custom = False
        self.is_empty = True
        self.is_legacy = False
        self.is_ready = False
        self.rest: Json = {}


class Calls:
    """The calls of one response.

    Args:
        builder: of the run's parts.
    """

    def __init__(self, builder: Builder) -> None:
        self._builder: Final = builder
        self._calls: list[_Call] = []

    def take(self, pieces: list[Json], *, is_legacy: bool = False) -> None:
        """The pieces of one delta."""
        for position, piece in enumerate(pieces):
            id = text_of(piece.get("id"))
            call = self._call(number_of(piece.get("index")), id, len(pieces) - position)
            call.id = call.id or id
            call.is_custom = call.is_custom or piece.get("type") == "custom" or "custom" in piece
            if not call.part:
                call.rest |= rest_of(piece, _KNOWN)
                call.is_legacy = is_legacy
            self._grow(call, dict_of(piece.get("custom" if call.is_custom else "function")))

    def end(self) -> None:
        """The response has ended. Arguments that nobody gave are told so in this dialect, and as none in others."""
        self.open_all()
        for call in self._calls:
            if call.is_empty:
                self._builder.ready_tool(call.part, {"empty": True})

    def open_all(self) -> None:
        """Open what waits for its arguments: something else comes."""
        for call in self._calls:
            if not call.part:
                self._open(call)

    def _call(self, index: int | None, id: str, back: int) -> _Call:
        """The call that a piece belongs to; `back`: its place in the delta, from the end."""
        if index is not None:
            same = [call for call in self._calls if call.index == index]
            if same and (not id or not same[-1].id or same[-1].id == id):
                return same[-1]
        elif id:
            same = [call for call in self._calls if call.id == id]
            if same:
                return same[-1]
        elif len(self._calls) >= back:
            return self._calls[-back]
        return self._begin(index, id)

    def _begin(self, index: int | None, id: str) -> _Call:
        self.open_all()
        for call in self._calls:
            # One that is not whole may go on: pieces of parallel calls are mixed by some.
            if self._builder.is_whole(call.part):
                call.is_ready = True
                self._builder.ready_tool(call.part)
        self._calls.append(_Call(index, id))
        return self._calls[-1]

    def _grow(self, call: _Call, function: Json) -> None:
        name = text_of(function.get("name"))
        if name and not call.part and name != call.name:  # some say all of it with every piece
            call.name += name
            call.names.append(name)
        value = function.get("input" if call.is_custom else "arguments")
        piece = msgspec.json.encode(value).decode() if isinstance(value, dict) else text_of(value)
        if piece and not call.is_ready:
            if not call.part:
                self._open(call)
            call.is_empty = False
            self._builder.grow_tool(call.part, piece)

    def _open(self, call: _Call) -> None:
        builder = self._builder
        builder.close_texts()
        builder.close_reasonings()
        call.part = call.id or builder.new_id("call_")
        if any(other.part == call.part for other in self._calls if other is not call):
            call.part = builder.new_id(f"{call.id}-")
        hints: Json = {"legacy": True} if call.is_legacy else {} if call.part == call.id else {"id": call.id}
        if len(call.names) > 1:  # their SDKs do not agree on what that is
            hints["names"] = call.names
        metadata: Json = {"openai": {"own": call.rest}} if call.rest else {}
        if hints:
            metadata[OURS] = hints
        builder.open_tool(ToolStart(call.part, call.name, text_input=call.is_custom, metadata=metadata or None))
