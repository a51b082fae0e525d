"""URLs: what is a stream, what is a word behind one or at the root; and that nothing else changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headwater.errors import InvalidPath, PathTooLong, RouteNotFound, StreamPrivate
from headwater.protocol.paths import MAX_PATH_BYTES, PrivatePaths
from headwater.protocol.requests import METHODS, parse_request
from headwater.protocol.urls import AT_ROOT, AT_STREAM, Target, not_served, split_url, stream_at

WORDS = [(f"-/{word}", Target("", word)) for word in AT_ROOT] + [
    (f"{path}/-/{word}", Target(path, word)) for word in AT_STREAM for path in ("a", "jobs/7", "a/--", "-a/b", "é/x y")
]


@pytest.mark.parametrize(("path", "target"), WORDS, ids=[path for path, _ in WORDS])
def test_a_word_of_the_table_is_no_stream(path: str, target: Target) -> None:
    """The path before it is the stream's, and at the root there is none."""
    assert split_url(path) == target
    with pytest.raises(RouteNotFound, match=r"is reserved for .*; this server does not serve it"):
        stream_at(path)


@pytest.mark.parametrize(
    "path",
    [
        *("a", "jobs/7", "-", "--", "--/many", "-many", "a-/signal", "a/-signal", "a/--/signal", "a/-", "a/b/-"),
        *("a/-/x", "a/-/Signal", "a/-/signal ", "a/-/signals", "a/-/sig", "-/Many", "-/many ", "-/x"),
        # A word is whole: what is below it, and a slash behind it, is none.
        *("a/-/signal/", "a/-/signal/x", "a/-/signal/-/signal", "-/many/", "-/many/x", "-/a/b"),
        # The first segment `-` decides.
        *("a/-/-/signal", "a/-/b/-/signal", "-/-/many", "-/-/signal", "-/a/-/signal", "-/-"),
        # Words of the other table.
        *("a/-/many", "a/-/append", "a/-/connect", "a/-/revoke", "-/signal", "-/presence", "-/cancel"),
        # The introspection's.
        *("-/health", "-/streams", "a/-/health"),
        # No stream is before the word.
        *("", "/", "/-/signal", "/-/many", "-//many"),
        # Decoded once: these are characters of the path.
        *("a/%2D/signal", "a%2F-%2Fsignal", "%2D/many", "a/\u2010/signal", "a/\u2212/signal"),
    ],
)
def test_all_else_is_a_path_as_it_stands(path: str) -> None:
    """Whether a stream may have it is not decided here."""
    assert split_url(path) == Target(path)


segments = st.sampled_from(["", "-", "--", ".", "a", "-a", "é", *AT_ROOT, *AT_STREAM, "health"]) | st.text(max_size=4)


@given(path=st.lists(segments, max_size=6).map("/".join) | st.text("-/a", max_size=10))
@example("a/-/-/signal")
@example("//-/signal")
def test_what_is_not_in_the_table_is_unchanged(path: str) -> None:
    """By segments: the first `-`, with one of the words as all that follows it. Nothing is lost in either case."""
    found, parts = split_url(path), path.split("/")
    at = parts.index("-") if "-" in parts else len(parts)
    words = AT_STREAM if at else AT_ROOT
    is_word = len(parts) == at + 2 and parts[-1] in words and (at == 0 or parts[:at] != [""])
    assert found == (Target("/".join(parts[:at]), parts[-1]) if is_word else Target(path))
    assert (f"{found.path}/-/{found.word}" if found.path else f"-/{found.word}") == path or not found.word


@given(path=st.lists(segments, max_size=6).map("/".join))
def test_a_stream_s_path_is_checked_whatever_is_behind_it(path: str) -> None:
    """What is let through has no word; what is refused as a word has a path that a stream may have, or none."""
    target = split_url(path)
    try:
        assert stream_at(path) == path
    except RouteNotFound:
        assert target.word
        assert not target.path or stream_at(target.path) == target.path
    except InvalidPath:
        assert target.path or not target.word
    else:
        assert target == Target(path)


@pytest.mark.parametrize("path", ["a//-/signal", "./-/signal", "a/../-/signal", "a\\b/-/signal", "a\0/-/presence"])
def test_the_path_before_a_word_is_a_stream_s(path: str) -> None:
    """Else it is refused for that."""
    with pytest.raises(InvalidPath):
        stream_at(path)


def test_the_limit_is_of_the_stream_s_path() -> None:
    """A stream with the longest path has words below it like all others."""
    longest = "x" * MAX_PATH_BYTES
    with pytest.raises(RouteNotFound):
        stream_at(f"{longest}/-/signal")
    with pytest.raises(PathTooLong):
        stream_at(f"{longest}x/-/signal")
    with pytest.raises(PathTooLong):
        stream_at(f"{longest}/-/signals")


def test_who_may_not_see_a_stream_sees_no_word_below_it() -> None:
    """The guard of paths is asked first."""
    private = PrivatePaths("runs")
    for path in ("runs/7", "runs/7/-/signal", "runs/-/signal"):
        with pytest.raises(StreamPrivate):
            stream_at(path, private=private)
    with pytest.raises(RouteNotFound):
        stream_at("-/many", private=private)


@pytest.mark.parametrize("method", [*METHODS, "PATCH"])
@pytest.mark.parametrize("path", [path for path, _ in WORDS[:8]])
def test_no_method_reaches_a_reserved_word(method: str, path: str) -> None:
    """It is not a stream's method that is wrong: there is nothing at all."""
    with pytest.raises(RouteNotFound) as caught:
        parse_request(method, path, b"", {})
    assert caught.value.message == not_served(split_url(path)).message


@pytest.mark.parametrize("source", [b"a/-/signal", b"/v1/stream/a/%2D/signal", b"/v1/stream/a%2F-%2Fsignal", b"-/many"])
def test_a_fork_s_source_is_read_as_a_url(source: bytes) -> None:
    """What cannot be read at its own URL cannot be read through a fork."""
    with pytest.raises(RouteNotFound):
        parse_request("PUT", "b", b"", {b"stream-forked-from": source}, prefixes=("/v1/stream/",))


def test_the_sentence_says_what_and_where() -> None:
    """In the words of the table."""
    assert not_served(Target("jobs/7", "signal")).message == (
        "'-/signal' below a stream is reserved for messages to a stream's readers that are not stored; "
        "this server does not serve it"
    )
    assert not_served(Target("", "many")).message.startswith("'-/many' below the root is reserved for reading many")


def test_the_page_has_the_table() -> None:
    """Every word with what it is for, and no other."""
    page = (Path(__file__).parents[2] / "docs" / "reference" / "http.md").read_text()
    rows = dict(re.findall(r"^\| `(\S*-/[a-z]+)` \| (.+?) \|$", page, re.MULTILINE))
    listed = {place: what for place, what in rows.items() if place.startswith("{")}
    wanted = {f"{{root}}-/{word}": what for word, what in AT_ROOT.items()}
    wanted |= {f"{{root}}{{path}}/-/{word}": what for word, what in AT_STREAM.items()}
    assert listed == wanted
