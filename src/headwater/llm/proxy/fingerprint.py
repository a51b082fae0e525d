"""What makes two requests the same: their JSON, and not how a client's library spells it.

Rule 1: the order of keys, white space, escapes and the spelling of a number (`1`, `1.0`, `1e0`) are spelling.
Rule 2: a fingerprint says which top-level keys of two requests differ, and holds nothing of what they hold.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

import msgspec

from headwater.surrogates import mended

#: Top-level keys that can be named, and characters of one; what is beyond counts, but is not named.
MAX_KEYS: Final = 32
MAX_NAME: Final = 64
#: Keys that an error names.
_NAMED: Final = 8
#: Up to here a float that is a whole number is the integer.
_EXACT: Final = 2**53
#: Of a key's value, in hexadecimal digits.
_SHORT: Final = 12


class Fingerprint(msgspec.Struct, frozen=True):
    """Of one request.

    Attributes:
        whole: of all of it.
        keys: of each top-level key's value.
    """

    whole: str
    keys: dict[str, str]


def fingerprint(body: bytes) -> str:
    """The fingerprint of a request, as text: equal for the same JSON.

    Args:
        body: a JSON object.
    """
    value: dict[str, Any] = _DECODER.decode(mended(body))
    named = [key for key in sorted(value) if len(key) <= MAX_NAME][:MAX_KEYS]
    found = Fingerprint(_digest(value), {key: _digest(value[key])[:_SHORT] for key in named})
    return msgspec.json.encode(found).decode()


def differing(known: str, asked: str) -> str:
    """The top-level keys that two requests differ in, as words; empty: it cannot be said.

    Args:
        known: a fingerprint.
        asked: another one.
    """
    try:
        one, other = (msgspec.json.decode(text, type=Fingerprint).keys for text in (known, asked))
    except msgspec.DecodeError:
        return ""
    names = [repr(key) for key in sorted(one.keys() | other.keys()) if one.get(key) != other.get(key)]
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return ", ".join([*names[:_NAMED], *more])


def _digest(value: Any) -> str:
    return sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def _number(text: str) -> Any:
    value = float(text)
    if abs(value) <= _EXACT and value.is_integer():
        return int(value)
    return value if abs(value) != float("inf") else text


_DECODER: Final = msgspec.json.Decoder(dict[str, Any], float_hook=_number)
