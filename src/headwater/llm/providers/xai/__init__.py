"""xAI's own SDK; its HTTP API is in the form of OpenAI.

source  how it is read
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.provider import Items, Provider
from headwater.llm.providers.xai.source import XaiVoice

_ITEMS: Final = (
    Items(
        "pairs of `xai_sdk`'s `chat.stream()`",
        "also calls that xAI runs; its HTTP API is in OpenAI's form",
        "a finish reason",
    ),
)

PROVIDER: Final = Provider(source=XaiVoice, items=_ITEMS)
