"""The client without asyncio is the one with it: word by word, or in a thread of its own."""

from __future__ import annotations

import inspect

import pytest
from scripts.sync_client import CLIENT, MODULES, NOTE, made

import headwater.client
import headwater.client.sync


@pytest.mark.parametrize("name", MODULES)
def test_the_generated_modules_are_up_to_date(name: str) -> None:
    """Or run `make docs`."""
    assert (CLIENT / "sync" / f"{name}.py").read_text() == made(name)


def test_a_generated_module_says_so() -> None:
    """At its top."""
    assert made("reader").startswith(NOTE.format(name="reader"))


def public(cls: type) -> dict[str, inspect.Signature | None]:
    """The public names of a class, as the twin without asyncio has them; with parameters, those that are functions."""
    found: dict[str, inspect.Signature | None] = {}
    for name, value in vars(cls).items():
        twin = {"__aenter__": "__enter__", "__aexit__": "__exit__", "__aiter__": "__iter__", "aclose": "close"}
        name = twin.get(name, name)
        if not name.startswith("_") or name in twin.values() or name == "__init__":
            found[name] = inspect.signature(value) if inspect.isfunction(value) else None
    return found


@pytest.mark.parametrize("name", ["Connection", "Outbox", "Presence"])
def test_what_runs_in_a_thread_has_the_same_names(name: str) -> None:
    """And parameters, with the same defaults; a wait that cannot be cancelled from outside may have a limit."""
    inner = {  # what streams, lanes and readers call in the loop
        "Connection": {"link", "release"},
        "Outbox": {"clock", "forgets", "door", "call", "tell", "settle"},
        "Presence": {"__init__"},
    }
    theirs = public(getattr(headwater.client, name))
    ours = public(getattr(headwater.client.sync, name))
    assert set(ours) - {"count", "__init__"} == set(theirs) - inner[name] - {"__init__"}
    for called, signature in theirs.items():
        twin = ours.get(called)
        if signature is None or twin is None or called in inner[name]:
            continue
        parameters = {key: value.default for key, value in signature.parameters.items()}
        assert parameters == {key: value.default for key, value in twin.parameters.items() if key != "timeout"}, called
