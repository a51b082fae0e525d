"""Amazon Bedrock's Converse.

source  how it is read
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.bedrock.source import BedrockVoice
from headwater.llm.providers.provider import Provider

PROVIDER: Final = Provider(source=BedrockVoice)
