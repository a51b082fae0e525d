"""How Anthropic refuses, and what its SDK raises for an error within an answer."""

from __future__ import annotations

from typing import Final

from headwater.errors import HeadwaterError
from headwater.llm.parts import Error
from headwater.llm.providers.provider import Refusal, word_for
from headwater.llm.providers.source import SUCCESS, code_of, dict_of, text_of

_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}


def refuse(error: HeadwaterError) -> Refusal:
    """See `Provider.refuse`."""
    kind = word_for(error, _TYPES, "invalid_request_error", "api_error")
    return Refusal.of({"type": "error", "error": {"type": kind, "message": error.message}})


def raised(error: Exception) -> Error | None:
    """See `Provider.raised`. The SDK's error has the event as its `body`, and the status of success."""
    body = dict_of(getattr(error, "body", None))
    if body.get("type") != "error" or getattr(error, "status_code", None) not in (None, SUCCESS):
        return None
    said = dict_of(body.get("error"))
    return Error(text_of(said.get("type")) or code_of(said), text_of(said.get("message")), {"anthropic": body})
