"""A JSON body is taken exactly if Python's strict json takes it, and its records are the same values, one a line.

Differences that are meant: no NaN and Infinity, no empty array, no deeper nesting than the stack.
Run it: python -m fuzz.fuzz_json -runs=200000 -max_len=400
"""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

from fuzz.driver import instrumented, run

with instrumented():
    from headwater.errors import InvalidBody
    from headwater.protocol.json_values import split_json

SEEDS = (
    *(
        b"{}",
        b"[1]",
        b'[{"a": [1.5e-3, -0, null]}, "\\u00e4\\ud83d\\ude00\\n", true]',
        b" [[],\r\n[ ] ]\t",
        b"0",
        b'"a"',
    ),
    *(
        '"ä€😀"'.encode(),
        b"[]",
        b"1E+2",
        b'{"a":{"b":[{"c":false}]}}',
        b'"\\"\\\\\\/\\b\\f\\n\\r\\t"',
        b"-1.0",
        b"12345678901234567890",
    ),
)
WORDS = (
    b"[",
    b"]",
    b"{",
    b"}",
    b'"',
    b":",
    b",",
    b"\\u",
    b"\\ud800",
    b"\\udc00",
    b"\\\\",
    b"null",
    b"true",
    b"false",
    b"NaN",
    b"e+",
    b"\r\n",
)


def refuse(constant: str) -> NoReturn:
    """NaN and Infinity are no JSON."""
    raise ValueError(constant)


def load(text: str) -> Any:
    """Strict JSON, with objects as pairs so that repeated keys stay."""
    return json.loads(text, parse_constant=refuse, object_pairs_hook=lambda pairs: {"pairs": pairs})


def expected(body: bytes) -> list[Any] | None:
    """The values of a body; None: it is to be refused."""
    try:
        value = load(body.decode())
    except (ValueError, RecursionError):  # no JSON, or no UTF-8
        return None
    values = value if isinstance(value, list) else [value]
    return values or None


def check(body: bytes) -> None:
    """Both refuse, or both give the same values."""
    values = expected(body)
    try:
        records = split_json(body)
    except InvalidBody:
        records = ()
    assert (not records) == (values is None)
    if values is None:
        return
    assert [load(record.decode()) for record in records] == values
    for record in records:
        assert record == record.strip()
        assert not set(record) & set(b"\r\n")


if __name__ == "__main__":
    sys.set_int_max_str_digits(0)
    run(check, SEEDS, WORDS)
