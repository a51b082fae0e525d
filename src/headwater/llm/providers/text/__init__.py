"""The text itself.

dialect  how it is told
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.provider import Provider, refuse_in_words
from headwater.llm.providers.text.dialect import PlainText

PROVIDER: Final = Provider(dialects=(PlainText,), refuse=refuse_in_words)
