"""OpenAI chat completions, as chunks or whole, and what others speak in their form.

Rule: a field that the vocabulary has no part for is kept as a `Foreign` part with a chunk that holds nothing else, and
told again in this dialect. What stands beside the choices is kept when it changes.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from headwater.llm.parts import OURS, File, FinishReason, Foreign, Json, Source
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.openai.calls import Calls
from headwater.llm.providers.reasons import OPENAI_REASONS
from headwater.llm.providers.source import (
    Voice,
    code_of,
    dict_of,
    dicts_of,
    error_in,
    field,
    fields_of,
    number_of,
    numbers_of,
    rest_of,
    text_of,
)

#: Fields that parts are made of; `obfuscation` is padding.
_OF_A_CHUNK: Final = {"id", "object", "created", "model", "choices", "usage", "obfuscation", "error"}
_OF_A_CHOICE: Final = {"index", "delta", "message", "text", "logprobs", "finish_reason"}
#: All that most deltas have.
_PLAIN: Final = {"role", "content"}
_OF_A_DELTA: Final = {
    *("role", "content", "reasoning_content", "reasoning", "refusal", "annotations", "tool_calls", "function_call"),
    *("images", "audio"),
}
#: The words for thinking: of DeepSeek, vLLM and llama.cpp, and of OpenRouter and Ollama.
_THINKING: Final = ("reasoning_content", "reasoning")
#: What the events of `chat.completions.stream()` repeat.
_HELPERS: Final = {
    *("content.delta", "content.done", "refusal.delta", "refusal.done"),
    *("tool_calls.function.arguments.delta", "tool_calls.function.arguments.done"),
    *("logprobs.content.delta", "logprobs.content.done", "logprobs.refusal.delta", "logprobs.refusal.done"),
}
#: What OpenAI streams; other formats do not come in pieces.
_AUDIO: Final = "audio/pcm"


class ChatVoice(Voice):
    """See `Voice`. Left out: padding, and of whole completions what is no choice."""

    dialect: ClassVar[str] = "openai"
    named_by: ClassVar[tuple[str, ...]] = ("object",)
    wires: ClassVar[Mapping[str, str]] = {"openai": "sse"}
    has_terminal = True

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        super().__init__(builder, lenient=lenient)
        self._response = ""
        self._calls = Calls(builder)
        self._who: tuple[Any, ...] = ()
        self._beside: Json = {}  # fields of the last chunk
        self._told: Json = {}  # fields of choices that were kept
        self._cited: list[Any] = []
        self._audio: list[str] = []

    @staticmethod
    def knows(item: Any, spoken: str) -> bool:
        """See `Voice.knows`."""
        if type(item) is dict and "choices" in item:
            return True
        kind = field(item, "type")
        if isinstance(kind, str) and (kind in _HELPERS or (kind == "chunk" and field(item, "chunk") is not None)):
            return True
        return isinstance(item, dict) and item.get("object") == "chat.completion.chunk"

    def hear(self, event: Any) -> None:
        """See `Voice.hear`. Of the helper for streams, whose events repeat the chunks, the chunks are heard."""
        if type(event) is not dict or ("choices" not in event and _is_of_helper(event)):
            chunk = fields_of(field(event, "chunk"))
            if chunk is None:
                return
            event = chunk
        if "choices" not in event or event.get("error"):
            error = error_in(event)
            if error is not None:
                self.ended = True
                self._builder.fail(code_of(error), text_of(error.get("message")) or str(error), {"openai": error})
                return
        choices = dicts_of(event.get("choices"))
        self._tell(event, bool(choices))
        for choice in choices:
            if choice.get("index") in (0, None):
                self._take_choice(choice)
            else:
                self._keep({"choices": [choice]}, content=True)
        if usage := dict_of(event.get("usage")):
            details = numbers_of(usage, "prompt_tokens", "completion_tokens", "total_tokens")
            read, written = number_of(usage.get("prompt_tokens")), number_of(usage.get("completion_tokens"))
            self._builder.use(read, written, details, {"openai": usage})

    def _tell(self, event: Json, has_choices: bool) -> None:
        """Who answers; another id after an end is another response of the same run, if it says something."""
        response = text_of(event.get("id"))
        if self.ended and has_choices and response and response != self._response:
            self.ended = False
            self._calls = Calls(self._builder)
            self._builder.new_response()
        self._response = response or self._response
        who = response, event.get("model"), event.get("created")
        if who != self._who:  # it stands in every chunk
            self._who = who
            self._builder.start(response, text_of(who[1]), number_of(who[2]) or 0)
        rest = rest_of(event, _OF_A_CHUNK)
        if rest != self._beside:
            news = {key: value for key, value in rest.items() if self._beside.get(key) != value}
            gone = {key: None for key in self._beside if key not in rest}
            self._beside = rest
            self._cite_all(news)
            if news or gone:
                self._keep(news | gone)

    def _news(self, rest: Json) -> Json:
        """What was not kept yet, or has changed."""
        if not rest:
            return rest
        news = {key: value for key, value in rest.items() if self._told.get(key) != value}
        self._told |= news
        return news

    def _cite_all(self, rest: Json) -> None:
        """The pages that Perplexity names beside the answer, whose text has their numbers."""
        found = dicts_of(rest.get("search_results"))
        titles = {text_of(page.get("url")): text_of(page.get("title")) for page in found}
        pages = rest.get("citations")
        for url in pages if isinstance(pages, list) else titles:
            if isinstance(url, str) and url not in self._cited:
                self._cited.append(url)
                self._builder.put(Source(self._builder.new_id("s"), url, titles.get(url, ""), metadata=_TOLD))

    def _take_choice(self, choice: Json) -> None:
        self._take_delta(dict_of(choice.get("delta")) or dict_of(choice.get("message")))
        if "text" in choice:  # of the completions before them
            self._builder.say(text_of(choice["text"]))
        if probabilities := choice.get("logprobs"):  # each chunk has its own
            self._keep({"choices": [{"index": 0, "delta": {}, "logprobs": probabilities}]})
        if (rest := rest_of(choice, _OF_A_CHOICE)) and (news := self._news(rest)):
            self._keep({"choices": [{"index": 0, "delta": {}, **news}]})
        reason = choice.get("finish_reason")
        if reason and isinstance(reason, str) and reason != "null":
            self._finish(reason)

    def _finish(self, reason: str) -> None:
        self.ended = True
        self._calls.end()
        self._builder.close_all()
        if any(self._audio):
            url = f"data:{_AUDIO};base64,{_joined(self._audio)}"
            self._audio = []
            self._builder.put(File(url, _AUDIO, metadata=_TOLD))
        self._builder.finish_with(OPENAI_REASONS.get(reason, FinishReason.OTHER), reason, dialect=self.dialect)

    def _take_delta(self, delta: Json) -> None:
        is_plain = delta.keys() <= _PLAIN  # the usual case
        builder = self._builder
        if not is_plain and (words := [word for word in _THINKING if delta.get(word)]):
            self._think(text_of(delta[words[0]]), words)
        content = delta.get("content")
        if content:
            self._calls.open_all()
            if isinstance(content, list):
                self._take_blocks(dicts_of(content))
            else:
                builder.say(text_of(content))
        if not is_plain:
            self._take_more(delta)

    def _take_more(self, delta: Json) -> None:
        builder = self._builder
        if refusal := text_of(delta.get("refusal")):
            self._calls.open_all()
            builder.say(refusal, refusal=True)
        for note in dicts_of(delta.get("annotations")):
            self._cite(note)
        calls = delta.get("tool_calls")
        self._calls.take(dicts_of([calls] if isinstance(calls, dict) else calls))
        if legacy := dict_of(delta.get("function_call")):
            self._calls.take([{"index": 0, "function": legacy}], is_legacy=True)
        for image in dicts_of(delta.get("images")):
            url = text_of(dict_of(image.get("image_url")).get("url"))
            builder.put(File(url, _media_type(url), metadata={"openai": {"image": image}}))
        if audio := dict_of(delta.get("audio")):
            self._audio.append(text_of(audio.get("data")))
            self._keep({"choices": [{"index": 0, "delta": {"audio": audio}}]})
        if rest := rest_of(delta, _OF_A_DELTA):
            self._keep({"choices": [{"index": 0, "delta": rest}]})

    def _think(self, text: str, words: list[str]) -> None:
        self._calls.open_all()
        self._builder.think(text, {OURS: {"fields": words}})

    def _take_blocks(self, blocks: list[Json]) -> None:
        """A content in blocks, as Mistral has it."""
        for block in blocks:
            if block.get("type") == "thinking":
                text = "".join(text_of(piece.get("text")) for piece in dicts_of(block.get("thinking")))
                self._builder.think(text, _IN_BLOCKS)
            elif block.get("type") == "text" or "text" in block:
                self._builder.say(text_of(block.get("text")), metadata=_IN_BLOCKS)
            else:
                self._keep({"choices": [{"index": 0, "delta": {"content": [block]}}]}, content=True)

    def _cite(self, note: Json) -> None:
        cited = dict_of(note.get("url_citation"))
        if not cited:
            self._keep({"choices": [{"index": 0, "delta": {"annotations": [note]}}]}, content=True)
            return
        url, title = text_of(cited.get("url")), text_of(cited.get("title"))
        place = number_of(cited.get("start_index")), number_of(cited.get("end_index"))
        metadata = {"openai": {"annotation": note}}
        self._builder.put(
            Source(self._builder.new_id("s"), url, title, metadata=metadata, start=place[0], end=place[1])
        )

    def _keep(self, chunk: Json, *, content: bool = False) -> None:
        self._builder.put(Foreign(self.dialect, chunk, content))


#: Of parts whose provider's own form is kept beside them.
_TOLD: Final[Json] = {OURS: {"told": "openai"}}
_IN_BLOCKS: Final[Json] = {OURS: {"fields": ["content"]}}


def _is_of_helper(event: Json) -> bool:
    return "chunk" in event or text_of(event.get("type")) in _HELPERS


def _media_type(url: str) -> str:
    """Of a data URL; of another image it is not known."""
    kind = url.removeprefix("data:").partition(";")[0]
    return kind if url.startswith("data:") and kind else "image/*"


def _joined(pieces: list[str]) -> str:
    """Base64 of all that pieces of it hold."""
    try:
        return b64encode(b"".join(b64decode(piece, validate=True) for piece in pieces)).decode()
    except (NotBase64, ValueError):
        return "".join(pieces)
