"""From what a source says to well-formed parts: everything is opened before it grows, and closed once.

Rule 1: the voices of the sources decide what an item means; the order and the pairing of parts are decided here.
Rule 2: what a model says to the outputs of tools is another step, also of a source that does not tell steps.
"""

from __future__ import annotations

from typing import Any

import msgspec

from headwater.llm.parts import (
    OURS,
    Abort,
    Error,
    Finish,
    FinishReason,
    Json,
    Metadata,
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
)
from headwater.llm.providers.figures import added, merged
from headwater.llm.providers.open_part import OpenPart


class Builder:
    """Collects parts.

    Args:
        start: the start that is written already; None: the source's own begins the run.

    Attributes:
        failed: the error the source ended with.
    """

    def __init__(self, start: Start | None = None) -> None:
        self.failed: Error | None = None
        self._start = start
        self._out: list[Part] = []
        self._texts: dict[str, OpenPart] = {}
        self._reasonings: dict[str, OpenPart] = {}
        self._tools: dict[str, OpenPart] = {}
        self._given: set[str] = set()  # calls that have their final output
        self._is_refusing = False  # the text of a source that has one at a time
        self._waiting: set[str] = set()  # calls of this step that the model waits for
        self._has_output = False  # one of this step came
        self._tells_steps = False  # the source does
        self._count = 0
        self._finish: Finish | None = None
        self._is_over = False  # an error was taken
        self._has_finished = False
        self._usage_before = Usage()
        self._usage = Usage()

    def take(self) -> list[Part]:
        """The parts since the last call; nothing follows an error."""
        out, self._out = self._out, []
        return out if self.failed is None else self._up_to_error(out)

    def _up_to_error(self, out: list[Part]) -> list[Part]:
        if self._is_over:
            return []
        self._is_over = True
        return out[: next(number for number, part in enumerate(out, 1) if part is self.failed)]

    def put(self, part: Part) -> None:
        """A part that needs no pairing."""
        self._out.append(part)

    def start(self, id: str = "", model: str = "", created: int = 0, metadata: Json | None = None) -> None:
        """The source tells who it is; what is known already stays."""
        self.start_with(Start(id=id, model=model, created=created, metadata=metadata))

    def start_with(self, start: Start) -> None:
        """The same, for a start as it stands."""
        known = self._start
        if known is None:
            self._start = start
            self.put(start)
            return
        if start.metadata:
            self.put(Metadata(start.metadata))
        self._start = filled(known, start)
        names = [name for name in Start.__struct_fields__ if name != "metadata" and not getattr(known, name)]
        news = Start(**{name: getattr(start, name) for name in names})
        if news != Start():
            self.put(news)

    def new_response(self) -> None:
        """Another answer of a model in the same run: a step, whose tokens are added."""
        if self._finish is None and self._usage == Usage():
            return
        self._finish = None
        self._usage_before, self._usage = added(self._usage_before, self._usage), Usage()
        self._next_step()

    def begin_step(self) -> None:
        """The source tells that a step begins; it tells of all others, too."""
        self._tells_steps = True
        self._next_step()

    def end_step(self) -> None:
        """The source tells that a step is over."""
        self._tells_steps = True
        self.close_all()
        self.put(StepFinish())

    def _next_step(self) -> None:
        self.close_all()
        self._waiting.clear()
        self._has_output = False
        self.put(StepStart())

    def _before_content(self, *, is_call: bool = False) -> None:
        """Begin a step if what comes now is said to the outputs of tools.

        A tool may be done while the model still calls another one, or talks on: the response must have ended, or no
        output be missing and this be no call.
        """
        if self._tells_steps or not self._has_output:
            return
        if self._finish is not None or not (is_call or self._waiting):
            self._next_step()

    def new_id(self, letter: str) -> str:
        """An id for a part whose source has none; the same source gives the same ids."""
        self._count += 1
        return f"{letter}{self._count - 1}"

    def say(self, delta: str, *, refusal: bool = False, metadata: Json | None = None) -> None:
        """Text of a source that has one text at a time; a refusal is a text of its own."""
        if not delta:
            return
        self.close_reasonings()
        if self._texts and self._is_refusing is not refusal:
            self.close_texts()
        if not self._texts:
            self._is_refusing = refusal
            self.open_text(self.new_id("t"), refusal=refusal, metadata=metadata)
        self.grow_text(next(reversed(self._texts)), delta)

    def think(self, delta: str, metadata: Json | None = None) -> None:
        """Thinking of a source that thinks one thing at a time."""
        if not delta:
            return
        self.close_texts()
        if not self._reasonings:
            self.open_reasoning(self.new_id("r"), metadata=metadata)
        self.grow_reasoning(next(reversed(self._reasonings)), delta)

    def open_text(self, id: str, *, refusal: bool = False, metadata: Json | None = None) -> None:
        """Open a text; again: nothing."""
        if id not in self._texts:
            self._before_content()
            self._texts[id] = OpenPart()
            self.put(TextStart(id, refusal, metadata))

    def grow_text(self, id: str, delta: str) -> None:
        """A text grows; it is opened if it is not."""
        self.open_text(id)
        if text := self._texts[id].take(delta):
            self.put(Text(id, text))

    def close_text(self, id: str, metadata: Json | None = None) -> None:
        """Close a text that is open."""
        growing = self._texts.pop(id, None)
        if growing is not None:
            if growing.held:
                self.put(Text(id, "\ufffd"))
            self.put(TextEnd(id, metadata))

    def open_reasoning(
        self, id: str, *, summary: bool = False, redacted: str | None = None, metadata: Json | None = None
    ) -> None:
        """Open a reasoning; again: nothing."""
        if id not in self._reasonings:
            self._before_content()
            self._reasonings[id] = OpenPart()
            self.put(ReasoningStart(id, summary, redacted, metadata))

    def grow_reasoning(self, id: str, delta: str) -> None:
        """A reasoning grows; it is opened if it is not."""
        self.open_reasoning(id)
        if text := self._reasonings[id].take(delta):
            self.put(Reasoning(id, text))

    def seal_reasoning(self, signature: str) -> None:
        """The seal of the thinking of a source that thinks one thing at a time; kept until that is closed."""
        id = next(reversed(self._reasonings), None)
        if id is None:
            id = self.new_id("r")
            self.open_reasoning(id)
        self._reasonings[id].pieces.append(signature)

    def close_reasoning(
        self, id: str, *, signature: str | None = None, encrypted: str | None = None, metadata: Json | None = None
    ) -> None:
        """Close a reasoning that is open."""
        growing = self._reasonings.pop(id, None)
        if growing is not None:
            if growing.held:
                self.put(Reasoning(id, "\ufffd"))
            self.put(ReasoningEnd(id, signature or "".join(growing.pieces) or None, encrypted, metadata))

    def open_tool(self, tool: ToolStart) -> None:
        """Open a call; again: nothing."""
        if tool.id not in self._tools:
            self._await(tool)
            self._tools[tool.id] = OpenPart(tool)
            self._given.discard(tool.id)
            self.put(tool)

    def grow_tool(self, id: str, delta: str) -> None:
        """The input of an open call grows; a call that is not open is named after its id."""
        if id not in self._tools:
            self.open_tool(ToolStart(id, "unknown"))
        growing = self._tools[id]
        if text := growing.take(delta):
            growing.pieces.append(text)
            self.put(ToolInput(id, text))

    def ready_tool(self, id: str, hints: Json | None = None) -> None:
        """The input of an open call is complete; it is read as JSON, unless it is a text.

        Args:
            id: of the call.
            hints: further metadata of ours.
        """
        growing = self._tools.pop(id, None)
        if growing is None or growing.tool is None:
            return
        text, tool = "".join(growing.pieces), growing.tool
        try:
            value: Any = text if tool.text_input else msgspec.json.decode(text or "{}")
        except (msgspec.DecodeError, RecursionError):
            self._waiting.discard(id)
            self.put(ToolError(id, "the model's input for the tool is not JSON", tool.name, text))
            return
        metadata = tool.metadata if hints is None else {**(tool.metadata or {}), OURS: hints}
        self.put(ToolReady(id, tool.name, value, tool.provider_executed, tool.dynamic, tool.title, metadata))

    def is_whole(self, id: str) -> bool:
        """The input of an open call is a JSON object as it stands, which nothing can be added to."""
        growing = self._tools.get(id)
        if growing is None or not growing.pieces or not growing.pieces[-1].rstrip().endswith("}"):
            return False
        try:
            return isinstance(msgspec.json.decode("".join(growing.pieces)), dict)
        except (msgspec.DecodeError, RecursionError):
            return False

    def put_ready(self, ready: ToolReady) -> None:
        """The input of a call is complete, as the source says."""
        if self._tools.pop(ready.id, None) is None:
            self._await(ready)
        self._given.discard(ready.id)
        self.put(ready)

    def put_output(self, output: ToolOutput) -> None:
        """What a tool gave: its input is complete then, and nothing preliminary follows what is final."""
        self.ready_tool(output.id)
        if output.preliminary and output.id in self._given:
            return
        if not output.preliminary:
            self._given.add(output.id)
            self._answer(output.id)
        self.put(output)

    def put_error(self, error: ToolError) -> None:
        """A call has failed; its input is not asked for any more."""
        self._tools.pop(error.id, None)
        self._answer(error.id)
        self.put(error)

    def _await(self, call: ToolStart | ToolReady) -> None:
        """A call begins; what the provider runs itself is of the same step."""
        self._before_content(is_call=True)
        if not call.provider_executed:
            self._waiting.add(call.id)

    def _answer(self, id: str) -> None:
        """A call has its output, or has failed."""
        self._has_output = self._has_output or id in self._waiting
        self._waiting.discard(id)

    def has_tool(self, id: str) -> bool:
        """The call is open and its input not complete."""
        return id in self._tools

    def close_texts(self) -> None:
        """Close every text."""
        for id in list(self._texts):
            self.close_text(id)

    def close_reasonings(self, signature: str | None = None, metadata: Json | None = None) -> None:
        """Close every reasoning; with their seal, if the source has given it."""
        for id in list(self._reasonings):
            self.close_reasoning(id, signature=signature, metadata=metadata)

    def close_all(self, *, complete: bool = True) -> None:
        """Close what is open; a call only if its input is complete."""
        self.close_reasonings()
        self.close_texts()
        for id in list(self._tools) if complete else ():
            self.ready_tool(id)

    def use(
        self,
        input: int | None = None,
        output: int | None = None,
        details: Json | None = None,
        native: Json | None = None,
    ) -> None:
        """Tokens of the current response so far."""
        before = self._usage
        self._usage = merged(self._usage, Usage(input, output, details, native))
        if self._usage != before:
            self.put(added(self._usage_before, self._usage))

    def finish_with(self, reason: FinishReason, native: str = "", **more: Any) -> None:
        """The response has ended by itself; the finish is put when the source ends.

        Args:
            reason: why.
            native: the provider's word.
            more: further fields of `Finish`.
        """
        self._finish = Finish(reason, native, **more)

    def abort(self, reason: str) -> None:
        """Somebody stopped the source."""
        self.close_all(complete=False)
        self.put(Abort(reason))
        self.finish_with(FinishReason.INTERRUPTED)

    def put_finish(self) -> None:
        """Close what is open and put the finish, once."""
        if self._has_finished or self.failed is not None:
            return
        self.close_all(complete=self._finish is None or self._finish.reason is not FinishReason.INTERRUPTED)
        self._has_finished = True
        self.put(self._finish or Finish())

    def fail(self, code: str, message: str, native: Json | None = None) -> None:
        """The source has failed; the first error counts."""
        if self.failed is None and not self._has_finished:
            self.failed = Error(code, message, native)
            self.put(self.failed)


def filled(known: Start, other: Start) -> Start:
    """What is known, and what only the other one has."""
    new = {
        name: value for name in Start.__struct_fields__ if not getattr(known, name) and (value := getattr(other, name))
    }
    return msgspec.structs.replace(known, **new) if new else known
