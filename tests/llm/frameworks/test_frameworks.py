"""The packages themselves, pinned in the group `frameworks`: what their objects say arrives, and nobody else's text."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support.processes import required

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-frameworks" / "bin" / "python"
LOOK, WHOLE = "Let me look", "Let me lookIt is sunny"
#: Whose objects they are, and whether the framework runs the tool and asks again.
FRAMEWORKS = {
    "langchain": ("langchain", False),
    "langgraph-messages": ("langchain", True),
    "langgraph-updates": ("langchain", True),
    "langgraph-values": ("langchain", True),
    "langgraph-events": ("langchain", True),
    "langgraph-several": ("langchain", True),
    "langgraph-subgraphs": ("langchain", True),
    "openai-agents": ("openai-agents", True),
    "google-genai": ("gemini", False),
    "ollama": ("ollama", False),
    "mistral": ("mistral", False),
    "mistral-conversations": ("mistral-conversations", False),
    "litellm": ("openai", False),
    "openai-helper": ("openai", False),
    "bedrock": ("bedrock", False),
    "llama-index": ("llama-index", True),
    "pydantic-ai-vercel": ("ai-sdk", True),
    "pydantic-ai-ag-ui": ("ag-ui", True),
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def played() -> dict[str, Any]:
    """What all of them gave, in one process: half of its time is to load them."""
    required("make .venv-frameworks", PYTHON.exists())
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}
    command = [str(PYTHON), "-m", "tests.llm.frameworks.play"]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=250)
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_what_a_framework_says_arrives(played: dict[str, Any], name: str) -> None:
    """The text once, the call with its input, the tool's result where it was run, and no error."""
    family, runs_tools = FRAMEWORKS[name]
    seen = played[name]
    assert "raised" not in seen, seen["raised"]
    assert (seen["text"], seen["families"]) == (WHOLE if runs_tools else LOOK, [family])
    assert seen["calls"] == [["weather", {"city": "Oslo"}]]
    assert seen["outputs"] == (["sun in Oslo"] if runs_tools else [])
    assert (seen["error"], seen["errors"]) == (None, [])
    assert seen["finish"] == ("stop" if runs_tools else "tool-calls")


def test_all_of_them_are_played(played: dict[str, Any]) -> None:
    assert played.keys() == FRAMEWORKS.keys()
