"""How a chat route of the AI SDK refuses: the body's text is the message of the error that `useChat` shows."""

from __future__ import annotations

from headwater.errors import HeadwaterError
from headwater.llm.providers.provider import PLAIN_TEXT, Refusal


def refuse(error: HeadwaterError) -> Refusal:
    """See `Provider.refuse`."""
    return Refusal(PLAIN_TEXT, error.message.encode())
