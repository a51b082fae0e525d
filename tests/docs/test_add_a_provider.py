"""The provider that the guide adds: a folder and one line, and everything that is asked of providers is asked of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, all_blocks

GUIDE = ROOT / "docs" / "howto" / "add-a-provider.md"
NAME = "weather"
PROVIDERS = "src/headwater/llm/providers"
#: The files of the guide's provider.
FILES = {"file: source.py", "file: dialect.py", "file: refusal.py", "file: __init__.py"}
#: What is asked of every provider, by file: which of its tests, and how many of them at least are about the new one.
ASKED = {
    "tests/test_architecture.py": ("map", 1),
    "tests/docs/test_dialect_pages.py": ("", 3),
    "tests/docs/test_docs.py": ("reached or relative", 1),
    "tests/llm/providers/test_registry.py": ("", 4),
    "tests/llm/providers/test_dialects.py": (NAME, 20),
    "tests/llm/providers/test_left_out.py": (NAME, 80),
    "tests/llm/http/test_bad_sources.py": (NAME, 15),
    "tests/llm/proxy/test_states.py": (NAME, 15),
}

pytestmark = pytest.mark.slow


def copied(tree: Path) -> Path:
    """What the checks need of the tree, with the new provider in it."""
    skipped = shutil.ignore_patterns("node_modules", "__pycache__", ".*cache")
    for part in ("src", "tests", "docs", "scripts", "examples"):
        shutil.copytree(ROOT / part, tree / part, ignore=skipped, symlinks=True)
    for path in (*ROOT.glob("*.md"), *ROOT.glob("*.toml")):
        shutil.copy(path, tree)
    folder = tree / PROVIDERS / NAME
    folder.mkdir()
    for mark, _, code in all_blocks(GUIDE):
        if mark in FILES:
            (folder / mark.removeprefix("file: ")).write_text(code)
    registry = tree / PROVIDERS / "registry.py"
    text = registry.read_text()
    registry.write_text(
        re.sub(r"(FOLDERS: Final = \(.*?)\n\)", rf'\1\n    "{NAME}",\n)', text, count=1, flags=re.DOTALL)
    )
    return tree


def ran(tree: Path, *command: str) -> str:
    # What is run of the copy is not measured: its files are gone when coverage reports.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    environment = {**inherited, "PYTHONPATH": os.pathsep.join([str(tree / "src"), str(tree)])}
    run = subprocess.run(
        [sys.executable, "-m", *command], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    return run.stdout


def test_a_folder_and_one_line(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    before = {path: path.read_bytes() for path in (tree / "docs").rglob("*.md")}
    assert f"{NAME}.md is new" in ran(tree, "scripts.dialect_pages")
    changed = [path.stem for path in (tree / "docs").rglob("*.md") if before.get(path) != path.read_bytes()]
    assert sorted(changed) == ["dialects", "index", "llm-proxy", NAME]
    ran(tree, "ruff", "format", "--check", f"{PROVIDERS}/{NAME}")
    ran(tree, "ruff", "check", f"{PROVIDERS}/{NAME}")
    options = ["-q", "-n", "0", "-p", "no:cacheprovider", "-rA", "--no-header"]
    chosen = f"{NAME} or map or reached or page or row or example or registered or unique"
    told = ran(tree, "pytest", *options, "-k", chosen, *ASKED)
    for path, (word, least) in ASKED.items():
        passed = [
            line for line in told.splitlines() if line.startswith(f"PASSED {path}") and (not word or NAME in line)
        ]
        assert len(passed) >= (least if word == NAME else 1), (path, told[-2000:])
