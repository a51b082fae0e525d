"""Which schemas run code of an application: all that are not known to run none."""

from __future__ import annotations

import dataclasses
import enum
from typing import Annotated, Any, NamedTuple, TypedDict

import msgspec
import pydantic
import pytest
from google.protobuf.wrappers_pb2 import StringValue

from headwater.protocol.schemas.jsons import JsonSchema
from headwater.protocol.schemas.types import schema_of


class Colour(enum.Enum):
    RED = "red"


class Lenient(enum.Enum):
    RED = "red"

    @classmethod
    def _missing_(cls, value: object) -> Lenient:
        return cls.RED


class Pair(NamedTuple):
    left: int
    right: str


class Options(TypedDict, total=False):
    colour: Colour


class Plain(msgspec.Struct):
    """Holds itself, and all kinds of things."""

    id: Annotated[int, msgspec.Meta(ge=0)]
    name: Annotated[str, msgspec.Meta(max_length=10)] = ""
    inner: list[Plain] = []
    more: dict[str, Pair | None] = msgspec.field(default_factory=dict)
    options: Options | None = None


@dataclasses.dataclass
class Data:
    id: int = 0


class Hooked(msgspec.Struct):
    id: int

    def __post_init__(self) -> None:
        raise ValueError("no")


@dataclasses.dataclass
class HookedData:
    id: int

    def __post_init__(self) -> None:
        raise ValueError("no")


class Made(msgspec.Struct):
    id: int = msgspec.field(default_factory=lambda: 1)


class Pattern(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(pattern="(a+)+$")]


class Model(pydantic.BaseModel):
    id: int


class Other:
    """A class of messages of a library that nobody knows."""

    @staticmethod
    def FromString(data: bytes) -> bytes:
        return data


@pytest.mark.parametrize("type", [Plain, Data, Pair, Options, Colour, int, list[Plain] | None, dict[str, Any]])
def test_types_without_code(type: Any) -> None:
    assert not schema_of(type).runs_code


@pytest.mark.parametrize("type", [Hooked, HookedData, Made, Pattern, Lenient])
def test_types_with_code(type: Any) -> None:
    """Wherever in a type it stands."""
    for whole in (type, list[type], dict[str, type | None], tuple[int, type]):
        assert schema_of(whole).runs_code


def test_other_schemas() -> None:
    assert not JsonSchema({"pattern": "(a+)+$"}).runs_code
    assert not schema_of(StringValue).runs_code
    assert schema_of(Other).runs_code
    assert schema_of(Model).runs_code
