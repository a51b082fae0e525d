"""What every tutorial parses.

dialect  how it is told
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.plain.dialect import Plain
from headwater.llm.providers.provider import Provider

PROVIDER: Final = Provider(dialects=(Plain,))
