"""OpenAI's Agents SDK.

source  how it is read
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.openai_agents.source import AgentsVoice
from headwater.llm.providers.provider import Items, Provider

_ITEMS: Final = (
    Items(
        "events of OpenAI's Agents SDK",
        "the model's events, and what the tools gave",
        "that of the model, if it is streamed",
    ),
)

PROVIDER: Final = Provider(source=AgentsVoice, items=_ITEMS)
