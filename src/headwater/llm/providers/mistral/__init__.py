"""Mistral's SDK.

source  how it is read
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.mistral.source import MistralVoice
from headwater.llm.providers.provider import Items, Provider

_ITEMS: Final = (Items("events of Mistral's SDK", "chat completions in blocks", "a finish reason"),)

PROVIDER: Final = Provider(source=MistralVoice, items=_ITEMS)
