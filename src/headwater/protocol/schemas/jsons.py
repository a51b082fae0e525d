"""JSON Schema, by `jsonschema-rs`, which the extra `schemas` installs.

Measured on records of 170 bytes, in times of parsing alone: it takes 1.3, `fastjsonschema` 4.4 and `jsonschema` 70.

Rule 1: nothing is fetched for a schema, from the network or a disk: what it refers to is among those given with it.
Rule 2: patterns run on an engine whose time grows with the length of the text alone. It knows no look-around and no
        back-references, and a pattern with one is told at the start. So no record makes a pattern hang.
Rule 3: what is nested more deeply than `MAX_DEPTH` is refused: the library goes down by the stack of its thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any, Final, cast
from urllib.parse import quote

import msgspec

from headwater.errors import MissingExtra
from headwater.protocol.schemas.base import Form, InvalidSchema, Mismatch, Reader, Schema, legible, pointer_of
from headwater.surrogates import json_value

#: How deeply a record may be nested.
MAX_DEPTH: Final = 512
#: Where the schemas of a folder are, for what refers to another one by the name of its file.
BASE: Final = "schema:///"
#: Stands for what a record holds where the library's words would quote it.
_MASK: Final = "the value"


class Folder:
    """Schemas that may refer to each other.

    Args:
        schemas: by the names of their files.

    Raises:
        InvalidSchema: they cannot be put together.
        MissingExtra: the library is not installed.
    """

    def __init__(self, schemas: Mapping[str, Any]) -> None:
        library = _library()
        try:
            known = [(BASE + quote(name), schema) for name, schema in schemas.items()]
            self.registry: Final = library.Registry(known, retriever=_refuse)
        except (library.ReferencingError, ValueError, TypeError) as error:
            raise InvalidSchema(legible(str(error))) from None


class JsonSchema(Schema):
    """A JSON Schema.

    Args:
        schema: an object, or a truth value.
        name: of its file; what it refers to is looked for beside it.
        folder: what it may refer to.

    Raises:
        InvalidSchema: it is none, or refers to what is not there; with the place in it.
        MissingExtra: the library is not installed.
    """

    runs_code = False

    def __init__(self, schema: Any, name: str = "a JSON Schema", folder: Folder | None = None) -> None:
        jsonschema_rs = _library()
        self.name = name
        self._schema: Final = schema
        self._folder: Final = folder
        self._told: Any = None
        self._error: Final = jsonschema_rs.ValidationError
        build = partial(
            jsonschema_rs.validator_for,
            schema,
            base_uri=BASE + quote(name),
            registry=None if folder is None else folder.registry,
            retriever=_refuse,
            pattern_options=jsonschema_rs.RegexOptions(),
        )
        try:
            try:
                self._validate: Final = build(mask=_MASK).validate
            except jsonschema_rs.ValidationError:
                build()  # for an error that quotes the schema
                raise
        except jsonschema_rs.ValidationError as error:
            raise InvalidSchema(f"at {pointer_of(error.instance_path)}: {_why_none(error)}") from None
        except (jsonschema_rs.ReferencingError, ValueError, TypeError) as error:
            raise InvalidSchema(legible(str(error))) from None
        self._readers: Final[dict[Form, Reader]] = {"JSON": self._read_json, "MessagePack": self._read_msgpack}

    @property
    def readers(self) -> Mapping[Form, Reader]:
        """See `Schema.readers`."""
        return self._readers

    def described(self) -> Mapping[str, Any] | bool:
        """See `Schema.described`; with what it refers to in it."""
        if self._told is None:
            self._told = self._schema
            if self._folder is not None:
                own = {"$id": BASE + quote(self.name), **_without_ours(self._schema)}
                self._told = _library().bundle(own, registry=self._folder.registry)
        return cast("Mapping[str, Any] | bool", self._told)

    def _read_json(self, record: bytes) -> Any:
        try:
            value = json_value(record)
        except msgspec.DecodeError as error:
            raise Mismatch(str(error)) from None
        except RecursionError:
            raise _too_deep() from None
        return self._checked(value, may_be_deep=record.count(b"[") + record.count(b"{") > MAX_DEPTH)

    def _read_msgpack(self, record: bytes) -> Any:
        try:
            value = msgspec.msgpack.decode(record)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Mismatch(str(error)) from None
        except RecursionError:
            raise _too_deep() from None
        return self._checked(value, may_be_deep=len(record) > MAX_DEPTH)

    def _checked(self, value: Any, *, may_be_deep: bool) -> Any:
        if may_be_deep and _is_deep(value):
            raise _too_deep()
        try:
            self._validate(value)
        except self._error as error:
            raise Mismatch(_reason(error), pointer_of(error.instance_path)) from None
        except ValueError as error:  # binary, an extension, a key that is no text
            raise Mismatch(f"a value has no form as JSON: {error}") from None
        return value


def _library() -> ModuleType:
    try:
        return import_module("jsonschema_rs")
    except ImportError:
        raise MissingExtra.of("JSON Schema", "schemas") from None


def _without_ours(schema: Any) -> dict[str, Any]:
    """A schema without what is of this server alone."""
    if not isinstance(schema, dict):
        return {} if schema else {"not": {}}
    return {name: value for name, value in schema.items() if not name.startswith("x-")}


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is not one of the schemas that are given; nothing is fetched")


def _reason(error: Any) -> str:
    return str(error.message)


def _why_none(error: Any) -> str:
    reason = legible(str(error.message))
    if 'is not a "regex"' in reason:
        reason += "; look-around and back-references are not known"
    return reason


def _too_deep() -> Mismatch:
    return Mismatch(f"it is nested more than {MAX_DEPTH} deep")


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        insides = [each.values() if type(each) is dict else each for each in level if type(each) in (dict, list)]
        if not insides:
            return False
        level = [each for inside in insides for each in inside if type(each) in (dict, list)]
    return True
