"""LlamaIndex.

source  how it is read
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.llama_index.source import LlamaIndexVoice
from headwater.llm.providers.provider import Items, Provider

_ITEMS: Final = (Items("responses and workflow events of LlamaIndex", "what each grew by"),)

PROVIDER: Final = Provider(source=LlamaIndexVoice, items=_ITEMS)
