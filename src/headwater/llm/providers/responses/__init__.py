"""OpenAI Responses.

source   how it is read
hosted   items of tools that OpenAI runs, as calls with results
dialect  how it is told
items    the items of its output, as they are told
"""

from __future__ import annotations

from typing import Final

from headwater.llm.providers.openai.refusal import refuse
from headwater.llm.providers.provider import Endpoint, Items, Provider
from headwater.llm.providers.responses.dialect import Responses
from headwater.llm.providers.responses.source import ResponsesVoice

_RESPONSES: Final = Endpoint.of(r"/responses\Z", Responses.name, "/v1/responses")

_ITEMS: Final = (
    Items(
        "events of OpenAI's Responses",
        "calls of tools that OpenAI runs are calls with results",
        "`response.completed`, `.failed` or `.incomplete`",
    ),
)

PROVIDER: Final = Provider(
    source=ResponsesVoice, items=_ITEMS, dialects=(Responses,), refuse=refuse, endpoints=(_RESPONSES,)
)
