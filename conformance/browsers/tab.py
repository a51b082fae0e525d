"""What a browser is asked for, whichever it is."""

from __future__ import annotations

from typing import Any, Final, Protocol

#: Seconds for a page to load, and for a script's promise to be kept.
PATIENCE: Final = 90.0


class BrowserError(Exception):
    """The browser did not start, or does not do what it is asked for; says which, and what it told."""


class Tab(Protocol):
    """One page."""

    def go(self, url: str) -> None:
        """Load it, and return when it is loaded."""
        ...

    def evaluate(self, expression: str) -> Any:
        """The value of an expression, awaited when it is a promise.

        Returns:
            What JSON can tell of it.

        Raises:
            BrowserError: it threw, or its promise was not kept within `PATIENCE`.
        """
        ...

    def close(self) -> None:
        """As a person closes it."""
        ...


class Browser(Protocol):
    """A running one with an empty profile.

    Attributes:
        version: its name and version.
    """

    version: str

    def open(self, url: str) -> Tab:
        """A new page."""
        ...

    def end(self) -> None:
        """End it, and take its profile away."""
        ...
