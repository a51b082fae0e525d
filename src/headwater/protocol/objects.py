"""Python objects as records: what msgspec encodes, models of pydantic, messages of Protobuf.

Rule: a library that an application may use is known by the methods of its objects, and never imported for it.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from headwater.errors import InvalidBody

Form = Literal["JSON", "MessagePack", "Protobuf"]


def is_message(value: Any) -> bool:
    """Whether something is a message of Protobuf, or their class, of whichever library."""
    return hasattr(value, "SerializeToString")


def _json_of_model(value: Any) -> Any:
    """Called for what msgspec does not know."""
    if hasattr(value, "model_dump_json"):
        return msgspec.Raw(value.model_dump_json().encode())
    raise TypeError(f"{type(value).__name__} has no form as JSON")


def _plain_of_model(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump()
    raise TypeError(f"{type(value).__name__} has no form as MessagePack")


_to_json: Final = msgspec.json.Encoder(enc_hook=_json_of_model).encode
_to_msgpack: Final = msgspec.msgpack.Encoder(enc_hook=_plain_of_model).encode


def encoded(form: Form, value: Any) -> bytes:
    """An object as the bytes of one value, or of one message without its length.

    Raises:
        InvalidBody: it has no such form.
    """
    try:
        match form:
            case "JSON":
                return _to_json(value)
            case "MessagePack":
                return _to_msgpack(value)
        if is_message(value):
            return bytes(value.SerializeToString())
    except Exception as error:  # of the object's own class: a required field that is not set, for one
        raise InvalidBody(f"the value cannot be written as {form}: {error}") from None
    raise InvalidBody(
        f"a stream of Protobuf takes messages, or bytes that are messages with their lengths in front, not "
        f"{type(value).__name__}"
    )
