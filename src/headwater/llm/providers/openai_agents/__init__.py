"""OpenAI's Agents SDK.

source  how it is read
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.openai_agents.source import AgentsVoice
from headwater.llm.providers.provider import Provider

PROVIDER: Final = Provider(source=AgentsVoice)
