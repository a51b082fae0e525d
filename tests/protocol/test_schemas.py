"""Types and JSON Schemas as schemas: what they read, where a record does not fit, and what is none."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from typing import Annotated, Any, Final

import msgspec
import pydantic
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import MissingExtra, SchemaMismatch, SchemaNotFound
from headwater.protocol.delimited import delimited
from headwater.protocol.paths import PrivatePaths
from headwater.protocol.schemas.base import InvalidSchema, Mismatch, legible, pointer_of
from headwater.protocol.schemas.jsons import MAX_DEPTH, JsonSchema
from headwater.protocol.schemas.registry import Schemas, StreamSchema
from headwater.protocol.schemas.types import schema_of

JSON: Final = "application/json"
MSGPACK: Final = "application/msgpack"
PROTOBUF: Final = "application/x-protobuf; encoding=delimited"


class User(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(pattern="^[a-z/]+$")]
    age: float | None = None


class Message(msgspec.Struct):
    id: Annotated[int, msgspec.Meta(ge=0)]
    user: User
    tags: list[str] = []
    seen: dict[str, int] = {}


class UserModel(pydantic.BaseModel):
    name: str = pydantic.Field(pattern="^[a-z/]+$")
    age: float | None = None


class MessageModel(pydantic.BaseModel):
    id: int = pydantic.Field(ge=0, strict=True)
    user: UserModel
    tags: list[str] = []
    seen: dict[str, int] = {}


MESSAGE: Final = {
    "type": "object",
    "required": ["id", "user"],
    "properties": {
        "id": {"type": "integer", "minimum": 0},
        "user": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string", "pattern": "^[a-z/]+$"}, "age": {"type": ["number", "null"]}},
        },
        "tags": {"type": "array", "items": {"type": "string"}},
        "seen": {"type": "object", "additionalProperties": {"type": "integer"}},
    },
}

ALIKE: Final = {"msgspec": Message, "pydantic": MessageModel, "json": MESSAGE}
SAME: Final = pytest.mark.parametrize("given", list(ALIKE.values()), ids=list(ALIKE))
FORMS: Final = pytest.mark.parametrize(
    ("kind", "encode"), [(JSON, msgspec.json.encode), (MSGPACK, msgspec.msgpack.encode)]
)


def schemas(what: Any) -> Schemas:
    return Schemas({"rooms/*": what})


def refusal(what: Any, record: bytes, kind: str = JSON) -> SchemaMismatch:
    with pytest.raises(SchemaMismatch) as told:
        schemas(what).check("rooms/7", record, "record", kind)
    return told.value


@SAME
@FORMS
def test_what_fits_is_let_through(given: Any, kind: str, encode: Callable[[Any], bytes]) -> None:
    """Also what the schema does not name."""
    for value in (
        {"id": 1, "user": {"name": "a"}},
        {"id": 0, "user": {"name": "b/", "age": 1.5}, "more": [1], "tags": ["\x00<b>"]},
    ):
        schemas(given).check("rooms/7", encode(value), "record", kind)


@SAME
@FORMS
@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        ({"id": "x", "user": {"name": "a"}}, "#/id"),
        ({"id": -1, "user": {"name": "a"}}, "#/id"),
        ({"id": 1, "user": {"name": "A"}}, "#/user/name"),
        ({"id": 1, "user": {"name": "a"}, "tags": ["a", 2]}, "#/tags/1"),
        ({"id": 1, "user": "a"}, "#/user"),
        ([1], "#"),
        (None, "#"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(
    given: Any, kind: str, encode: Callable[[Any], bytes], value: Any, pointer: str
) -> None:
    """As a JSON Pointer, by every library alike."""
    error = refusal(given, encode(value), kind)
    assert error.details["pointer"] == pointer
    assert error.message.startswith("the record does not fit ")
    assert pointer == "#" or error.message.endswith(f" at {pointer}")


@SAME
def test_what_is_missing_is_told_by_name(given: Any) -> None:
    error = refusal(given, b'{"id": 1}')
    assert "user" in error.message + str(error.details["pointer"])


@SAME
def test_records_are_data(given: Any) -> None:
    """Control characters, markup and the marks of pointers are shown, escaped, and nothing of them is done."""
    error = refusal(given, json.dumps({"id": 1, "user": {"name": "<script>\x00\x1b[2J"}, "a/b~\n": 1}).encode())
    assert error.message.isprintable()
    bad = refusal(given, b'{"id": 1, "user": {"name": "a"}, "seen": {"a/b~\\n<b>": "x"}}')
    assert bad.message.isprintable()
    assert str(bad.details["pointer"]) in ("#/seen/a~1b~0%0A%3Cb%3E", "#/seen/*")


@SAME
@pytest.mark.parametrize(
    "record",
    [
        pytest.param(b"[" * 3_000 + b"]" * 3_000, id="deep"),
        pytest.param(b'{"id": 1e999, "user": {"name": "a"}}', id="1e999"),
        pytest.param(b'{"id": 1.5, "user": {"name": "a"}}', id="a fraction"),
        pytest.param(b'{"id": NaN, "user": {"name": "a"}}', id="NaN"),
        pytest.param(b'{"id": 1, "user": {"name": "a"}, "seen": {"x": 1e400}}', id="inside"),
        pytest.param(b'{"id": 1, "user": {"name": "' + b"A" * 1_000_000 + b'"}}', id="long"),
    ],
)
def test_what_is_extreme_is_refused_in_words(given: Any, record: bytes) -> None:
    """Short ones, whatever the record is."""
    assert len(refusal(given, record).message) < 700


@SAME
def test_huge_numbers_that_fit_are_let_through(given: Any) -> None:
    """A number of 300 digits is an integer; the log keeps its bytes."""
    schemas(given).check("rooms/7", b'{"id": %b, "user": {"name": "a"}}' % (b"9" * 300), "record")


@SAME
def test_of_one_key_twice_the_last_counts(given: Any) -> None:
    """As in browsers; msgspec refuses the first one, too."""
    record = b'{"id": "x", "id": 1, "user": {"name": "a"}}'
    if given is Message:
        refusal(given, record)
    else:
        schemas(given).check("rooms/7", record, "record")
    assert refusal(given, b'{"id": 1, "id": "x", "user": {"name": "a"}}').details["pointer"] == "#/id"


def test_half_of_a_pair_is_read_as_a_replacement() -> None:
    """It is JSON, which streams take, and no text for most libraries."""
    for what in (list[str], {"items": {"type": "string"}}):
        schemas(what).check("rooms/7", b'["\\ud800"]', "record")


def test_msgpack_that_json_has_no_word_for() -> None:
    """NaN is no number of JSON Schema; binary and keys that are no text have no form."""
    pack = msgspec.msgpack.encode
    texts = {"type": "object", "additionalProperties": {"type": "string"}}
    for value in ({"a": b"x"}, {1: "x"}, {"a": msgspec.msgpack.Ext(5, b"x")}):
        assert "no form as JSON" in refusal(texts, pack(value), MSGPACK).message
    assert "number" in refusal({"type": "number"}, pack(float("nan")), MSGPACK).message
    schemas(dict[int, bytes]).check("rooms/7", pack({1: b"x"}), "record", MSGPACK)


@pytest.mark.parametrize("kind", [JSON, MSGPACK])
def test_depth_is_bounded(kind: str) -> None:
    """The library goes down by the stack of its thread."""
    endless = {"$defs": {"n": {"type": "array", "items": {"$ref": "#/$defs/n"}}}, "$ref": "#/$defs/n"}
    value: list[Any] = []
    for _ in range(MAX_DEPTH - 1):
        value = [value]
    encode = msgspec.json.encode if kind == JSON else msgspec.msgpack.encode
    schemas(endless).check("rooms/7", encode(value), "record", kind)
    assert "deep" in refusal(endless, encode([value]), kind).message
    wide = [[1]] * 10_000
    schemas(True).check("rooms/7", encode(wide), "record", kind)


def test_a_pattern_cannot_hang() -> None:
    """Where Python's `re` would take longer than the universe, this takes no time; what could hang is no schema."""
    schemas({"pattern": "^(a+)+$"}).check("rooms/7", b'"' + b"a" * 50_000 + b'"', "record")
    assert "does not match" in refusal({"pattern": "^(a|a)*$"}, b'"' + b"a" * 50_000 + b'!"').message
    bound = pydantic.TypeAdapter(Annotated[str, pydantic.Field(pattern="^(a|a)*$")])
    assert "match pattern" in refusal(bound, b'"' + b"a" * 50_000 + b'!"').message
    for pattern in ("(?=a)", r"(a)\1"):
        with pytest.raises(InvalidSchema, match=r"at #/properties/x/pattern: .*look-around"):
            schemas({"properties": {"x": {"pattern": pattern}}})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"type": "objekt"}, r"rooms/\*: at #/type: .*objekt"),
        ({"properties": {"a": {"minimum": "x"}}}, r"at #/properties/a/minimum"),
        ({"$ref": "http://127.0.0.1:1/x.json"}, "nothing is fetched"),
        ({"$ref": "file:///etc/passwd"}, "nothing is fetched"),
        ({"$ref": "other.json"}, "nothing is fetched"),
        ({"$ref": "#/nope"}, "/nope"),
        ({"$schema": "http://nope.example/"}, "nope.example"),
        ({"pattern": "("}, "at #/pattern"),
        (object, r"rooms/\*: object is no type"),
        (type("Plain", (), {}), "Plain is no type"),
    ],
)
def test_a_schema_that_is_none_is_told_with_its_place(given: Any, words: str) -> None:
    with pytest.raises(InvalidSchema, match=words):
        schemas(given)


def test_a_name_that_is_not_there_is_told() -> None:
    """An annotation that nobody can follow."""
    broken = dataclasses.make_dataclass("Broken", [("x", "Nowhere")])
    with pytest.raises(InvalidSchema, match=r"Broken is no type.*Nowhere"):
        schemas(broken)


@pytest.mark.parametrize("pattern", ["a/*b", "**/a", "/a", "a//b", "", "a/../b", "-/x"])
def test_a_pattern_that_is_none_is_told(pattern: str) -> None:
    with pytest.raises(InvalidSchema, match="schemas: "):
        Schemas({pattern: int})


def test_the_narrowest_pattern_counts() -> None:
    """A name is narrower than one segment, and that than all that follow; from the left."""
    names = ["**", "rooms/**", "rooms/*", "rooms/7", "rooms/*/log", "rooms/7/*", "rooms/7/**"]
    found = Schemas({name: {"title": name} for name in names})
    expected = {"x": "**", "rooms/7": "rooms/7", "rooms/8": "rooms/*", "rooms/8/log": "rooms/*/log"}
    expected |= {"rooms/7/log": "rooms/7/*", "rooms/7/a/b": "rooms/7/**", "rooms/8/x": "rooms/**"}
    for path, pattern in expected.items():
        assert found.described(path, "record") == {"title": pattern}
        assert found.described(path, "record") == {"title": pattern}, "remembered"


def test_private_streams_have_none() -> None:
    """Also those that become private later."""
    private = PrivatePaths("runs")
    found = Schemas({"**": int}, private)
    found.check("runs/1", b'"x"', "record")
    with pytest.raises(SchemaMismatch):
        found.check("secret/1", b'"x"', "record")
    private.add("secret")
    found.check("secret/1", b'"x"', "record")


def test_signals_have_their_own() -> None:
    """And what has none takes anything."""
    found = Schemas(
        {"rooms/*": StreamSchema(Message, signals={"enum": ["typing", "idle"]}), "x": StreamSchema(signals=int)}
    )
    found.check("rooms/7", b'"typing"', "signal")
    found.check("x", b'"anything"', "record")
    with pytest.raises(SchemaMismatch, match=r"^the signal does not fit a JSON Schema, which rooms/\* holds: ") as told:
        found.check("rooms/7", b'"x"', "signal")
    assert told.value.details == {"pointer": "#"}
    assert found.described("rooms/7", "signal") == {"enum": ["typing", "idle"]}
    with pytest.raises(SchemaNotFound):
        found.described("x", "record")


def test_messages_of_protobuf() -> None:
    """By a class of a real library, which we do not import."""
    found = schemas(StringValue)
    found.check("rooms/7", delimited([StringValue(value="ä").SerializeToString()]), "record", PROTOBUF)
    found.check("rooms/7", delimited([b""]), "record", PROTOBUF)
    error = refusal(StringValue, delimited([b"\x0a\x05x"]), PROTOBUF)
    assert error.message.startswith("the record does not fit google.protobuf.StringValue, which rooms/* holds: ")
    found.check("rooms/7", StringValue(value="ä").SerializeToString(), "record", "application/x-protobuf")
    assert (
        "application/json is none of what the schema describes: Protobuf, delimited Protobuf"
        in refusal(StringValue, b"{}").message
    )
    told = found.described("rooms/7", "record")
    assert isinstance(told, dict)
    assert told["contentMediaType"] == 'application/x-protobuf; messageType="google.protobuf.StringValue"'


def test_a_schema_is_of_the_types_that_it_can_read() -> None:
    for what in (Message, MessageModel, MESSAGE):
        assert (
            "text/plain is none of what the schema describes: JSON, MessagePack"
            in refusal(what, b"x", "text/plain").message
        )


@SAME
def test_a_schema_can_be_told(given: Any) -> None:
    """As JSON Schema that takes and refuses the same."""
    told = schemas(given).described("rooms/7", "record")
    again = JsonSchema(told)
    again.reader(JSON)(b'{"id": 1, "user": {"name": "a"}}')
    with pytest.raises(Mismatch):
        again.reader(JSON)(b'{"id": 1, "user": {"name": "A"}}')


def test_a_type_adapter_is_a_schema() -> None:
    """Of pydantic, for what is no model."""
    found = schemas(pydantic.TypeAdapter(list[int]))
    found.check("rooms/7", b"[1]", "record")
    assert found.described("rooms/7", "record") == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "array",
        "items": {"type": "integer"},
    }


def test_code_of_others_that_breaks_refuses_the_record() -> None:
    """What it raises is the reason, and ends nobody else's commit."""

    class Odd(pydantic.BaseModel):
        x: int

        @pydantic.field_validator("x")
        @classmethod
        def check(cls, x: int) -> int:
            if x == 1:
                raise ValueError("one\nis odd")
            raise KeyError("broken")

    assert refusal(Odd, b'{"x": 1}').message.endswith("Value error, one\\nis odd at #/x")
    assert "the check raised KeyError" in refusal(Odd, b'{"x": 2}').message


def test_the_library_of_json_schema_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Types need nothing."""
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    schemas(Message)
    with pytest.raises(MissingExtra, match=r"JSON Schema needs.*pip install 'headwater\[schemas\]'"):
        schemas(MESSAGE)


@given(st.text(max_size=1000))
def test_a_reason_is_one_short_line(text: str) -> None:
    assert legible(text).isprintable()
    assert len(legible(text)) <= 3003
    assert legible(text) == text or not text.isprintable() or len(text) > 300


@given(st.lists(st.text(max_size=5) | st.integers(), max_size=5))
def test_a_pointer_is_ascii(steps: list[str | int]) -> None:
    assert pointer_of(steps).isascii()
    assert pointer_of(["a/b", "c~d", 0, "ä"]) == "#/a~1b/c~0d/0/%C3%A4"


@given(
    st.binary(max_size=60)
    | st.recursive(st.none() | st.floats() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_no_bytes_are_more_than_refused(record: bytes) -> None:
    """Whatever comes is taken or refused with a printable sentence."""
    for kind in (JSON, MSGPACK, PROTOBUF):
        for what in (*ALIKE.values(), StringValue):
            told = ""
            try:
                schemas_of[id(what)].check("rooms/7", record, "record", kind)
            except SchemaMismatch as error:
                told = error.message
            assert told.isprintable()
            assert len(told) < 4000


schemas_of: Final = {id(what): schemas(what) for what in (*ALIKE.values(), StringValue)}


def test_schema_of_reads_values() -> None:
    """What typed reads use."""
    assert schema_of(Message).reader(JSON)(b'{"id": 1, "user": {"name": "a"}}') == Message(1, User("a"))
    assert schema_of(StringValue).reader(PROTOBUF)(b"\x03\x0a\x01x") == StringValue(value="x")
