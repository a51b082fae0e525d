"""The pages of the documentation and their code blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
#: What a newcomer copies from.
GUIDES = [README, *ROOT.glob("docs/tutorial*.md"), *sorted((ROOT / "docs" / "howto").glob("*.md"))]

_FENCE = re.compile(r"(?:<!-- (?P<mark>[^>]+) -->\n)?```(?P<language>\w*)\n(?P<code>.*?)```", re.DOTALL)


def all_blocks(path: Path) -> Iterator[tuple[str, str, str]]:
    """What marks a code block, its language, and the code."""
    for match in _FENCE.finditer(path.read_text()):
        yield match["mark"] or "", match["language"], match["code"]


def blocks(path: Path, language: str) -> Iterator[tuple[str, str]]:
    """The same, of one language."""
    return ((mark, code) for mark, found, code in all_blocks(path) if found == language)


def block(path: Path, language: str, mark: str) -> str:
    return dict(blocks(path, language))[mark]
