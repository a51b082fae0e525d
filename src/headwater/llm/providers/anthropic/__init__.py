"""Anthropic messages.

source   how it is read
dialect  how it is told
refusal  how it refuses
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.anthropic.dialect import Anthropic
from headwater.llm.providers.anthropic.refusal import raised, refuse
from headwater.llm.providers.anthropic.source import AnthropicVoice
from headwater.llm.providers.provider import Endpoint, Items, Provider

#: Of Anthropic, and of those who have it below a path of their own; not the messages of OpenAI's threads.
_PATH: Final = r"\A(?:/v1){1,2}(?:/anthropic(?:/v1)?)?/messages\Z"
_MESSAGES: Final = Endpoint.of(_PATH, Anthropic.name, "/v1/messages")

_ITEMS: Final = (
    Items("events of Anthropic's messages", "the helper's events beside them add nothing", "`message_stop`"),
)

PROVIDER: Final = Provider(
    source=AnthropicVoice, items=_ITEMS, dialects=(Anthropic,), refuse=refuse, raised=raised, endpoints=(_MESSAGES,)
)
