"""Records as values of a type: JSON and MessagePack by msgspec, by a pydantic model, or by a function of the caller.

Rule: pydantic is not imported here; who gives one of its models has done so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, TypeVar

import msgspec

from headwater.client.errors import BadRecord
from headwater.client.items import Item
from headwater.model import Principal
from headwater.protocol.framing import is_json, is_msgpack, is_text, join_records

T = TypeVar("T")

_JSON: Final = "application/json"


class Codec(Generic[T]):
    """What makes values of the records of one stream.

    Args:
        content_type: the stream's.
        kind: the type of its values; None: that which JSON, text or bytes have.
        decode: makes a value of a record's bytes, in place of `kind`.

    Attributes:
        content_type: as given.
        is_json: a record is a JSON value.
        is_text: it comes as text, as JSON does.
        row: the type of a value inside a JSON document, if it can be decoded together with what is around it.
        value: makes a value of a record's bytes. Raises ValueError, msgspec's errors among them, if there is none.
    """

    def __init__(self, content_type: str, kind: Any = None, decode: Callable[[bytes], T] | None = None) -> None:
        self.content_type: Final = content_type
        self.is_json: Final = is_json(content_type)
        self.is_text: Final = is_text(content_type)
        self.row: Any = None
        self.value: Callable[[bytes], Any]
        if decode is not None:
            self.value = decode
        elif kind is bytes:
            self.value = bytes
        elif hasattr(kind, "model_validate_json") and self.is_json:
            self.value = kind.model_validate_json
        elif self.is_json:
            self.row = Any if kind is None else kind
            self.value = _mending(msgspec.json.Decoder(self.row).decode)
        elif is_msgpack(content_type):
            self.value = msgspec.msgpack.Decoder(Any if kind is None else kind).decode
        elif self.is_text:
            self.row = str if kind is None else None
            self.value = bytes.decode if kind in (None, str) else _refuse(kind, content_type)
        else:
            self.value = bytes if kind is None else _refuse(kind, content_type)

    def encode(self, value: Any) -> bytes:
        """A record's bytes.

        Raises:
            TypeError: the stream's type has no form for the value.
        """
        if isinstance(value, bytes | bytearray | memoryview):
            return bytes(value)
        if hasattr(value, "model_dump_json"):
            return bytes(value.model_dump_json().encode())
        if self.is_json:
            return msgspec.json.encode(value)
        if isinstance(value, str):
            return value.encode()
        if self.content_type.endswith("msgpack"):
            return msgspec.msgpack.encode(value)
        raise TypeError(f"a record of {self.content_type} is text or bytes, not {type(value).__name__}")

    def join(self, values: Iterable[Any]) -> bytes:
        """A body of records; of a stream that does not keep them apart, one."""
        return self.joined([self.encode(value) for value in values])

    def joined(self, records: list[bytes]) -> bytes:
        """The same of records as bytes."""
        return join_records(self.content_type, records)


def _mending(decode: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """The same, for halves of surrogate pairs too, which JSON may have and msgspec does not read."""

    def decoded(raw: bytes) -> T:
        try:
            return decode(raw)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            from headwater.surrogates import mended  # few programs ever meet one

            whole = mended(raw)
            if whole is raw:
                raise
            return decode(whole)

    return decoded


def _refuse(kind: Any, content_type: str) -> Callable[[bytes], Any]:
    raise TypeError(f"a stream of {content_type} has text or bytes, not {kind!r}; give decode= to make one of them")


def make_item(
    codec: Codec[T], raw: bytes, offset: str, at: float | None = None, by: Principal | None = None
) -> Item[T]:
    """A record.

    Raises:
        BadRecord: it is not of the type.
    """
    try:
        return Item(codec.value(raw), offset, raw, at, by)
    except (ValueError, RecursionError) as error:  # also msgspec's and pydantic's
        raise BadRecord(f"the record before {offset} is not of the type that is read: {error}", offset, raw) from error
