"""Mistral's conversations and agents.

source  how it is read
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.mistral_conversations.source import ConversationVoice
from headwater.llm.providers.provider import Provider

PROVIDER: Final = Provider(source=ConversationVoice)
