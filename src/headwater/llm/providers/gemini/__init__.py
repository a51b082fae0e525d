"""Google's Gemini.

source   how it is read
dialect  how it is told
refusal  how it refuses
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qs

from headwater.llm.providers.gemini.dialect import Gemini
from headwater.llm.providers.gemini.refusal import refuse
from headwater.llm.providers.gemini.source import GeminiVoice
from headwater.llm.providers.provider import Endpoint, Provider


def _asks_for_events(path: str, query: str, body: dict[str, Any]) -> bool:
    """The path says that it is a stream, the query that it is one of events, and no array of JSON."""
    return parse_qs(query).get("alt") == ["sse"]


_STREAM: Final = Endpoint(re.compile(r":streamGenerateContent\Z"), Gemini.name, _asks_for_events)

PROVIDER: Final = Provider(source=GeminiVoice, dialects=(Gemini,), refuse=refuse, endpoints=(_STREAM,))
