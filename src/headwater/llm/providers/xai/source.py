"""xAI's own SDK: `chat.stream()` gives pairs, the response so far and the chunk by which it grew.

Rule: the chunk is said; what only the whole response has (why it stopped, tokens, pages) is said at the end.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from headwater.llm.parts import FinishReason, Json, Source, ToolError, ToolOutput, ToolReady
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.source import Voice, field, number_of, text_of, value_of

_REASONS: Final = {
    "REASON_STOP": FinishReason.STOP,
    "REASON_MAX_LEN": FinishReason.LENGTH,
    "REASON_MAX_CONTEXT": FinishReason.LENGTH,
    "REASON_TOOL_CALLS": FinishReason.TOOL_CALLS,
}
_SOME: Final = ("content", "reasoning_content", "tool_calls")
#: The type of a call that the client is to run; xAI runs the others.
_OF_THE_CLIENT: Final = (0, 1)
_FAILED: Final = 4


class XaiVoice(Voice):
    """See `Voice`."""

    dialect: ClassVar[str] = "xai"

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        super().__init__(builder, lenient=lenient)
        self._response: Any = None
        self._told: set[str] = set()

    @staticmethod
    def knows(item: Any, spoken: str) -> bool:
        """See `Voice.knows`."""
        if not isinstance(item, tuple) or len(item) != 2:
            return False
        response, chunk = item
        return all(hasattr(chunk, name) for name in _SOME) and hasattr(response, "process_chunk")

    def hear(self, event: Any) -> None:
        """See `Voice.hear`."""
        self._response, chunk = event
        proto = field(chunk, "proto")
        self._builder.start(text_of(field(proto, "id")), text_of(field(proto, "model")))
        self._builder.think(text_of(chunk.reasoning_content))
        self._builder.say(text_of(chunk.content))
        for call in chunk.tool_calls or ():
            self._call(call)
        for url in field(chunk, "citations") or ():
            self._cite(text_of(url))

    def _call(self, call: Any) -> None:
        id, function = text_of(field(call, "id")), field(call, "function")
        is_own = field(call, "type") not in (None, *_OF_THE_CLIENT)
        if id in self._told and is_own:  # it is told again when it is done
            message = text_of(field(call, "error_message"))
            failed = field(call, "status") == _FAILED or message
            outcome = ToolError(id, message or "failed") if failed else ToolOutput(id, {"status": "completed"})
            self._builder.put_error(outcome) if isinstance(outcome, ToolError) else self._builder.put_output(outcome)
        elif id not in self._told:
            self._told.add(id)
            self._builder.close_all()
            arguments = value_of(text_of(field(function, "arguments")))
            self._builder.put_ready(ToolReady(id, text_of(field(function, "name")), arguments, is_own))

    def _cite(self, url: str) -> None:
        if url and url not in self._told:
            self._told.add(url)
            self._builder.put(Source(self._builder.new_id("s"), url))

    def finish(self) -> None:
        """See `Voice.finish`. The provider has no last event; without a reason the answer was cut."""
        response = self._response
        word = text_of(field(response, "finish_reason"))
        if word not in _REASONS:
            self.has_terminal = True
            return
        self.ended = True
        self._use(field(response, "usage"))
        self._builder.close_all()
        self._builder.finish_with(_REASONS[word], word, dialect=self.dialect)

    def _use(self, usage: Any) -> None:
        names = ("reasoning_tokens", "cached_prompt_text_tokens", "num_sources_used")
        details: Json = {name: count for name in names if (count := number_of(field(usage, name)))}
        read, written = number_of(field(usage, "prompt_tokens")), number_of(field(usage, "completion_tokens"))
        self._builder.use(read, written, details or None)
