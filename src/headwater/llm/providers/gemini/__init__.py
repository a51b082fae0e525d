"""Google's Gemini.

source   how it is read
dialect  how it is told
refusal  how it refuses
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qs

from headwater.llm.providers.gemini.dialect import Gemini, GeminiArray
from headwater.llm.providers.gemini.refusal import refuse
from headwater.llm.providers.gemini.source import GeminiVoice
from headwater.llm.providers.provider import Endpoint, Items, Provider


def _stream_of(query: str, body: dict[str, Any]) -> str:
    """The path says that it is a stream, the query whether of events, or as it is without a word, an array of JSON."""
    return {"sse": Gemini.name, "json": GeminiArray.name}.get(" ".join(parse_qs(query).get("alt", ["json"])), "")


_ARRAY: Final = "/v1/v1beta/models/MODEL:streamGenerateContent"
_EXAMPLES: Final = (f"{_ARRAY}?alt=sse", _ARRAY)
_STREAM: Final = Endpoint(re.compile(r":streamGenerateContent\Z"), Gemini.name, _stream_of, _EXAMPLES)

_ITEMS: Final = (
    Items(
        "responses of `google-genai`, or of the API",
        "also code that the model runs, pages that it cites, seals of thoughts",
        "a finish reason",
    ),
)

PROVIDER: Final = Provider(
    source=GeminiVoice, items=_ITEMS, dialects=(Gemini, GeminiArray), refuse=refuse, endpoints=(_STREAM,)
)
