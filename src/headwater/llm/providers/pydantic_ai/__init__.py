"""Pydantic AI.

source  how it is read
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.provider import Items, Provider
from headwater.llm.providers.pydantic_ai.source import PydanticAiVoice

_ITEMS: Final = (Items("events of Pydantic AI", "the agent's run, or the model's stream alone"),)

PROVIDER: Final = Provider(source=PydanticAiVoice, items=_ITEMS)
