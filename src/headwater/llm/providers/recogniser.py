"""Items of any source become parts, by their shape alone: no SDK is imported.

What is recognised, in this order:

- strings, and bytes as UTF-8, cut anywhere: text
- our own parts
- objects that a provider knows; each is asked in turn, once for a class
- dicts, and models with `model_dump` as dicts: those that a provider knows; our own parts as dicts; errors of servers
  and gateways; `{"content": ...}`

Everything else is an `UnknownItem`. A dict that has the name of an event, in `type` or where the family that the source
has spoken last has it (`Voice.named_by`), is one of a later version of that family, and is kept as `Foreign`.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any, Final

from headwater.errors import SourceFailed, UnknownItem
from headwater.llm.parts import (
    Abort,
    Error,
    Finish,
    Json,
    Part,
    Reasoning,
    ReasoningEnd,
    ReasoningStart,
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
    part_from,
)
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.registry import VOICES, family_of
from headwater.llm.providers.source import Voice, code_of, error_in, fields_of, text_of

#: Code of the error of a source that ended without saying that it is complete.
TRUNCATED: Final = "truncated"


class Recogniser:
    """The parts of one run, from the items of its source.

    Args:
        start: the start that is in the log already; None: the source's own, where it has one.
        lenient: leave out what a run has no place for, where `UnknownItem` is raised otherwise.
    """

    def __init__(self, start: Start | None = None, *, lenient: bool = False) -> None:
        self._builder = Builder(start)
        self._lenient = lenient
        self._voices: dict[str, Voice] = {}
        self._families: dict[type, str] = {}
        self._family = ""
        self._utf8: codecs.IncrementalDecoder | None = None
        self._has_ended = False

    @property
    def failed(self) -> Error | None:
        """The error that the source ended with, or the truncation that `finish` found; it is among the parts."""
        return self._builder.failed

    @property
    def families(self) -> list[str]:
        """Whose items the source has given, in the order in which they came."""
        return list(self._voices)

    @property
    def is_complete(self) -> bool:
        """The source has said that nothing follows, in every family it has spoken."""
        return bool(self._voices) and all(voice.ended for voice in self._voices.values())

    def feed(self, item: Any) -> list[Part]:
        """Take the next item and give the parts it makes, which may be none.

        Raises:
            UnknownItem: the item has a shape that no source has, or raises when it is looked at. What came before
                stays good.
        """
        try:
            if type(item) is dict:  # the usual case, beside models that become one
                self._take_dict(item, item)
            elif isinstance(item, str):
                self._builder.say(item)
            elif isinstance(item, bytes | bytearray | memoryview):
                if self._utf8 is None:
                    self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
                self._builder.say(self._utf8.decode(bytes(item)))
            elif isinstance(item, Part):
                self._take_part(item)
            elif family := self._family_of_object(item):
                self._voice(family).hear(item)
            else:
                self._take_dict(_as_dict(item), item)
        except SourceFailed:
            raise
        except Exception as error:
            raise UnknownItem(f"the source gave {_described(item)}: {type(error).__name__} when it was read") from error
        return self._builder.take()

    def _family_of_object(self, item: Any) -> str:
        """The family that knows an object as it is; those of a class are alike, but what a tuple holds is not."""
        if isinstance(item, Mapping):
            return ""
        if isinstance(item, tuple):
            return family_of(item, self._family)
        kind = type(item)
        if kind not in self._families:
            self._families[kind] = family_of(item, self._family)
        return self._families[kind]

    def finish(self) -> list[Part]:
        """The source has ended: close what is open, and say how it ended.

        The last part is a `Finish`, or an `Error`: with the code `truncated` if the source has a mark for its end
        and did not send it. Again: nothing.
        """
        if self._utf8 is not None:
            self._builder.say(self._utf8.decode(b"", True))
        for voice in self._voices.values():
            voice.finish()
            if voice.has_terminal and not voice.ended:
                self._builder.fail(TRUNCATED, f"the source ended without its last event ({voice.dialect})")
        self._builder.put_finish()
        return self._builder.take()

    def _voice(self, family: str) -> Voice:
        self._family = family
        if family not in self._voices:
            self._voices[family] = VOICES[family](self._builder, lenient=self._lenient)
        return self._voices[family]

    def _take_dict(self, event: Json, item: Any) -> None:
        family = self._family  # what goes on as before is asked of who has spoken
        if not family or not VOICES[family].knows(event, family):
            family = family_of(event, family)
        if family:
            self._voice(family).hear(event)
        elif (part := part_from(event)) is not None:
            self._take_part(part)
        elif (error := error_in(event)) is not None:
            native = {self._family: error} if self._family else None
            self._builder.fail(code_of(error), str(error.get("message") or ""), native)
        elif isinstance(event.get("content"), str):
            self._builder.say(event["content"])
        elif self._family and VOICES[self._family].may_add(event):
            self._voice(self._family).keep(event)
        else:
            raise UnknownItem(f"the source gave {_described(item)}, which is no text, no event and no part")

    def _take_part(self, part: Part) -> None:
        """A part of ours; through the builder, so that an end of the source closes what it opens."""
        builder = self._builder
        match part:
            case TextStart(id):
                builder.open_text(id, refusal=part.refusal, metadata=part.metadata)
            case Text(id, delta):
                builder.grow_text(id, delta)
            case TextEnd(id, metadata):
                builder.close_text(id, metadata)
            case ReasoningStart(id):
                builder.open_reasoning(id, summary=part.summary, redacted=part.redacted, metadata=part.metadata)
            case Reasoning(id, delta):
                builder.grow_reasoning(id, delta)
            case ReasoningEnd(id):
                builder.close_reasoning(id, signature=part.signature, encrypted=part.encrypted, metadata=part.metadata)
            case ToolStart():
                builder.open_tool(part)
            case ToolInput(id, delta):
                builder.grow_tool(id, delta)
            case ToolReady():
                builder.put_ready(part)
            case ToolOutput():
                builder.put_output(part)
            case ToolError():
                builder.put_error(part)
            case Start():
                builder.start_with(part)
            case Usage():
                builder.use(part.input_tokens, part.output_tokens, part.details, part.native)
            case Error(code, message, native):
                builder.fail(code, message, native)
            case Finish(reason, native):
                builder.finish_with(
                    reason, native, dialect=part.dialect, sequence=part.sequence, metadata=part.metadata
                )
            case StepStart():
                builder.begin_step()
            case StepFinish():
                builder.end_step()
            case Abort(reason):
                builder.abort(reason)
            case _:
                builder.put(part)


def _as_dict(item: Any) -> Json:
    """The fields of a dict or a model.

    Raises:
        UnknownItem: it is neither.
    """
    found = fields_of(item)
    if found is None:
        raise UnknownItem(f"the source gave {_described(item)}, which is no text, no event and no part")
    return found


def _described(item: Any) -> str:
    """The type of an item, and of a dict its keys; not its content, which may be private."""
    name = f"{type(item).__module__}.{type(item).__qualname__}".removeprefix("builtins.")
    if isinstance(item, dict):
        keys = ", ".join(sorted(key if isinstance(key, str) else type(key).__name__ for key in item)[:8])
        kind = text_of(item.get("type"))
        return f"a {name} with the keys {keys or '(none)'}" + (f" and the type {kind[:60]!r}" if kind else "")
    return f"an item of the type {name}"
