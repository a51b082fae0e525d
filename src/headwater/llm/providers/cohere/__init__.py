"""Cohere.

source  how it is read
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.cohere.source import CohereVoice
from headwater.llm.providers.provider import Items, Provider

_ITEMS: Final = (
    Items("events of Cohere's `/v2/chat`, and its SDK's", "a plan for tools is thinking", "`message-end`"),
)

PROVIDER: Final = Provider(source=CohereVoice, items=_ITEMS)
