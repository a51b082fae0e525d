"""Mistral's SDK.

source  how it is read
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.mistral.source import MistralVoice
from headwater.llm.providers.provider import Provider

PROVIDER: Final = Provider(source=MistralVoice)
