"""Help texts that keep their examples as written."""

from __future__ import annotations

import inspect
from typing import Any

import click


class Paragraphs(click.Command):
    """A command whose help keeps the line breaks of paragraphs with indented lines; click refills all others."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        paragraphs = inspect.cleandoc(self.help or "").split("\n\n")
        # A line with a backspace alone tells click not to refill the paragraph after it.
        self.help = "\n\n".join(f"\b\n{text}" if "\n  " in text else text for text in paragraphs)
