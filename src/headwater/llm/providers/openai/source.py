"""OpenAI chat completions, as chunks or whole, and what others speak in their form."""

from __future__ import annotations

from typing import ClassVar

from headwater.errors import UnknownItem
from headwater.llm.parts import FinishReason, Foreign, Json, Source, ToolStart
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.source import OPENAI_REASONS, dict_of, dicts_of, number_of, numbers_of, text_of


class ChatVoice:
    """See `Voice`. Kept as `Foreign`: audio. Left out: logprobs, obfuscation, choices other than 0 when lenient."""

    dialect: ClassVar[str] = "openai"
    has_terminal: ClassVar[bool] = True

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        self.ended = False
        self._builder = builder
        self._lenient = lenient
        self._response = ""
        self._calls: dict[int, str] = {}

    def hear(self, event: Json) -> None:
        """See `Voice.hear`.

        Raises:
            UnknownItem: a second choice; a run has one answer.
        """
        if event.get("error"):
            self._fail(event["error"])
            return
        self._tell(event)
        for choice in dicts_of(event.get("choices")):
            if choice.get("index") not in (0, None):
                if self._lenient:
                    continue
                raise UnknownItem("the source gives several choices, a run has one answer; ask for n=1")
            self._take_delta(dict_of(choice.get("delta")) or dict_of(choice.get("message")))
            if reason := text_of(choice.get("finish_reason")):
                self.ended = True
                self._builder.close_all()
                self._builder.finish_with(OPENAI_REASONS.get(reason, FinishReason.OTHER), reason)
        usage = dict_of(event.get("usage"))
        if usage:
            details = numbers_of(usage, "prompt_tokens", "completion_tokens", "total_tokens")
            self._builder.use(number_of(usage.get("prompt_tokens")), number_of(usage.get("completion_tokens")), details)

    def _tell(self, event: Json) -> None:
        """Who answers; another id after an end is another response of the same run."""
        response = text_of(event.get("id"))
        if self.ended and response and response != self._response:
            self.ended = False
            self._calls = {}
            self._builder.new_response()
        self._response = response or self._response
        self._builder.start(response, text_of(event.get("model")), number_of(event.get("created")) or 0)

    def _take_delta(self, delta: Json) -> None:
        builder = self._builder
        # reasoning_content: DeepSeek, vLLM, llama.cpp; reasoning: OpenRouter, Ollama.
        builder.think(text_of(delta.get("reasoning_content")) or text_of(delta.get("reasoning")))
        content = delta.get("content")
        if isinstance(content, list):  # Mistral
            content = "".join(text_of(block.get("text")) for block in dicts_of(content))
        builder.say(text_of(content))
        builder.say(text_of(delta.get("refusal")), refusal=True)
        for note in dicts_of(delta.get("annotations")):
            cited = dict_of(note.get("url_citation"))
            if cited:
                url, title = text_of(cited.get("url")), text_of(cited.get("title"))
                builder.put(Source(builder.new_id("s"), url, title))
        for position, call in enumerate(dicts_of(delta.get("tool_calls"))):
            self._take_call(call, number_of(call.get("index")), position)
        if legacy := dict_of(delta.get("function_call")):
            self._take_call({"function": legacy}, 0, 0)
        if delta.get("audio"):
            builder.put(Foreign(self.dialect, {"audio": delta["audio"]}))

    def _take_call(self, call: Json, index: int | None, position: int) -> None:
        """A piece of a call. Without an index, as some providers have it, a new id is a new call."""
        builder, function, id = self._builder, dict_of(call.get("function")), text_of(call.get("id"))
        if index is None:
            index = position if not id or id in self._calls.values() else len(self._calls)
        if index not in self._calls:
            builder.close_texts()
            builder.close_reasonings()
            for earlier in self._calls.values():
                builder.ready_tool(earlier)
            self._calls[index] = id or builder.new_id("call_")
            is_custom = call.get("type") == "custom"
            name = text_of((dict_of(call.get("custom")) if is_custom else function).get("name"))
            builder.open_tool(ToolStart(self._calls[index], name, text_input=is_custom))
        custom = dict_of(call.get("custom"))
        if piece := text_of(function.get("arguments")) or text_of(custom.get("input")):
            builder.grow_tool(self._calls[index], piece)

    def _fail(self, error: object) -> None:
        facts = dict_of(error)
        self.ended = True
        code = facts.get("code") or facts.get("type") or "upstream-error"
        self._builder.fail(str(code), text_of(facts.get("message")) or str(error))
