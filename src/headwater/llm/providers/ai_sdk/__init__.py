"""The UI message stream of the AI SDK.

source      how it is read
dialect     how it is told
ui_message  a message of a client as the chunks that make it
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.ai_sdk.dialect import AiSdk, AiSdk7
from headwater.llm.providers.ai_sdk.source import AiSdkVoice
from headwater.llm.providers.provider import Items, Provider, refuse_in_words

_ITEMS: Final = (Items("chunks of the AI SDK, also those of Pydantic AI's adapter", "all, `data-*` included"),)

PROVIDER: Final = Provider(source=AiSdkVoice, items=_ITEMS, dialects=(AiSdk, AiSdk7), refuse=refuse_in_words)
