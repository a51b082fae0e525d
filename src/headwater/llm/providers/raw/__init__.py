"""The parts as they are stored.

dialect  how it is told
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.provider import Provider
from headwater.llm.providers.raw.dialect import RawParts

PROVIDER: Final = Provider(dialects=(RawParts,))
