"""Cohere.

source  how it is read
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.cohere.source import CohereVoice
from headwater.llm.providers.provider import Provider

PROVIDER: Final = Provider(source=CohereVoice)
