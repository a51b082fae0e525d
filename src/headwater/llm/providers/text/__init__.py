"""The text itself.

dialect  how it is told
refusal  how it refuses
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.provider import Provider
from headwater.llm.providers.text.dialect import PlainText
from headwater.llm.providers.text.refusal import refuse

PROVIDER: Final = Provider(dialects=(PlainText,), refuse=refuse)
