"""Ollama's own API.

source   how it is read
dialect  how it is told
refusal  how it refuses
"""

from __future__ import annotations

import re
from typing import Any, Final

from headwater.llm.providers.ollama.dialect import Ollama
from headwater.llm.providers.ollama.refusal import refuse
from headwater.llm.providers.ollama.source import OllamaVoice
from headwater.llm.providers.provider import Endpoint, Provider


def _asks_for_lines(path: str, query: str, body: dict[str, Any]) -> bool:
    """It streams unless it is told not to."""
    return body.get("stream", True) is True


_CHAT: Final = Endpoint(re.compile(r"/api/(?:chat|generate)\Z"), Ollama.name, _asks_for_lines)

PROVIDER: Final = Provider(source=OllamaVoice, dialects=(Ollama,), refuse=refuse, endpoints=(_CHAT,))
