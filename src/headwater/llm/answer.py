"""What a run has said so far: the fold of its parts, and the shortest parts with the same fold.

Rule 1: a fold never fails. What comes without its opening opens itself; what ends twice ends once.
Rule 2: the shortest parts keep the order of the log, for clients act on it: an output replaces an error that came
        before it, and a citation belongs to the text that is open. Only deltas move, to the first of their text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from headwater.llm.parts import (
    Abort,
    Data,
    Error,
    Finish,
    Json,
    Metadata,
    Part,
    Reasoning,
    ReasoningEnd,
    ReasoningStart,
    Start,
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
from headwater.llm.providers import figures
from headwater.llm.providers.builder import filled
from headwater.llm.providers.translator import Translator

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

    def grown(self) -> Text:
        """All that it grew by."""
        return Text(self.start.id, self.text)


class ReasoningPiece(msgspec.Struct):
    """Thinking; the attributes are those of `TextPiece`."""

    start: ReasoningStart
    pieces: list[str] = []
    end: ReasoningEnd | None = None

    @property
    def text(self) -> str:
        """The thinking so far."""
        return "".join(self.pieces)

    def grown(self) -> Reasoning:
        """All that it grew by."""
        return Reasoning(self.start.id, self.text)


class ToolPiece(msgspec.Struct):
    """A call of a tool.

    Attributes:
        id: of the call.
        name: the tool's; empty: nobody said it.
        start: what opened it; None: its input came at once.
        pieces: the text of its input.
        ready: the complete input.
        outcome: what came of it: the last output or error, which replaces those before it.
    """

    id: str
    name: str = ""
    start: ToolStart | None = None
    pieces: list[str] = []
    ready: ToolReady | None = None
    outcome: ToolOutput | ToolError | None = None

    @property
    def is_open(self) -> bool:
        """The input is not complete."""
        return self.ready is None and self.outcome is None

    @property
    def is_begun(self) -> bool:
        """Its input was begun, or came at once."""
        return self.start is not None or self.ready is not None or bool(self.pieces)

    def grown(self) -> ToolInput:
        """All that its input grew by."""
        return ToolInput(self.id, "".join(self.pieces))


Piece = TextPiece | ReasoningPiece | ToolPiece


class Answer:
    """The fold.

    Args:
        parts: to begin with.

    Attributes:
        start: the message's id, run, model, time and metadata, as far as they are known.
        pieces: texts, thinking and calls, in the order in which they were opened.
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
        self._log: list[Part | Piece | None] = []  # a piece stands for its deltas, None for what was replaced
        self._data: dict[tuple[str, str], int] = {}  # name and id -> its index in the log
        self._preliminary: dict[str, int] = {}  # id of a call -> the index of an output that the next one replaces
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
        """The shortest list of parts with this fold: each text in one delta, what is open opened again."""
        found: list[Part] = [self.start] if self._has_start else []
        if self.usage != Usage():
            found.append(self.usage)
        found += [entry.grown() if isinstance(entry, Piece) else entry for entry in self._log if entry is not None]
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
                self.usage = figures.merged(self.usage, part)
            case Finish():
                self.finish = self.finish or part
            case Error():
                self.error = self.error or part
            case Abort():
                self.abort = self.abort or part
            case Data():
                self._add_data(part)
            case _:
                self._log.append(part)

    def _begin(self, part: Start) -> None:
        metadata = merged(part.metadata or {}, self.start.metadata or {}) or None
        self.start = msgspec.structs.replace(filled(self.start, part), metadata=metadata)
        self._has_start = True

    def _add_text(self, part: Text | TextStart | TextEnd) -> None:
        piece = self._texts.get(part.id)
        if piece is None:
            if isinstance(part, TextEnd):
                return
            piece = TextPiece(part if isinstance(part, TextStart) else TextStart(part.id))
            self._texts[part.id] = piece
            self.pieces.append(piece)
            self._log.append(piece.start)
        if isinstance(part, Text):
            self._grow(piece, part.delta)
        elif isinstance(part, TextEnd):
            piece.end = part
            self._log.append(part)
            del self._texts[part.id]

    def _add_reasoning(self, part: Reasoning | ReasoningStart | ReasoningEnd) -> None:
        piece = self._reasonings.get(part.id)
        if piece is None:
            if isinstance(part, ReasoningEnd):
                return
            piece = ReasoningPiece(part if isinstance(part, ReasoningStart) else ReasoningStart(part.id))
            self._reasonings[part.id] = piece
            self.pieces.append(piece)
            self._log.append(piece.start)
        if isinstance(part, Reasoning):
            self._grow(piece, part.delta)
        elif isinstance(part, ReasoningEnd):
            piece.end = part
            self._log.append(part)
            del self._reasonings[part.id]

    def _grow(self, piece: Piece, delta: str) -> None:
        if not delta:
            return
        if not piece.pieces:
            self._log.append(piece)
        piece.pieces.append(delta)

    def _add_tool(self, part: ToolStart | ToolInput | ToolReady | ToolOutput | ToolError) -> None:
        piece = self._tools.get(part.id)
        if piece is None or not (piece.is_open or isinstance(part, ToolOutput | ToolError)):
            piece = self._tools[part.id] = ToolPiece(part.id)
            self.pieces.append(piece)
            self._preliminary.pop(part.id, None)
        if isinstance(part, ToolStart | ToolReady | ToolError):
            piece.name = piece.name or part.name
        match part:
            case ToolStart():
                if not piece.is_begun:
                    piece.start = part
                    self._log.append(part)
            case ToolInput(_, delta):
                self._grow(piece, delta)
            case ToolReady():
                piece.ready = part
                self._log.append(part)
            case ToolOutput() | ToolError():
                self._add_outcome(piece, part)

    def _add_outcome(self, piece: ToolPiece, part: ToolOutput | ToolError) -> None:
        """An output replaces a preliminary one; but not the one with which a call begins, for that is its place."""
        is_first = piece.outcome is None and not piece.is_begun
        replaced = self._preliminary.pop(part.id, None)
        if replaced is not None and isinstance(part, ToolOutput):
            self._log[replaced] = None
        if isinstance(part, ToolOutput) and part.preliminary and not is_first:
            self._preliminary[part.id] = len(self._log)
        piece.outcome = part
        self._log.append(part)

    def _add_data(self, part: Data) -> None:
        if part.transient:
            return
        key = part.name, part.id
        if part.id and key in self._data:
            self._log[self._data[key]] = part
            return
        self._data[key] = len(self._log)
        self._log.append(part)


def merged(old: Json, new: Json) -> Json:
    """An object with the values of another put into it, deeply."""
    found = dict(old)
    for key, value in new.items():
        before = found.get(key)
        found[key] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return found


def coalesce(parts: Sequence[Part]) -> list[Part]:
    """The parts with neighbouring deltas of one text, thinking or input joined; empty ones are left out."""
    if len(parts) == 1 and type(parts[0]) is Text and parts[0].delta:  # the usual case
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
