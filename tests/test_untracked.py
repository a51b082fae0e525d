"""Structs that the collector does not track: a circle through one of them would stay for ever."""

from __future__ import annotations

import asyncio
import gc
import importlib
import pkgutil
import types
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from tests.conftest import Run

import headwater
from headwater import Hub
from headwater.errors import HeadwaterError, InvalidBody, MissingExtra, StreamClosed
from headwater.model import StreamConfig
from headwater.protocol.ledger import Append

JSON = StreamConfig("application/json")
#: What is in no circle.
PLAIN = (str, bytes, int, float, bool, type(None), memoryview)
#: Fields that could be in one, and why they are not.
EXPLAINED = {
    ("Posted", "done"): "let go before the caller is told",
    ("Posted", "outcome"): "the same",
    ("Append", "split"): "a function, or one with the schema of a stream, and neither knows of an append",
    ("FirstFrames", "group"): "a group knows its place and its members, and none of them the cache",
    ("Peer", "access"): "it knows who and what, and nobody who reads with it",
    ("Entering", "by"): "a name, or a name and its issuer",
    ("Item", "data"): "made by the reader's decoder, before the item",
    ("LineItem", "data"): "the same",
    ("TextItem", "data"): "the same",
    ("_Row", "data"): "the same",
    ("EnvelopeRow", "data"): "the same",
}


def _structs() -> Iterator[type[msgspec.Struct]]:
    for found in pkgutil.walk_packages(headwater.__path__, "headwater."):
        if found.name.endswith("__main__"):
            continue
        try:
            module = importlib.import_module(found.name)
        except (ImportError, MissingExtra):  # pragma: no cover - an extra that is not installed
            continue
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__ == module.__name__:
                yield value


UNTRACKED = [struct for struct in _structs() if not struct.__struct_config__.gc]


def _is_plain(kind: Any) -> bool:
    origin = get_origin(kind)
    if kind is Any:  # a JSON value
        return True
    if origin is Literal:
        return True
    if origin in (Union, types.UnionType) or origin in (tuple, list, dict, frozenset, set, Sequence, Mapping):
        return all(each is Ellipsis or _is_plain(each) for each in get_args(kind))
    if not isinstance(kind, type):
        return False
    if issubclass(kind, PLAIN) or issubclass(kind, Enum):
        return True
    return issubclass(kind, msgspec.Struct)


def test_there_are_some() -> None:
    assert len(UNTRACKED) > 50


@pytest.mark.parametrize("struct", UNTRACKED, ids=lambda struct: f"{struct.__module__}.{struct.__name__}")
def test_it_holds_data_alone(struct: type[msgspec.Struct]) -> None:
    """No exception, whose traceback has frames; no callable; nothing that knows of others."""
    hints = get_type_hints(struct)
    held = [
        name
        for name in struct.__struct_fields__
        if (struct.__name__, name) not in EXPLAINED and not _is_plain(hints[name])
    ]
    assert held == []


def _errors() -> int:
    gc.collect()
    return sum(isinstance(each, HeadwaterError) for each in gc.get_objects())


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_refused_append_is_let_go(run: Run[None], tmp_path: Path, kind: str) -> None:
    """With the frames of its traceback, and so the connection on which it came."""

    async def main() -> None:
        before = _errors()  # of other tests
        async with Hub(f"sqlite:{tmp_path}/log.db" if kind == "sqlite" else "memory:") as hub:
            await hub.create("s", content_type="application/json", closed=True)
            for number in range(50):
                told: asyncio.Future[object] = asyncio.get_running_loop().create_future()
                hub.post("s", Append(b"1", "application/json"), told.set_result)
                assert isinstance(await told, StreamClosed)
                # An error behind an error has frames of its own.
                with pytest.raises(InvalidBody):
                    await hub.write(f"new/{number}", Append(b"{bad", JSON.content_type, create=JSON))
            del told
            assert _errors() <= before + 2

    run(main())
