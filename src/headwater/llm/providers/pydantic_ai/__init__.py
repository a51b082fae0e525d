"""Pydantic AI.

source  how it is read
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.provider import Provider
from headwater.llm.providers.pydantic_ai.source import PydanticAiVoice

PROVIDER: Final = Provider(source=PydanticAiVoice)
