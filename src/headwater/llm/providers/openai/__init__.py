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
from headwater.llm.providers.provider import Endpoint, Items, Provider

_COMPLETIONS: Final = Endpoint.of(r"/(?:chat/)?completions\Z", OpenAI.name, "/v1/chat/completions", "/v1/completions")

_ITEMS: Final = (
    Items(
        "chunks of OpenAI's chat completions",
        "also `reasoning_content`, `citations` and `search_results` as Perplexity has them, calls without `index`, "
        "whole completions; choices but the first are for readers of `openai`",
        "a finish reason",
    ),
    Items("events of `chat.completions.stream()`", "the chunks in them; the others repeat these", "a finish reason"),
)

PROVIDER: Final = Provider(
    source=ChatVoice, items=_ITEMS, dialects=(OpenAI,), refuse=refuse, raised=raised, endpoints=(_COMPLETIONS,)
)
