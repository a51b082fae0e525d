"""MessagePack values one behind the other; each says itself where it ends.

Rule 1: a record of a MessagePack stream is one value with its own bytes. An array is one value, and a body of several
        values is several records: nothing is flattened, unlike in JSON.
Rule 2: the structure is checked, and the text in it is not: MessagePack leaves it to who reads whether a string that is
        no UTF-8 is one (its specification, "str format family").
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from headwater.protocol.splitter import Splitter
from headwater.surrogates import json_value

_skip: Final = msgspec.msgpack.Decoder(msgspec.Raw).decode
# msgspec tells where a value ends by what it says of the bytes behind it. Tests hold it to these words.
_BEHIND: Final = re.compile(r"MessagePack data is malformed: trailing characters \(byte (\d+)\)")
_MALFORMED: Final = re.compile(r"MessagePack data is malformed: (.*) \(byte (\d+)\)")
_NOT_WHOLE: Final = "Input data was truncated"


class ValueSplitter(Splitter):
    """MessagePack values."""

    format = "MessagePack"
    noun = "value"

    def _end_of(self, data: bytes, at: int) -> int | None:
        try:
            _skip(memoryview(data)[at:] if at else data)
        except msgspec.DecodeError as error:
            told = str(error)
            if (behind := _BEHIND.fullmatch(told)) is not None:
                return at + int(behind[1])
            if told == _NOT_WHOLE:
                return None
            if (found := _MALFORMED.fullmatch(told)) is not None:
                raise self.malformed(found[1], at + int(found[2])) from None
            raise self.malformed(told, at) from None
        except RecursionError:
            raise self.malformed("the value that begins there is nested too deeply", at) from None
        return len(data)


def to_json(record: bytes) -> bytes:
    """A MessagePack value as JSON: binary as text of base64, times as RFC 3339, keys as text, NaN as null.

    Raises:
        ValueError: it has no such form: an extension, keys that are arrays, text that is no UTF-8.
    """
    try:
        return msgspec.json.encode(msgspec.msgpack.decode(record))
    except (msgspec.DecodeError, TypeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def from_json(value: bytes) -> bytes:
    """A JSON value as MessagePack; half of a surrogate pair is U+FFFD.

    Raises:
        ValueError: it is no JSON, or has a number that MessagePack has no place for.
    """
    try:
        return msgspec.msgpack.encode(json_value(value))
    except (msgspec.DecodeError, OverflowError, RecursionError) as error:
        raise ValueError(str(error)) from None
