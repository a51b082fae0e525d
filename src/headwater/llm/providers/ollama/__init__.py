"""Ollama's own API.

source   how it is read
dialect  how it is told
refusal  how it refuses
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.ollama.dialect import Ollama
from headwater.llm.providers.ollama.refusal import refuse
from headwater.llm.providers.ollama.source import OllamaVoice
from headwater.llm.providers.provider import Endpoint, Items, Provider

_CHAT: Final = Endpoint.of(r"/api/(?:chat|generate)\Z", Ollama.name, "/v1/api/chat", "/v1/api/generate", default=True)

_ITEMS: Final = (Items("lines of Ollama, or its SDK's objects", "of `/api/chat` and `/api/generate`", "`done`"),)

PROVIDER: Final = Provider(source=OllamaVoice, items=_ITEMS, dialects=(Ollama,), refuse=refuse, endpoints=(_CHAT,))
