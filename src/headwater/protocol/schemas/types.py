"""Types as schemas: those of msgspec, models of pydantic, and classes of Protobuf's messages.

Rule 1: what a type is, its methods say; neither pydantic nor a library of Protobuf is imported for it.
Rule 2: of JSON with one key twice the last one counts, as in browsers; to msgspec all of them must fit. Half of a
        surrogate pair is read as U+FFFD.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from headwater.protocol.delimited import message_of
from headwater.protocol.schemas.base import Form, InvalidSchema, Mismatch, Reader, Schema, pointer_of
from headwater.protocol.schemas.plain import is_plain
from headwater.surrogates import mended

#: The JSON Schema that msgspec and pydantic write.
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
#: Where msgspec says that a value is: `- at `$.user.tags[0]``.
_PLACE: Final = re.compile(r"(.*) - at `(?:key in )?\$(.*)`", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


class MsgspecType(Schema):
    """A type that msgspec knows: a Struct, a dataclass, a TypedDict, and what is built in.

    Args:
        type: the type.

    Raises:
        InvalidSchema: msgspec does not know it.
    """

    def __init__(self, type: Any) -> None:
        self.name = name_of(type)
        try:
            json, msgpack = msgspec.json.Decoder(type).decode, msgspec.msgpack.Decoder(type).decode
            # Of a class that msgspec does not know it makes a decoder, and no schema.
            self._described: Final = {"$schema": DIALECT, **msgspec.json.schema(type)}
            self.runs_code = not is_plain(type)
        except Exception as error:  # also of who wrote the type: a name in an annotation that is not there
            raise InvalidSchema(f"{self.name} is no type that records can have: {error}") from None
        self._readers: Final[dict[Form, Reader]] = {"JSON": _reads(json, mend=True), "MessagePack": _reads(msgpack)}

    @property
    def readers(self) -> Mapping[Form, Reader]:
        """See `Schema.readers`."""
        return self._readers

    def described(self) -> Mapping[str, Any]:
        """See `Schema.described`."""
        return self._described


def _reads(decode: Callable[[bytes], Any], *, mend: bool = False) -> Reader:
    def read(record: bytes) -> Any:
        try:
            return decode(record)
        except msgspec.DecodeError as error:
            whole = mended(record) if mend else record
            if whole is not record:
                return read(whole)
            raise _of_msgspec(error) from None
        except UnicodeDecodeError as error:
            raise Mismatch(f"text is not UTF-8: {error.reason}") from None
        except RecursionError:
            raise Mismatch("it is nested too deeply") from None

    return read


def _of_msgspec(error: msgspec.DecodeError) -> Mismatch:
    found = _PLACE.fullmatch(str(error))
    if found is None:
        return Mismatch(str(error))
    steps = [name or ("*" if index == "..." else index) for name, index in _STEP.findall(found[2])]
    return Mismatch(found[1], pointer_of(steps))


class PydanticType(Schema):
    """A model of pydantic, or a `TypeAdapter`.

    Args:
        type: has `model_validate_json`, or `validate_json`.
    """

    def __init__(self, type: Any) -> None:
        self.name = name_of(type)
        self._type = type
        is_model = hasattr(type, "model_validate_json")
        json: Callable[[bytes], Any] = type.model_validate_json if is_model else type.validate_json
        python: Callable[[Any], Any] = type.model_validate if is_model else type.validate_python
        self._readers: Final[dict[Form, Reader]] = {
            "JSON": _validates(json),
            "MessagePack": _validates(lambda record: python(msgspec.msgpack.decode(record))),
        }

    @property
    def readers(self) -> Mapping[Form, Reader]:
        """See `Schema.readers`."""
        return self._readers

    def described(self) -> Mapping[str, Any]:
        """See `Schema.described`."""
        describe = getattr(self._type, "model_json_schema", None) or self._type.json_schema
        try:
            return {"$schema": DIALECT, **describe()}
        except Exception as error:  # of pydantic, whose errors are not imported
            raise InvalidSchema(f"{self.name} has no form as JSON Schema: {error}") from None


def _validates(validate: Callable[[bytes], Any]) -> Reader:
    def read(record: bytes) -> Any:
        try:
            return validate(record)
        except (msgspec.DecodeError, RecursionError) as error:
            raise Mismatch(str(error)) from None
        except ValueError as error:
            raise _of_pydantic(error) from None

    return read


def _of_pydantic(error: ValueError) -> Mismatch:
    errors = getattr(error, "errors", None)
    if not callable(errors):  # of a validator of its own
        return Mismatch(str(error))
    first = errors(include_url=False, include_context=False, include_input=False)[0]
    return Mismatch(first["msg"], pointer_of(first["loc"]))


class MessageType(Schema):
    """A class of messages, of whichever library of Protobuf.

    Args:
        type: has `FromString`.
    """

    def __init__(self, type: Any) -> None:
        descriptor = getattr(type, "DESCRIPTOR", None)
        self.name = str(getattr(descriptor, "full_name", None) or name_of(type))
        # The library of Google is C; what others do nobody knows.
        self.runs_code = not builtins.type(descriptor).__module__.startswith("google.")
        self._type = type
        self._readers: Final[dict[Form, Reader]] = {
            "Protobuf": self._read,
            "delimited Protobuf": lambda record: self._read(message_of(record)),
        }

    def _read(self, message: bytes) -> Any:
        try:
            return self._type.FromString(message)
        except Exception as error:  # each library has its own
            raise Mismatch(str(error) or type(error).__name__) from None

    @property
    def readers(self) -> Mapping[Form, Reader]:
        """See `Schema.readers`."""
        return self._readers

    def described(self) -> Mapping[str, Any]:
        """As records come by themselves: base64 of a message, of which JSON Schema can say no more."""
        return {
            "$schema": DIALECT,
            "title": self.name,
            "type": "string",
            "contentEncoding": "base64",
            "contentMediaType": f'application/x-protobuf; messageType="{self.name}"',
        }


def schema_of(type: Any) -> Schema:
    """A type as a schema.

    Raises:
        InvalidSchema: it is none.
    """
    if hasattr(type, "FromString"):
        return MessageType(type)
    if hasattr(type, "model_validate_json") or hasattr(type, "validate_json"):
        return PydanticType(type)
    return MsgspecType(type)


def name_of(type: Any) -> str:
    """What a type is called in messages."""
    return str(getattr(type, "__qualname__", None) or type)
