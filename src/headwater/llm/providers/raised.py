"""Exceptions of SDKs that are an event of a provider's answer, by their shape: no SDK is imported."""

from __future__ import annotations

from typing import Final

from headwater.llm.parts import Error
from headwater.llm.providers.source import code_of, dict_of, text_of

_SUCCESS: Final = 200


def error_within_answer(error: Exception) -> Error | None:
    """The error that a provider has sent in an answer that had begun; None: it is another one.

    The SDKs of OpenAI and Anthropic raise it with the event as its `body`, and with no status, or that of success. A
    refusal of the request is another one: its text may show a key.
    """
    raw = getattr(error, "body", None)
    if isinstance(raw, str) and raw and type(error).__name__ == "APIError":  # of a gateway, with no object
        return Error("upstream-error", raw, {"openai": raw})
    body = dict_of(raw)
    if not body or getattr(error, "status_code", None) not in (None, _SUCCESS):
        return None
    is_anthropic = body.get("type") == "error"
    said = dict_of(body.get("error")) if is_anthropic else body
    code, message = code_of(said), text_of(said.get("message"))
    if is_anthropic:
        return Error(text_of(said.get("type")) or code, message, {"anthropic": body})
    event = {"type": "error", "code": code, "message": message, "param": said.get("param"), "error": body}
    return Error(code, message, {"openai": body, "openai-responses": event})
