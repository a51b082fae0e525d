"""Mistral's SDK: events whose `data` is a chunk of a chat completion, in OpenAI's form with blocks."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from headwater.llm.parts import Json
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.openai.source import ChatVoice
from headwater.llm.providers.source import Voice, dict_of


class MistralVoice(Voice):
    """See `Voice`."""

    dialect: ClassVar[str] = "mistral"
    has_terminal = True

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        super().__init__(builder, lenient=lenient)
        self._chat: Final = ChatVoice(builder, lenient=lenient)

    @staticmethod
    def knows(item: Any, spoken: str) -> bool:
        """See `Voice.knows`."""
        return isinstance(item, dict) and isinstance(item.get("data"), dict) and "choices" in item["data"]

    @classmethod
    def may_add(cls, item: Json) -> bool:
        """See `Voice.may_add`: what is in the envelope has the name, or the envelope."""
        return super().may_add(item) or ChatVoice.may_add(dict_of(item.get("data")))

    def hear(self, event: Json) -> None:
        """See `Voice.hear`."""
        self._chat.hear(dict_of(event.get("data")))
        self.ended = self._chat.ended
