"""How Ollama refuses."""

from __future__ import annotations

from headwater.errors import HeadwaterError
from headwater.llm.providers.provider import Refusal


def refuse(error: HeadwaterError) -> Refusal:
    """See `Provider.refuse`."""
    return Refusal.of({"error": error.message})
