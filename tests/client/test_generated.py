"""The client without asyncio is the one with it, word by word."""

from __future__ import annotations

import pytest
from scripts.sync_client import CLIENT, MODULES, NOTE, made


@pytest.mark.parametrize("name", MODULES)
def test_the_generated_modules_are_up_to_date(name: str) -> None:
    """Or run `make docs`."""
    assert (CLIENT / "sync" / f"{name}.py").read_text() == made(name)


def test_a_generated_module_says_so() -> None:
    """At its top."""
    assert made("reader").startswith(NOTE.format(name="reader"))
