"""How a text refuses: with the sentence."""

from __future__ import annotations

from headwater.errors import HeadwaterError
from headwater.llm.providers.provider import PLAIN_TEXT, Refusal


def refuse(error: HeadwaterError) -> Refusal:
    """See `Provider.refuse`."""
    return Refusal(PLAIN_TEXT, error.message.encode())
