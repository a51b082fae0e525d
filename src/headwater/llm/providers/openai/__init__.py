"""OpenAI chat completions, and what others speak in their form.

source      how it is read
calls       pieces of calls, as parts
dialect     how it is told
told_calls  the calls of a run, as pieces
refusal     how it refuses
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.openai.dialect import OpenAI
from headwater.llm.providers.openai.refusal import raised, refuse
from headwater.llm.providers.openai.source import ChatVoice
from headwater.llm.providers.provider import Endpoint, Provider

_COMPLETIONS: Final = Endpoint.of(r"/(?:chat/)?completions\Z", OpenAI.name)

PROVIDER: Final = Provider(
    source=ChatVoice, dialects=(OpenAI,), refuse=refuse, raised=raised, endpoints=(_COMPLETIONS,)
)
