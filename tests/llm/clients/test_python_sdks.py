"""The stock Python SDKs as judges: what they report of a run, at every kind of end."""

from __future__ import annotations

from typing import Any

import anthropic
import openai
import pytest
from openai.types.responses import Response
from tests.llm import sdks
from tests.llm.sample_runs import BAD, ENDINGS, SAYING, TEXT, told, told_late

from headwater.llm.providers.dialect import End, Ending
from headwater.llm.providers.registry import dialect

GOOD = [ending for ending in ENDINGS if ending not in BAD]
BODIES = {"live": told, "late": told_late}


def with_keepalives(body: bytes, name: str) -> list[bytes]:
    """The body in pieces of one event, each followed by what keeps a connection alive."""
    comment = dialect(name).keepalive()
    return [piece + b"\n\n" + comment for piece in body.split(b"\n\n")[:-1]]


def pieces_of(name: str, ending: str, how: str) -> list[bytes]:
    return with_keepalives(BODIES[how](name, *ENDINGS[ending]), name)


def detached(name: str) -> list[bytes]:
    made = dialect(name)
    return [made.encode(SAYING, ["1"] * len(SAYING)), made.end(Ending(End.DETACHED))]


class Chat:
    """What a client of chat completions keeps."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.text = self.reasoning = self.arguments = ""
        self.finish: str | None = None
        self.tokens: int | None = None
        self.ids: set[str] = set()
        self.error: openai.APIError | None = None
        try:
            self._read(pieces)
        except openai.APIError as error:
            self.error = error

    def _read(self, pieces: list[bytes]) -> None:
        completions = sdks.openai(*pieces).chat.completions
        for chunk in completions.create(model="m", messages=[], stream=True):
            self.ids.add(chunk.id)
            self.tokens = chunk.usage.total_tokens if chunk.usage else self.tokens
            for choice in chunk.choices:
                self.text += choice.delta.content or ""
                self.reasoning += getattr(choice.delta, "reasoning_content", None) or ""
                self.finish = choice.finish_reason or self.finish
                for call in choice.delta.tool_calls or []:
                    assert call.function is not None
                    self.arguments += call.function.arguments or ""


@pytest.mark.parametrize("how", BODIES)
@pytest.mark.parametrize("ending", ENDINGS)
def test_chat_completions(ending: str, how: str) -> None:
    """Text, finish reason and tokens; or an `APIError` with the run's own message and code."""
    seen = Chat(pieces_of("openai", ending, how))
    assert (seen.text, seen.ids) == (TEXT, {"msg-1"})
    if ending in GOOD:
        assert seen.error is None
        assert seen.finish == {"finished": "stop", "length": "length", "tools": "tool_calls"}[ending]
        assert seen.tokens == 18
        if ending == "tools":
            assert (seen.reasoning, seen.arguments) == ("Let me think.", '{"city": "Köln"}')
    else:
        failure = ENDINGS[ending][1]
        assert failure is not None
        assert seen.finish is None
        assert seen.error is not None
        assert seen.error.code == failure.code
        assert failure.message in seen.error.message


def test_a_drained_chat_completion_is_an_error() -> None:
    seen = Chat(detached("openai"))
    assert (seen.text, seen.finish) == (TEXT, None)
    assert seen.error is not None
    assert seen.error.code == "detached"


def response_of(pieces: list[bytes]) -> tuple[str, Response | None, Any]:
    """The text, the whole response of the last event, and the parsed one, if the helper has one."""
    text, last, final = "", None, None
    with sdks.openai(*pieces).responses.stream(model="m", input="") as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                text += event.delta
            last = getattr(event, "response", None)
        if last is not None and last.status == "completed":
            final = stream.get_final_response()
    return text, last, final


@pytest.mark.parametrize("how", BODIES)
@pytest.mark.parametrize("ending", ENDINGS)
def test_responses(ending: str, how: str) -> None:
    """The SDK's own accumulation and the response of the last event agree with the run."""
    text, last, final = response_of(pieces_of("openai-responses", ending, how))
    assert text == TEXT
    assert last is not None
    assert (last.id, last.output_text) == ("msg-1", TEXT)
    if ending == "length" or ending.startswith("stopped"):
        reason = "max_output_tokens" if ending == "length" else "stopped"
        assert (last.status, last.incomplete_details and last.incomplete_details.reason) == ("incomplete", reason)
    elif ending in GOOD:
        assert final.output_text == TEXT
        assert final.usage.total_tokens == 18
        if ending == "tools":
            assert [item.type for item in final.output] == ["reasoning", "message", "function_call"]
            assert final.output[-1].arguments == '{"city": "Köln"}'
    else:
        failure = ENDINGS[ending][1]
        assert failure is not None
        assert last.status == "failed"
        assert last.error is not None
        assert last.error.code == failure.code


def test_a_drained_response_is_an_error() -> None:
    with pytest.raises(openai.APIError, match="connect again"):
        response_of(detached("openai-responses"))


def message_of(pieces: list[bytes]) -> tuple[Any, anthropic.APIStatusError | None]:
    with sdks.anthropic(*pieces).messages.stream(model="m", max_tokens=5, messages=[]) as stream:
        try:
            return stream.get_final_message(), None
        except anthropic.APIStatusError as error:
            return stream.current_message_snapshot, error


@pytest.mark.parametrize("how", BODIES)
@pytest.mark.parametrize("ending", ENDINGS)
def test_anthropic_messages(ending: str, how: str) -> None:
    """Blocks, stop reason and tokens as the SDK accumulates them; or an error it raises, with the partial message."""
    message, error = message_of(pieces_of("anthropic", ending, how))
    assert "".join(block.text for block in message.content if block.type == "text") == TEXT
    assert message.id == "msg-1"
    if ending in GOOD:
        assert error is None
        assert message.stop_reason == {"finished": "end_turn", "length": "max_tokens", "tools": "tool_use"}[ending]
        assert (message.usage.input_tokens, message.usage.output_tokens) == (11, 7)
        if ending == "tools":
            thinking, _, call = message.content
            assert (thinking.thinking, thinking.signature) == ("Let me think.", "c2lnbmVk")
            assert (call.name, call.input) == ("weather", {"city": "Köln"})
    else:
        failure = ENDINGS[ending][1]
        assert failure is not None
        assert error is not None
        assert message.stop_reason is None
        assert isinstance(error.body, dict)
        assert error.body["error"]["code"] == failure.code


def test_a_drained_message_is_an_error() -> None:
    message, error = message_of(detached("anthropic"))
    assert message.content[0].text == TEXT
    assert error is not None
    assert "overloaded_error" in error.message
