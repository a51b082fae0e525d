"""How OpenAI refuses, and what its SDK raises for an error within an answer. Responses are refused so, too."""

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
    429: "rate_limit_error",
}


def refuse(error: HeadwaterError) -> Refusal:
    """See `Provider.refuse`."""
    kind = word_for(error, _TYPES, "invalid_request_error", "server_error")
    return Refusal.of({"error": {"message": error.message, "type": kind, "param": None, "code": error.code}})


def raised(error: Exception) -> Error | None:
    """See `Provider.raised`. The SDK raises `APIError` with the event's error as its `body`, and with no status."""
    raw = getattr(error, "body", None)
    if isinstance(raw, str) and raw and type(error).__name__ == "APIError":  # of a gateway, with no object
        return Error("upstream-error", raw, {"openai": raw})
    said = dict_of(raw)
    if not said or said.get("type") == "error" or getattr(error, "status_code", None) not in (None, SUCCESS):
        return None
    code, message = code_of(said), text_of(said.get("message"))
    event = {"type": "error", "code": code, "message": message, "param": said.get("param"), "error": said}
    return Error(code, message, {"openai": said, "openai-responses": event})
