r"""Halves of surrogate pairs, escaped in JSON: `"\ud83d"`, as JavaScript writes an emoji that was cut.

They are JSON (RFC 8259 section 8.2), but no character, and no UTF-8. JavaScript and Python's `json` read them; most
other parsers do not, and msgspec does not.

Rule: bytes are stored and told as they are. Only where a value has to be looked at, a half is U+FFFD.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

#: The escape of a first half that no second one follows, or of a second half behind no first one.
_HALF: Final = re.compile(
    rb"\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD])[c-fC-F][0-9a-fA-F]{2})"
)


def mended(text: bytes) -> bytes:
    """The same text, of the same length, with U+FFFD for every half of a pair; the text itself, if there is none.

    Args:
        text: JSON, or not.
    """
    # NUL is no part of JSON, and stands for the escaped backslashes, behind which nothing is an escape.
    if (b"\\ud" not in text and b"\\uD" not in text) or b"\0" in text:
        return text
    hidden = text.replace(b"\\\\", b"\0\0")
    whole = _HALF.sub(rb"\\ufffd", hidden)
    return text if whole == hidden else whole.replace(b"\0\0", b"\\\\")


def json_value(text: bytes) -> Any:
    """The value of a JSON text, with U+FFFD for halves of pairs.

    Raises:
        msgspec.DecodeError, RecursionError: it is no JSON, or has no value here: 1e999, deep nesting.
    """
    try:
        return _decode(text)
    except msgspec.DecodeError:
        whole = mended(text)
        if whole is text:
            raise
        return _decode(whole)


def _decode(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except UnicodeDecodeError:  # which msgspec lets through
        raise msgspec.DecodeError("a string is not UTF-8") from None
