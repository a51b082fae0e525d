"""Exceptions of SDKs as a source's error: what the provider said within its answer is told, and nothing else."""

from __future__ import annotations

from typing import Any

import anthropic
import httpx2
import openai
import pytest
from tests.llm import sdks

from headwater.llm.parts import Error
from headwater.llm.providers.registry import error_within_answer
from headwater.llm.runs.production import describe_source_error

SECRET = {"message": "Incorrect API key provided: sk-123", "type": "invalid_request_error"}
REQUEST = httpx2.Request("POST", "http://provider.test")


def raised(call: Any) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the SDK chooses it
        for _ in call():
            pass
    return caught.value


def test_an_error_within_an_answer_is_told_as_it_came() -> None:
    said = {"message": "Provider returned error", "code": 502, "metadata": {"provider_name": "X"}}
    body = (
        b'data: {"error": {"message": "Provider returned error", "code": 502, "metadata": {"provider_name": "X"}}}\n\n'
    )
    chat = sdks.openai(body).chat.completions
    found = describe_source_error(raised(lambda: chat.create(model="m", messages=[], stream=True)))
    assert (found.code, found.message) == ("502", "Provider returned error")
    assert found.native is not None
    assert found.native["openai"] == said


def test_that_of_anthropic_too() -> None:
    event = b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}\n\n'
    messages = sdks.anthropic(event).messages
    error = raised(lambda: messages.create(model="m", max_tokens=5, messages=[], stream=True))
    own = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    assert describe_source_error(error) == Error("overloaded_error", "Overloaded", {"anthropic": own})


@pytest.mark.parametrize("made", [openai.AuthenticationError, anthropic.AuthenticationError])
def test_a_refusal_of_the_request_is_not(made: Any) -> None:
    """Its text may show a key."""
    error = made("no", response=httpx2.Response(401, request=REQUEST), body=SECRET)
    assert error_within_answer(error) is None
    assert "sk-" not in describe_source_error(error).message


@pytest.mark.parametrize("body", [None, "", [1], {}, "sk-123"])
def test_nor_is_what_has_no_such_body(body: Any) -> None:
    error = type("HTTPError", (Exception,), {"body": body})()
    assert error_within_answer(error) is None
