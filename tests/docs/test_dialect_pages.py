"""The pages of the dialects show what the dialects send, and name what there is."""

from __future__ import annotations

from pathlib import Path

import pytest
from scripts import dialect_pages
from tests.llm.readers import read

from headwater.llm.providers.registry import DIALECTS

REFERENCE = dialect_pages.PAGES.parent


@pytest.mark.parametrize("path", dialect_pages.render(), ids=lambda path: path.stem)
def test_the_examples_are_what_is_sent(path: Path) -> None:
    assert path.read_text("utf-8") == dialect_pages.render()[path], "run scripts/dialect_pages.py"


def test_every_dialect_has_a_page_and_a_row() -> None:
    overview = (REFERENCE / "dialects.md").read_text("utf-8")
    for name in DIALECTS:
        assert f"[`{name}`](dialects/{dialect_pages.SHARED.get(name, name)}.md)" in overview
    assert {path.stem for path in dialect_pages.PAGES.glob("*.md")} == set(DIALECTS) - set(dialect_pages.SHARED)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_client_can_read_the_examples(name: str) -> None:
    """A reader written from the formats' documentation understands each of them."""
    examples = dialect_pages.examples(name)
    assert read(name, examples["answer"].encode()).text == "Rain, all day."
    if "call" in examples:
        seen = read(name, examples["call"].encode())
        assert (seen.reasoning, seen.tools) == ("I need the weather.", [("weather", {"city": "Oslo"})])
    for end in set(dialect_pages.ENDS) & set(examples):
        is_told = "error" in examples[end].lower() or end == "stopped" or DIALECTS[name].keeps_records
        assert is_told or read(name, examples[end].encode()).error
