"""xAI's own SDK; its HTTP API is in the form of OpenAI.

source  how it is read
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.provider import Provider
from headwater.llm.providers.xai.source import XaiVoice

PROVIDER: Final = Provider(source=XaiVoice)
