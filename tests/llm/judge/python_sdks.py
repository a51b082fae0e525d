"""What the SDKs of Python give their user, of `create` and of the helper for streams, as plain values."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from functools import cache
from typing import Any

import anthropic
import httpx2
import openai

Json = dict[str, Any]

MESSAGES: Any = [{"role": "user", "content": "hi"}]
TIMEOUT = 60.0
#: Errors that the SDKs document; any other exception is one of the SDK itself: it cannot read what it was sent.
TOLD = (openai.APIError, anthropic.APIError, httpx2.HTTPError)


@cache
def _openai(url: str) -> openai.OpenAI:
    return openai.OpenAI(api_key="key", base_url=url, max_retries=0, timeout=TIMEOUT)


@cache
def _anthropic(url: str) -> anthropic.Anthropic:
    return anthropic.Anthropic(api_key="key", base_url=url, max_retries=0, timeout=TIMEOUT)


def create(api: str, url: str, model: str, headers: dict[str, str]) -> Json:
    """All events of a stream, and what it ended with."""
    events: list[Any] = []
    found: Json = {"events": events}
    try:
        with ExitStack() as stack:
            events.extend(map(dumped, stack.enter_context(_begin(api, url, model, headers))))
    except Exception as error:
        found["error"] = _told(error)
    return found


def stream(api: str, url: str, model: str, headers: dict[str, str]) -> Json:
    """What the helper for streams puts together, and what it ended with."""
    found: Json = {}
    try:
        with warnings.catch_warnings(action="ignore"), _helper(api, url, model, headers) as helper:
            if api == "chat":
                found["final"] = dumped(helper.get_final_completion())
            elif api == "responses":
                found["final"] = dumped(helper.get_final_response())
            else:
                found["final"] = dumped(helper.get_final_message())
    except Exception as error:
        found["error"] = _told(error)
    return found


def _begin(api: str, url: str, model: str, headers: dict[str, str]) -> Any:
    if api == "chat":
        chat = _openai(url).chat.completions
        return chat.create(model=model, messages=MESSAGES, stream=True, extra_headers=headers)
    if api == "responses":
        return _openai(url).responses.create(model=model, input="hi", stream=True, extra_headers=headers)
    messages = _anthropic(url).messages
    return messages.create(model=model, max_tokens=9, messages=MESSAGES, stream=True, extra_headers=headers)


def _helper(api: str, url: str, model: str, headers: dict[str, str]) -> Any:
    if api == "chat":
        return _openai(url).chat.completions.stream(model=model, messages=MESSAGES, extra_headers=headers)
    if api == "responses":
        return _openai(url).responses.stream(model=model, input="hi", extra_headers=headers)
    messages = _anthropic(url).messages
    return messages.stream(model=model, max_tokens=9, messages=MESSAGES, extra_headers=headers)


def dumped(value: Any) -> Any:
    """A model's fields that were sent."""
    return value.model_dump(mode="json", exclude_unset=True, warnings=False)


def _told(error: Exception) -> Json:
    body = getattr(error, "body", None)
    return {"name": type(error).__name__, "message": str(error), "body": body, "is_told": isinstance(error, TOLD)}
