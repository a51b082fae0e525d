"""Ollama's own API: the lines of `/api/chat` and `/api/generate`, and the objects of its SDK."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from headwater.llm.parts import File, Foreign, Json, ToolReady
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.reasons import reason_of
from headwater.llm.providers.source import (
    Voice,
    dict_of,
    dicts_of,
    error_in,
    number_of,
    numbers_of,
    plain,
    rest_of,
    text_of,
)

_OF_A_LINE: Final = {
    *("model", "created_at", "message", "response", "thinking", "done", "done_reason"),
    *("prompt_eval_count", "eval_count", "image"),
}
_FIGURES: Final = (
    *("total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration", "eval_count", "eval_duration"),
)


class OllamaVoice(Voice):
    """See `Voice`. Kept as `Foreign`: what else a line has, such as log probabilities."""

    dialect: ClassVar[str] = "ollama"
    named_by: ClassVar[tuple[str, ...]] = ("model",)
    wires: ClassVar[Mapping[str, str]] = {"ollama": "lines"}
    has_terminal = True
    ends_stream: ClassVar[bool] = True

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        super().__init__(builder, lenient=lenient)
        self._has_called = False

    @staticmethod
    def knows(item: Any, spoken: str) -> bool:
        """See `Voice.knows`."""
        if not isinstance(item, dict) or "choices" in item or "type" in item:
            return False
        says = isinstance(item.get("message"), dict) or isinstance(item.get("response"), str)
        return says and isinstance(item.get("model"), str) and ("done" in item or "created_at" in item)

    def hear(self, event: Json) -> None:
        """See `Voice.hear`."""
        error = error_in(event) if "error" in event else None
        if error is not None:
            self.ended = True
            message = text_of(error.get("message"))
            self._builder.fail("upstream-error", message, {self.dialect: {"error": message}})
            return
        if self.ended:
            self.ended = self._has_called = False
            self._builder.new_response()
        self._builder.start("", text_of(event.get("model")))
        self._take(dict_of(event.get("message")) or event)
        rest = {key: value for key, value in rest_of(event, _OF_A_LINE).items() if key not in _FIGURES}
        if rest and any(value is not None for value in rest.values()):
            self._builder.put(Foreign(self.dialect, plain(rest)))
        if event.get("done") is True:
            self._finish(event)

    def _take(self, message: Json) -> None:
        builder = self._builder
        builder.think(text_of(message.get("thinking")))
        builder.say(text_of(message.get("content")) or text_of(message.get("response")))
        images = message.get("images")
        for image in [*(images if isinstance(images, list | tuple) else ()), message.get("image")]:
            if not image:
                continue
            builder.put(File(f"data:image/png;base64,{text_of(plain(image))}", "image/png"))
        for call in dicts_of(message.get("tool_calls")):
            function = dict_of(call.get("function"))
            self._has_called = True
            builder.close_all()
            id = text_of(call.get("id")) or builder.new_id("call_")
            builder.put_ready(ToolReady(id, text_of(function.get("name")), plain(function.get("arguments") or {})))

    def _finish(self, event: Json) -> None:
        self.ended = True
        self._builder.close_all()
        own = {name: event[name] for name in _FIGURES if event.get(name) is not None}
        read, written = number_of(event.get("prompt_eval_count")), number_of(event.get("eval_count"))
        if own:
            details = numbers_of(own, "prompt_eval_count", "eval_count")
            self._builder.use(read, written, details, {self.dialect: own})
        word = text_of(event.get("done_reason")) or "stop"
        self._builder.finish_with(reason_of(word, has_called=self._has_called), word, dialect=self.dialect)
