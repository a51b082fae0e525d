"""Stream paths: what may name a stream, and what may not."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater.errors import InvalidPath, PathTooLong, StreamPrivate
from headwater.protocol import paths
from headwater.protocol.paths import (
    MAX_PATH_BYTES,
    NOTHING_PRIVATE,
    RUNS,
    PrivatePaths,
    check_encoding,
    check_new_path,
    check_path,
    strip_prefix,
)


@pytest.mark.parametrize(
    "path",
    [
        *("a", "jobs/7", "a/b/c/d", "a b", "grüße/😀", "a.b", "...", "a..b", ".hidden", "-a", "a/-", "a/-/b", "--"),
        *("a?b=c", "a#b", "a%2fb", "a:b", "@", "~", "*", "a&b", "'", '"', "<a>", "x" * MAX_PATH_BYTES),
        "é" * (MAX_PATH_BYTES // 2),
    ],
)
def test_printable_segments_are_a_path(path: str) -> None:
    """A path is given back as it is."""
    assert check_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "//", "/a", "a/", "a//b", ".", "..", "a/.", "a/..", "../a", "a/../b", "./a", "a/./b", "-", "-/a"),
        *("a\0", "\n", "a\rb", "a\tb", "a\x7fb", "a\x1bb", "a\\b", "\\", "..\\a", "a\x85b", "a\u2028b", "a\u202eb"),
        *("\ufeffa", "a\u200bb", "a\xa0b", "\udc80", "a/\ud800", "\udcff" * 2000),
    ],
)
def test_other_paths_are_refused(path: str) -> None:
    """Empty and dot segments, the introspection's `-`, control characters, invisible ones, backslashes, no UTF-8."""
    with pytest.raises(InvalidPath) as caught:
        check_path(path)
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("path", "maximum"),
    [("x" * (MAX_PATH_BYTES + 1), MAX_PATH_BYTES), ("é" * 6, 11), ("abc", 2), ("\0" * 5000, MAX_PATH_BYTES)],
)
def test_the_limit_counts_bytes(path: str, maximum: int) -> None:
    """One byte more than the limit is too long, and the message says both numbers."""
    with pytest.raises(PathTooLong, match=f"{len(path.encode())} bytes, the limit is {maximum}"):
        check_path(path, maximum=maximum)


@given(st.text("aZ09-._~@:+=,/*{\\ é\0", max_size=9), st.integers(1, 9))
def test_plain_paths_are_no_exception(path: str, maximum: int) -> None:
    """What is known to be a path at the first look is one by all the rules too, for streams new and old."""
    for check in (lambda: check_path(path, maximum=maximum), lambda: check_new_path(check_path(path))):
        with pytest.MonkeyPatch.context() as patch:
            outcomes = [outcome_of(check)]
            patch.setattr(paths, "_PLAIN", re.compile("(?!)"))
            outcomes.append(outcome_of(check))
        assert outcomes[0] == outcomes[1]


def outcome_of(check: Callable[[], str]) -> str:
    try:
        return check()
    except (InvalidPath, PathTooLong) as error:
        return f"refused: {error.message}"


@pytest.mark.parametrize(
    "path", ["a", "jobs/7", "-a", "a/--", "a-", "grüße/😀", "__d/s", "a/__ds", "_ds", "__Ds", "a[1]?"]
)
def test_a_new_stream_may_have_a_plain_path(path: str) -> None:
    """Given back as it is."""
    assert check_new_path(path) == path


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("gru\u0308n", "NFC"),
        ("\u212b", "NFC"),
        *((path, path[-1]) for path in ("*", "acl/*", "a**", "a{", "a/b}")),
        *((path, "segment '-'") for path in ("a/-", "a/-/b", "-")),
        *((path, "begins with '__ds'") for path in ("__ds", "__ds/subscriptions/1", "__dsx", "__ds-x/y")),
    ],
)
def test_a_new_stream_may_not_have_another_s_name(path: str, reason: str) -> None:
    """Two texts that look the same, patterns, and what the introspection and the protocol have for themselves."""
    with pytest.raises(InvalidPath, match=re.escape(reason)):
        check_new_path(path)


@pytest.mark.parametrize("raw", [b"/v1/stream/a%20b", b"/a%25zz", b"/%C3%a9", b"", b"/a?b"])
def test_a_path_that_is_encoded_is_let_through(raw: bytes) -> None:
    """Two hexadecimal digits in any case."""
    check_encoding(raw)


@pytest.mark.parametrize("raw", [b"/%zz", b"/a%", b"/a%2", b"/%%20", b"/%2\xc3", b"/a#b", b"/%+1", b"/% 1"])
def test_a_path_that_is_not_encoded_is_refused(raw: bytes) -> None:
    """It would be the same stream as `%25zz`; and a fragment is never sent."""
    with pytest.raises(InvalidPath, match="percent-encoded") as caught:
        check_encoding(raw)
    assert caught.value.message.isprintable()


@given(path=st.text(st.characters(), max_size=20) | st.text("./-\\a\0\n", max_size=12))
def test_a_path_is_safe_or_refused(path: str) -> None:
    """What is let in has no segment that leads elsewhere, and nothing that breaks a line."""
    try:
        check_path(path, maximum=30)
    except (InvalidPath, PathTooLong):
        return
    assert path.isprintable()
    assert len(path.encode()) <= 30
    assert not {"", ".", ".."} & set(path.split("/"))
    assert not path.startswith("-/")


@pytest.mark.parametrize(
    ("url_path", "path"),
    [
        ("/v1/stream/a/b", "a/b"),
        ("/root/v1/stream/a", "a"),
        ("/a/b", "a/b"),
        ("a/b", "a/b"),
        ("//a", "/a"),
        ("/v1/stream/", ""),
        ("/v1/stream", "v1/stream"),
        ("v1/stream/a", "v1/stream/a"),
        ("", ""),
    ],
)
def test_the_server_s_prefix_is_no_part_of_a_path(url_path: str, path: str) -> None:
    """The first prefix that fits is taken off, else the leading slash, once."""
    assert strip_prefix(url_path, ("/root/v1/stream/", "/v1/stream/")) == path


@pytest.mark.parametrize("path", ["runs", "runs/7", "runs/a/b", "runs-leases/x", "of/the/app", "of/the/app/x"])
def test_a_private_path_and_what_is_below_is_refused(path: str) -> None:
    """Whatever is made private later, too."""
    private = PrivatePaths(*RUNS)
    private.add("of/the/app")
    assert path in private
    with pytest.raises(StreamPrivate, match="is not served here"):
        private.check(path)
    NOTHING_PRIVATE.check(path)


@pytest.mark.parametrize("path", ["run", "runs2", "runs2/7", "x/runs/7", "runs-", "of/the", "of/the/apps", ""])
def test_other_paths_are_not_private(path: str) -> None:
    """Whole segments count."""
    private = PrivatePaths(*RUNS, "of/the/app")
    assert path not in private
    private.check(path)
