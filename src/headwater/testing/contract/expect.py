"""What a check says when a promise is broken.

Rule: a plain `assert` has no message outside of pytest's test modules, so the checks call these.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

Error = TypeVar("Error", bound=Exception)


def equal(actual: object, expected: object, what: str) -> None:
    """Fail unless both are equal."""
    if actual != expected:
        raise AssertionError(f"{what}: got {_short(actual)}, expected {_short(expected)}")


def holds(condition: object, what: str) -> None:
    """Fail unless the condition is true."""
    if not condition:
        raise AssertionError(what)


async def refused(error: type[Error], call: Awaitable[object], what: str) -> Error:
    """Fail unless the call raises this error; returns it.

    A subclass passes too.
    """
    try:
        result = await call
    except error as raised:
        return raised
    except Exception as other:
        raise AssertionError(f"{what}: raised {other!r}, expected {error.__name__}") from other
    raise AssertionError(f"{what}: returned {_short(result)}, expected {error.__name__}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 400 else f"{text[:380]}... ({len(text)} characters)"
