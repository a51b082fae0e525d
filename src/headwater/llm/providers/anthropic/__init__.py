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
from headwater.llm.providers.provider import Endpoint, Provider

#: Of Anthropic, and of those who have it below a path of their own; not the messages of OpenAI's threads.
_PATH: Final = r"\A(?:/v1){1,2}(?:/anthropic(?:/v1)?)?/messages\Z"
_MESSAGES: Final = Endpoint.of(_PATH, Anthropic.name)

PROVIDER: Final = Provider(
    source=AnthropicVoice, dialects=(Anthropic,), refuse=refuse, raised=raised, endpoints=(_MESSAGES,)
)
