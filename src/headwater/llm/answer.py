"""What a run has said so far: the fold of its parts, and the shortest parts with the same fold.

Rule: a fold never fails. What comes without its opening opens itself; what ends twice ends once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from headwater.llm.parts import (
    Abort,
    Data,
    Error,
    File,
    Finish,
    Foreign,
    Json,
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
    ToolError,
    ToolInput,
    ToolOutput,
    ToolReady,
    ToolStart,
    Usage,
)
from headwater.llm.recognise.builder import filled, merge_usage
from headwater.llm.recognise.translator import Translator

_DELTAS: Final = (Text, Reasoning, ToolInput)


class TextPiece(msgspec.Struct):
    """A text of the answer.

    Attributes:
        start: what opened it.
        pieces: its text.
        end: what closed it; None: it is open.
    """

    start: TextStart
    pieces: list[str] = []
    end: TextEnd | None = None

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self.pieces)

    def parts(self) -> list[Part]:
        """The shortest parts that make it."""
        id, text = self.start.id, self.text
        found: list[Part | None] = [self.start, Text(id, text) if text else None, self.end]
        return [part for part in found if part is not None]


class ReasoningPiece(msgspec.Struct):
    """Thinking; the attributes are those of `TextPiece`."""

    start: ReasoningStart
    pieces: list[str] = []
    end: ReasoningEnd | None = None

    @property
    def text(self) -> str:
        """The thinking so far."""
        return "".join(self.pieces)

    def parts(self) -> list[Part]:
        """The shortest parts that make it."""
        id, text = self.start.id, self.text
        found: list[Part | None] = [self.start, Reasoning(id, text) if text else None, self.end]
        return [part for part in found if part is not None]


class ToolPiece(msgspec.Struct):
    """A call of a tool.

    Attributes:
        id: of the call.
        start: what opened it; None: its input came at once.
        pieces: the text of its input.
        ready: the complete input.
        error: why it failed.
        output: what the tool gave.
    """

    id: str
    start: ToolStart | None = None
    pieces: list[str] = []
    ready: ToolReady | None = None
    error: ToolError | None = None
    output: ToolOutput | None = None

    @property
    def name(self) -> str:
        """The tool's name; empty: nobody said it."""
        named = self.start or self.ready or self.error
        return named.name if named else ""

    @property
    def is_open(self) -> bool:
        """The input is not complete."""
        return self.ready is None and self.error is None and self.output is None

    def parts(self) -> list[Part]:
        """The shortest parts that make it."""
        text = "".join(self.pieces)
        delta = ToolInput(self.id, text) if text else None
        found: list[Part | None] = [self.start, delta, self.ready, self.output, self.error]
        return [part for part in found if part is not None]


class FixedPiece(msgspec.Struct):
    """A part that comes whole: a source, a file, data, the edge of a step, or what only its own dialect knows."""

    part: Source | File | Data | StepStart | StepFinish | Foreign | Raw

    def parts(self) -> list[Part]:
        """The part."""
        return [self.part]


Piece = TextPiece | ReasoningPiece | ToolPiece | FixedPiece


class Answer:
    """The fold.

    Args:
        parts: to begin with.

    Attributes:
        start: the message's id, run, model, time and metadata, as far as they are known.
        pieces: the content, in the order in which it was opened.
        usage: tokens so far.
        finish: why the model stopped by itself.
        error: what the source failed with.
        abort: the source was stopped.
    """

    def __init__(self, parts: Iterable[Part] = ()) -> None:
        self.start = Start()
        self.pieces: list[Piece] = []
        self.usage = Usage()
        self.finish: Finish | None = None
        self.error: Error | None = None
        self.abort: Abort | None = None
        self._has_start = False
        self._texts: dict[str, TextPiece] = {}
        self._reasonings: dict[str, ReasoningPiece] = {}
        self._tools: dict[str, ToolPiece] = {}
        self._data: dict[tuple[str, str], FixedPiece] = {}
        self._translator = Translator()
        self.add(parts)

    @property
    def text(self) -> str:
        """All texts, one after the other; without the thinking."""
        return "".join(piece.text for piece in self.pieces if isinstance(piece, TextPiece))

    @property
    def tools(self) -> list[ToolPiece]:
        """The calls, in the order in which they were opened."""
        return [piece for piece in self.pieces if isinstance(piece, ToolPiece)]

    def add(self, parts: Iterable[Part]) -> None:
        """Take the next parts."""
        for part in self._translator.translate(parts):
            self._add(part)

    def end(self) -> None:
        """The log has ended: an upstream's stream that was cut is an error now."""
        for part in self._translator.finish():
            self._add(part)

    def compact(self) -> list[Part]:
        """The shortest list of parts with this fold: each text in one delta, what is open opened again.

        Texts that grew at the same time come one after the other.
        """
        found: list[Part] = [self.start] if self._has_start else []
        if self.usage != Usage():
            found.append(self.usage)
        for piece in self.pieces:
            found += piece.parts()
        ends: list[Part | None] = [self.abort, self.error, self.finish]
        return found + [part for part in ends if part is not None]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Answer) and self.compact() == other.compact()

    __hash__ = None  # type: ignore[assignment]

    def _add(self, part: Part) -> None:
        match part:
            case Text() | TextStart() | TextEnd():
                self._add_text(part)
            case Reasoning() | ReasoningStart() | ReasoningEnd():
                self._add_reasoning(part)
            case ToolStart() | ToolInput() | ToolReady() | ToolOutput() | ToolError():
                self._add_tool(part)
            case Start():
                self._begin(part)
            case Metadata(values):
                self._has_start = True
                metadata = merged(self.start.metadata or {}, values) or None
                self.start = msgspec.structs.replace(self.start, metadata=metadata)
            case Usage():
                self.usage = merge_usage(self.usage, part)
            case Finish():
                self.finish = self.finish or part
            case Error():
                self.error = self.error or part
            case Abort():
                self.abort = self.abort or part
            case Data():
                self._add_data(part)
            case _:
                self.pieces.append(FixedPiece(part))

    def _begin(self, part: Start) -> None:
        metadata = merged(part.metadata or {}, self.start.metadata or {}) or None
        self.start = msgspec.structs.replace(filled(self.start, part), metadata=metadata)
        self._has_start = True

    def _add_text(self, part: Text | TextStart | TextEnd) -> None:
        piece = self._texts.get(part.id)
        if piece is None:
            if isinstance(part, TextEnd):
                return
            piece = self._texts[part.id] = TextPiece(part if isinstance(part, TextStart) else TextStart(part.id))
            self.pieces.append(piece)
        if isinstance(part, Text):
            piece.pieces.append(part.delta)
        elif isinstance(part, TextEnd):
            piece.end = part
            del self._texts[part.id]

    def _add_reasoning(self, part: Reasoning | ReasoningStart | ReasoningEnd) -> None:
        piece = self._reasonings.get(part.id)
        if piece is None:
            if isinstance(part, ReasoningEnd):
                return
            start = part if isinstance(part, ReasoningStart) else ReasoningStart(part.id)
            piece = self._reasonings[part.id] = ReasoningPiece(start)
            self.pieces.append(piece)
        if isinstance(part, Reasoning):
            piece.pieces.append(part.delta)
        elif isinstance(part, ReasoningEnd):
            piece.end = part
            del self._reasonings[part.id]

    def _add_tool(self, part: ToolStart | ToolInput | ToolReady | ToolOutput | ToolError) -> None:
        piece = self._tools.get(part.id)
        is_new = isinstance(part, ToolStart | ToolInput) or (
            isinstance(part, ToolReady) and piece is not None and bool(piece.ready or piece.output)
        )
        if piece is None or (is_new and not piece.is_open):
            piece = self._tools[part.id] = ToolPiece(part.id)
            self.pieces.append(piece)
        match part:
            case ToolStart():
                piece.start = piece.start or part
            case ToolInput(_, delta):
                piece.pieces.append(delta)
            case ToolReady():
                piece.ready = part
            case ToolOutput():
                piece.output = part
            case ToolError():
                piece.error = part

    def _add_data(self, part: Data) -> None:
        if part.transient:
            return
        key = part.name, part.id
        if part.id and key in self._data:
            self._data[key].part = part
            return
        self._data[key] = FixedPiece(part)
        self.pieces.append(self._data[key])


def merged(old: Json, new: Json) -> Json:
    """An object with the values of another put into it, deeply."""
    found = dict(old)
    for key, value in new.items():
        before = found.get(key)
        found[key] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return found


def coalesce(parts: Sequence[Part]) -> list[Part]:
    """The parts with neighbouring deltas of one text, thinking or input joined; empty ones are left out."""
    if len(parts) == 1 and type(parts[0]) is Text and parts[0].delta:  # by far the most
        return list(parts)
    return coalesce_at(parts, [""] * len(parts))[0]


def coalesce_at(parts: Sequence[Part], offsets: Sequence[str]) -> tuple[list[Part], list[str]]:
    """The same, and the offset of the last part of each group."""
    if len(parts) == 1 and not (isinstance(parts[0], _DELTAS) and not parts[0].delta):
        return list(parts), list(offsets)
    found: list[Part] = []
    found_offsets: list[str] = []
    grown: Text | Reasoning | ToolInput | None = None
    deltas: list[str] = []
    for part, offset in zip(parts, offsets, strict=True):
        if not isinstance(part, _DELTAS):
            _close(found, grown, deltas)
            grown = None
            found.append(part)
            found_offsets.append(offset)
        elif not part.delta:
            continue
        elif grown is not None and type(part) is type(grown) and part.id == grown.id:
            deltas.append(part.delta)
            found_offsets[-1] = offset
        else:
            _close(found, grown, deltas)
            grown, deltas = part, [part.delta]
            found.append(part)
            found_offsets.append(offset)
    _close(found, grown, deltas)
    return found, found_offsets


def _close(found: list[Part], grown: Text | Reasoning | ToolInput | None, deltas: list[str]) -> None:
    """Put the joined deltas of the last part in its place."""
    if grown is not None and len(deltas) > 1:
        found[-1] = type(grown)(grown.id, "".join(deltas))
