"""When two requests are the same, and what is said when they are not."""

from __future__ import annotations

import pytest

from headwater.llm.proxy.fingerprint import MAX_KEYS, differing, fingerprint


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a":1,"b":[{"c":2,"d":3}]}', b' { "b": [ {"d": 3, "c": 2} ], "a": 1 }\n'),
        (b'{"a":1}', b'{"a":1.0}'),
        (b'{"a":100}', b'{"a":1e2}'),
        (b'{"a":0}', b'{"a":-0.0}'),
        (b'{"a":0.1}', b'{"a":1e-1}'),
        ('{"a":"é😀"}'.encode(), b'{"a":"\\u00e9\\ud83d\\ude00"}'),
        (b'{"a":"\\ud83d"}', b'{ "a": "\\uD83D" }'),
        (b'{"a":123456789012345678901234567890}', b'{ "a" : 123456789012345678901234567890 }'),
    ],
)
def test_spelling_makes_no_difference(one: bytes, other: bytes) -> None:
    """Key order, white space, escapes and the spelling of numbers."""
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (b'{"a":1}', b'{"a":2}', "'a'"),
        (b'{"a":1}', b'{"a":"1"}', "'a'"),
        (b'{"a":1}', b'{"a":true}', "'a'"),
        (b'{"a":null}', b"{}", "'a'"),
        (b'{"a":[1,2]}', b'{"a":[2,1]}', "'a'"),
        (b'{"a":1e400}', b'{"a":null}', "'a'"),
        (b'{"a":9007199254740993}', b'{"a":9007199254740992}', "'a'"),
        (b'{"m":1,"x":{"y":1}}', b'{"m":1,"x":{"y":2},"z":0}', "'x', 'z'"),
    ],
)
def test_what_differs_is_named(one: bytes, other: bytes, told: str) -> None:
    """By top-level key; a key that only one has differs too."""
    assert differing(fingerprint(one), fingerprint(other)) == told


def test_a_request_with_many_keys_has_a_small_fingerprint() -> None:
    """All of them count; few are named, and an error names eight."""
    keys = [f'"{name}":1' for name in ["x" * 1000, *range(10_000)]]
    one = fingerprint(("{" + ",".join(keys) + "}").encode())
    other = fingerprint(("{" + ",".join(keys[:-1]) + ',"9999":2}').encode())
    assert one != other
    assert len(one) < 100 + MAX_KEYS * 100
    every = fingerprint(b"{}")
    assert differing(one, every).endswith("24 more")
    assert differing("an older release's", one) == ""
