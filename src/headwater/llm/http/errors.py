"""Refusals in the words of the client that asked: the status is HTTP's, the body is what its SDK reads.

| dialect | body |
| --- | --- |
| `openai`, `openai-responses` | `{"error": {"message", "type", "param", "code"}}` |
| `anthropic` | `{"type": "error", "error": {"type", "message"}}` |
| `ai-sdk`, `ai-sdk-7`, `text` | the sentence: what `useChat` shows as the error's message |
| all others | a JSON problem, as everywhere in Headwater |
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from headwater.errors import HeadwaterError
from headwater.protocol import names, responses
from headwater.protocol.responses import Answer

_OPENAI_TYPES: Final = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
_ANTHROPIC_TYPES: Final = {
    **_OPENAI_TYPES,
    413: "request_too_large",
    503: "overloaded_error",
}


def refusal(error: HeadwaterError, dialect: str) -> Answer:
    """An error as the answer to a request in a dialect; of a name that is none, as a problem."""
    plain = responses.failed(error)
    match dialect:
        case "openai" | "openai-responses":
            kind = _OPENAI_TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "server_error")
            fields = {"message": error.message, "type": kind, "param": None, "code": error.code}
            return _with_body(plain, b"application/json", {"error": fields})
        case "anthropic":
            kind = _ANTHROPIC_TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "api_error")
            return _with_body(
                plain, b"application/json", {"type": "error", "error": {"type": kind, "message": error.message}}
            )
        case "ai-sdk" | "ai-sdk-7" | "text":
            return _with_body(plain, b"text/plain; charset=utf-8", error.message.encode())
    return plain


def _with_body(answer: Answer, media_type: bytes, value: Any) -> Answer:
    headers = [(name, media_type if name == names.CONTENT_TYPE else field) for name, field in answer.headers]
    body = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return msgspec.structs.replace(answer, headers=headers, body=body)
