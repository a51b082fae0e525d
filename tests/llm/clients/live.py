"""The stock Python SDKs reading from a server: what each gives its user, sync and async, as plain values."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack
from typing import Any, Self

import anthropic
import httpx2
import msgspec
import openai

#: What these SDKs raise: errors of a broken connection, or of half an event, are not wrapped by all of them.
ERRORS = (openai.APIError, anthropic.APIError, httpx2.HTTPError, ValueError)
MESSAGES: Any = [{"role": "user", "content": "hi"}]
TIMEOUT = 60.0


class Seen(msgspec.Struct):
    """What a user of an SDK sees.

    Attributes:
        events: each, as the SDK parsed it.
        text: of the answer.
        finish: why it is over, in the API's words; None: nothing said so.
        error: what the SDK raised; of JavaScript its name, code, status and message.
    """

    events: list[Any] = []
    text: str = ""
    finish: str | None = None
    error: Any = None

    def take(self, event: Any) -> None:
        """One event of any of the APIs."""
        value = event.model_dump(mode="json", warnings=False)
        self.events.append(value)
        kind = value.get("type")
        if "choices" in value:
            for choice in value["choices"]:
                self.text += choice["delta"].get("content") or ""
                self.finish = choice["finish_reason"] or self.finish
        elif kind == "response.output_text.delta":
            self.text += value["delta"]
        elif kind in ("response.completed", "response.incomplete"):
            self.finish = value["response"]["status"]
        elif kind == "response.failed":
            self.finish = f"failed, {value['response']['error']['code']}"
        elif kind == "content_block_delta":
            self.text += value["delta"].get("text", "")
        elif kind == "message_delta":
            self.finish = value["delta"]["stop_reason"]

    @property
    def told(self) -> str:
        """In a few words, for the table of the docs."""
        if isinstance(self.error, dict):
            return f"`{self.error['name']}`" + (f" `{self.error['code']}`" if self.error["code"] else "")
        if self.error is not None:
            code = getattr(self.error, "code", None) or getattr(self.error, "type", None)
            return f"`{type(self.error).__name__}`" + (f" `{code}`" if code else "")
        if self.finish is None:
            return "nothing, no finish reason"
        return f"`response.failed` `{self.finish[8:]}`" if self.finish.startswith("failed, ") else "whole"

    @property
    def facts(self) -> tuple[Any, ...]:
        """What must be the same whichever way the answer came."""
        error = self.error
        if isinstance(error, Exception):
            error = type(error), str(error), getattr(error, "body", None)
        return self.events, self.text, self.finish, error


class Client:
    """Of one API, for one base URL: closed by `with`."""

    def __init__(self, api: str, url: str, headers: dict[str, str] | None = None, retries: int = 0) -> None:
        self._more: dict[str, Any] = {"api_key": "key", "max_retries": retries, "default_headers": headers or {}}
        self._more["timeout"] = TIMEOUT
        self.api = api
        self.url = url
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _openai(self) -> openai.OpenAI:
        return self._stack.enter_context(openai.OpenAI(base_url=f"{self.url}/v1", **self._more))

    def _anthropic(self) -> anthropic.Anthropic:
        return self._stack.enter_context(anthropic.Anthropic(base_url=self.url, **self._more))

    def open(self, model: str, headers: dict[str, str] | None = None) -> Any:
        """The stream of an answer whose head is there; `headers` of this request alone."""
        stream: Any
        if self.api == "chat":
            chat = self._openai().chat.completions
            stream = chat.create(model=model, messages=MESSAGES, stream=True, extra_headers=headers)
        elif self.api == "responses":
            stream = self._openai().responses.create(model=model, input="hi", stream=True, extra_headers=headers)
        else:
            messages = self._anthropic().messages
            stream = messages.create(model=model, max_tokens=9, messages=MESSAGES, stream=True, extra_headers=headers)
        self._stack.enter_context(stream)
        return stream

    def final(self, model: str) -> Any:
        """What the SDK's helper for streams puts together."""
        if self.api == "chat":
            with self._openai().chat.completions.stream(model=model, messages=MESSAGES) as chat:
                return chat.get_final_completion().model_dump(mode="json", warnings=False)
        if self.api == "responses":
            with self._openai().responses.stream(model=model, input="hi") as response:
                return response.get_final_response().model_dump(mode="json", warnings=False)
        with self._anthropic().messages.stream(model=model, max_tokens=9, messages=MESSAGES) as message:
            return message.get_final_message().model_dump(mode="json", warnings=False)

    def whole(self, model: str) -> Any:
        """An answer that is not streamed."""
        made: Any
        if self.api == "chat":
            made = self._openai().chat.completions.create(model=model, messages=MESSAGES)
        elif self.api == "responses":
            made = self._openai().responses.create(model=model, input="hi")
        else:
            made = self._anthropic().messages.create(model=model, max_tokens=9, messages=MESSAGES)
        return made.model_dump(mode="json", warnings=False)

    def see(self, model: str, on_text: Callable[[str], None] = lambda text: None) -> Seen:
        """Read to the end, whatever it is."""
        seen = Seen()
        try:
            for event in self.open(model):
                seen.take(event)
                on_text(seen.text)
        except ERRORS as error:
            seen.error = error
        return seen

    async def aevents(self, model: str, stack: AsyncExitStack) -> AsyncIterator[Any]:
        """The events of an answer, of the asynchronous client."""
        stream: Any
        if self.api == "messages":
            client = await stack.enter_async_context(anthropic.AsyncAnthropic(base_url=self.url, **self._more))
            stream = await client.messages.create(model=model, max_tokens=9, messages=MESSAGES, stream=True)
        else:
            other = await stack.enter_async_context(openai.AsyncOpenAI(base_url=f"{self.url}/v1", **self._more))
            if self.api == "chat":
                stream = await other.chat.completions.create(model=model, messages=MESSAGES, stream=True)
            else:
                stream = await other.responses.create(model=model, input="hi", stream=True)
        async for event in stream:
            yield event

    async def asee(self, model: str, on_text: Callable[[str], None] = lambda text: None) -> Seen:
        """As `see`, of the asynchronous client."""
        seen = Seen()
        async with AsyncExitStack() as stack:
            try:
                async for event in self.aevents(model, stack):
                    seen.take(event)
                    on_text(seen.text)
            except ERRORS as error:
                seen.error = error
        return seen
