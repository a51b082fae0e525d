"""Mistral's conversations and agents.

source  how it is read
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.mistral_conversations.source import ConversationVoice
from headwater.llm.providers.provider import Items, Provider

_ITEMS: Final = (
    Items(
        "events of Mistral's conversations and agents",
        "also tools that Mistral runs, calls that wait for an approval, pages",
        "`conversation.response.done`",
    ),
)

PROVIDER: Final = Provider(source=ConversationVoice, items=_ITEMS)
