"""How Gemini refuses."""

from __future__ import annotations

from typing import Final

from headwater.errors import HeadwaterError
from headwater.llm.providers.provider import Refusal, word_for

_STATUSES: Final = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def refuse(error: HeadwaterError) -> Refusal:
    """See `Provider.refuse`."""
    status = word_for(error, _STATUSES, "INVALID_ARGUMENT", "INTERNAL")
    return Refusal.of({"error": {"code": error.status, "message": error.message, "status": status}})
