"""The UI message stream of the AI SDK.

source      how it is read
dialect     how it is told
ui_message  a message of a client as the chunks that make it
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.ai_sdk.dialect import AiSdk, AiSdk7
from headwater.llm.providers.ai_sdk.source import AiSdkVoice
from headwater.llm.providers.provider import Provider, refuse_in_words

PROVIDER: Final = Provider(source=AiSdkVoice, dialects=(AiSdk, AiSdk7), refuse=refuse_in_words)
