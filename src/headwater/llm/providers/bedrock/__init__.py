"""Amazon Bedrock's Converse.

source  how it is read
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.bedrock.source import BedrockVoice
from headwater.llm.providers.provider import Items, Provider

_ITEMS: Final = (
    Items("events of Bedrock's `converse_stream`", "also its errors, citations and sealed thinking", "`messageStop`"),
)

PROVIDER: Final = Provider(source=BedrockVoice, items=_ITEMS)
