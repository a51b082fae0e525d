"""One table of errors: every class is drawn, named, and has all that each transport needs."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from headwater import errors
from headwater.errors import HeadwaterError, MissingExtra, StreamNotFound, error_table

ROOT = Path(__file__).parent.parent
TABLE = [cls for cls in error_table() if cls.__module__ == errors.__name__]


def test_the_drawn_tree_is_the_class_tree() -> None:
    """The tree in the module's docstring has every class in its place, with its status and code."""
    above: dict[int, str] = {}
    drawn: dict[str, tuple[str, int, str]] = {}
    for line in (errors.__doc__ or "").splitlines():
        if match := re.fullmatch(r"    ([ │├└─]*)(\w+) +(\d{3}) ([a-z-]+)", line):
            depth = len(match[1]) // 4
            above[depth] = match[2]
            drawn[match[2]] = (above[depth - 1] if depth else "Exception", int(match[3]), match[4])
    real = {cls.__name__: (cls.__bases__[0].__name__, cls.status, cls.code) for cls in TABLE}
    assert drawn == real
    assert list(drawn) == list(real)


def test_codes_are_unique() -> None:
    """No two classes share a code."""
    codes = [cls.code for cls in TABLE]
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("cls", TABLE, ids=lambda cls: cls.__name__)
def test_a_class_is_complete(cls: type[HeadwaterError]) -> None:
    """Every class has a title, an advice, an error status, a close code that may be sent, and a code in words."""
    assert cls.__doc__ is not None
    assert cls.title()
    assert "\n" not in cls.title()
    assert cls.advice.endswith(".")
    assert 400 <= cls.status <= 599
    assert 1000 <= cls.ws_close <= 4999
    assert cls.ws_close not in (1004, 1005, 1006, 1015)  # reserved: never in a frame (RFC 6455 section 7.4.1)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cls.code)
    assert cls.retry_after is None or cls.retry_after > 0 or cls is errors.StreamAwaited  # it was waited for


def test_every_class_is_public() -> None:
    """The module's `__all__` has every class, sorted."""
    named = {cls.__name__ for cls in TABLE} | {"MissingExtra", "error_table"}
    assert set(errors.__all__) == named
    assert errors.__all__ == sorted(errors.__all__)


def test_a_message_and_details() -> None:
    """An error carries its own message and facts; without a message, its title."""
    error = StreamNotFound("there is no stream at 'a'", offset="x")
    assert (str(error), error.message, error.details) == ("there is no stream at 'a'",) * 2 + ({"offset": "x"},)
    assert str(StreamNotFound()) == "There is no stream at this path"


def test_a_title_without_a_docstring(monkeypatch: pytest.MonkeyPatch) -> None:
    """With docstrings stripped (python -OO) a class name stands in for the title."""
    monkeypatch.setattr(StreamNotFound, "__doc__", None)
    assert StreamNotFound.title() == "StreamNotFound"


def test_a_missing_extra_says_how_to_install_it() -> None:
    """A missing optional part is an ImportError with its install line, and an answer when a route needs it."""
    error = MissingExtra.of("the apsw driver", "sqlite")
    assert isinstance(error, ImportError)
    assert "pip install 'headwater[sqlite]'" in str(error)
    assert MissingExtra in error_table()


def _extras_that_are_named() -> set[str]:
    """The second argument of every `MissingExtra.of` that is a literal."""
    calls = [
        node
        for path in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "MissingExtra.of"
    ]
    return {str(call.args[1].value) for call in calls if isinstance(call.args[1], ast.Constant)}


def test_an_install_line_names_an_extra_that_there_is() -> None:
    """Whatever is missing, the line that is printed can be run."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = _extras_that_are_named()
    assert named >= {"server", "metrics"}
    assert named <= set(project["optional-dependencies"])
