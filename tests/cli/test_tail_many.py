"""tail of several streams: what it prints, how it ends, and that no cut loses or repeats a record."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import select
import signal
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest

from headwater import Hub
from headwater.cli.failures import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Call, Cut, Serve, Server, Spawn


def rows(text: str) -> list[tuple[str, Any]]:
    return [(row["stream"], row.get("data", row.get("base64"))) for row in map(json.loads, text.splitlines())]


def of(found: list[tuple[str, Any]], stream: str) -> list[Any]:
    return [data for name, data in found if name == stream]


def test_records_stand_below_their_stream(call: Call, path: str) -> None:
    """JSON on a line each, text as it is; a head line when the stream changes. It ends when all are closed."""
    call("append", f"{path}/a", "--create", "--type", "application/json", '{"a": 1}', '"text"', "--close")
    call("append", f"{path}/b", "--create", "--type", "text/plain", "one\n", "two", "--close")
    call("append", f"{path}/c", "--create", "--type", "application/json", "3", "--close")
    result = call("tail", f"{path}/a", f"{path}/b", f"{path}/c")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        f'==> {path}/a <==\n{{"a": 1}}\n"text"\n\n==> {path}/b <==\none\ntwo\n\n==> {path}/c <==\n3\n'
    )


def test_bytes_are_printed_as_they_are(call: Call, path: str, tmp_path: Path) -> None:
    """In JSON as base64, as of one stream."""
    file = tmp_path / "bytes"
    file.write_bytes(b"\xff\n\x00")
    call("append", f"{path}/b", "--create", "--file", str(file), "--close")
    call("append", f"{path}/t", "--create", "--type", "text/plain", "ä", "--close")
    result = call("tail", f"{path}/b", f"{path}/t")
    assert result.stdout_bytes == f"==> {path}/b <==\n".encode() + b"\xff\n\x00\n" + f"\n==> {path}/t <==\nä".encode()
    assert rows(call("tail", f"{path}/*", "--json", "--no-follow").stdout) == [
        (f"{path}/b", "/woA"),
        (f"{path}/t", "ä"),
    ]


def test_offsets_of_json_output_are_those_of_one_stream(call: Call, path: str) -> None:
    """Each row has its stream, its offset and its data, byte for byte."""
    call("append", f"{path}/a", "--create", "--type", "application/json", '{"a":  1.0}', '"\\ud83d"', "--close")
    many = call("tail", f"{path}/*", "--json", "--no-follow").stdout.splitlines()
    one = call("tail", f"{path}/a", "--json").stdout.splitlines()
    assert many == [f'{{"stream":"{path}/a",{line[1:]}' for line in one]
    assert call("tail", f"{path}/*", "--no-follow").stdout == f'==> {path}/a <==\n{{"a":  1.0}}\n"\\ud83d"\n'


def test_no_follow_reads_all_pages(call: Call, path: str) -> None:
    """More than one response gives; and stops at the tails of open streams."""
    big = "".join(f'"{number:05}{"x" * 5000}"\n' for number in range(300))
    for name in "ab":
        call("append", f"{path}/{name}", "--create", "--type", "application/json", stdin=big)
    result = call("tail", f"{path}/a", f"{path}/*", "--no-follow", "--json")
    assert result.exit_code == 0
    found = rows(result.stdout)
    for name in "ab":
        assert [int(data[:5]) for data in of(found, f"{path}/{name}")] == list(range(300))
    assert call("tail", f"{path}/a", f"{path}/b", "--from", "now", "--no-follow").stdout == ""


def test_a_stream_that_is_not_there_fails_without_following(call: Call, path: str) -> None:
    """It is told with its name, the others are printed, and the exit code is that of one missing stream."""
    call("append", f"{path}/a", "--create", "--type", "application/json", "1")
    result = call("tail", f"{path}/none", f"{path}/a", "--no-follow")
    assert (result.exit_code, result.stdout) == (ExitCode.NOT_FOUND, f"==> {path}/a <==\n1\n")
    assert result.stderr == f"stream-not-found: {path}/none: there is no such stream\n"


def test_a_failed_stream_ends_no_other(call: Call, path: str) -> None:
    """It is told once, the rest is read to its end, and the exit code is 6."""
    call("append", f"{path}/a", "--create", "--type", "application/json", "1")
    call("close", f"{path}/a", "--failed", "timeout", "--message", "no answer")
    call("append", f"{path}/b", "--create", "--type", "application/json", "2", "--close")
    result = call("tail", f"{path}/a", f"{path}/b")
    assert (result.exit_code, result.stdout) == (
        ExitCode.STREAM_FAILED,
        f"==> {path}/a <==\n1\n\n==> {path}/b <==\n2\n",
    )
    assert result.stderr.count("stream-failed") == 1
    assert f"stream-failed: {path}/a: the stream ended before it was complete: timeout (no answer)" in result.stderr


def test_records_that_are_no_longer_kept_are_told(call: Call, server: Server, path: str) -> None:
    """Behind a cursor whose records retention has taken: on stderr, with exit code 4, and what is kept is printed."""
    call("create", f"{path}/a", "--json", "--retention", "count=1")
    call("append", f"{path}/a", "1")
    cursor = _cursor(server, [f"{path}/a", f"{path}/b"])
    call("append", f"{path}/b", "--create", "--type", "application/json", "1", "--close")
    call("append", f"{path}/a", "2", "3", "4")
    call("append", f"{path}/a", "5", "--close")
    while call("tail", f"{path}/a", "--from", "-1", "--no-follow").stdout != "5\n":
        pass
    result = call("tail", f"{path}/a", f"{path}/b", "--from", cursor, "--json")
    assert (result.exit_code, rows(result.stdout)) == (ExitCode.NOT_FOUND, [(f"{path}/a", 5), (f"{path}/b", 1)])
    assert result.stderr.startswith(f"offset-gone: {path}/a: records before ")


def _cursor(server: Server, streams: list[str]) -> str:
    """Where a read of them stands now."""
    url = f"{server.url}/v1/stream/-/many?live=false"
    with urlopen(url, json.dumps({"streams": dict.fromkeys(streams)}).encode()) as answer:
        return str(json.loads(answer.read().splitlines()[-1])["cursor"])


def test_count_is_of_all_records(call: Call, path: str) -> None:
    for name in "ab":
        call("append", f"{path}/{name}", "--create", "--type", "application/json", "1", "2")
    assert len(call("tail", f"{path}/*", "--json", "--count", "3").stdout.splitlines()) == 3


@pytest.mark.parametrize("count", [0, 2, 5, 1001])
def test_last_of_each(count: int, call: Call, path: str) -> None:
    """Records of JSON, lines of text, of each stream that is named; one that is not there begins at its start."""
    call("append", f"{path}/a", "--create", "--type", "application/json", "--close", stdin="1\n2\n3\n")
    call("append", f"{path}/t", "--create", "--type", "text/plain", "one\ntw", "o\nthree\n", "--close")
    for flags in ([], ["--json"]):
        result = call("tail", f"{path}/a", f"{path}/t", f"{path}/none", "-n", str(count), "--no-follow", *flags)
        assert result.exit_code == ExitCode.NOT_FOUND
    texts = of(rows(result.stdout), f"{path}/t")
    assert of(rows(result.stdout), f"{path}/a") == [1, 2, 3][max(0, 3 - count) :]
    assert "".join(texts) == "".join(["one\n", "two\n", "three\n"][max(0, 3 - count) :])


def test_last_of_what_a_pattern_matches(call: Call, path: str) -> None:
    """Records of JSON; a text that matches is left out, and told so once with what to do."""
    call("append", f"{path}/a", "--create", "--type", "application/json", "1", "2", "3")
    call("append", f"{path}/t", "--create", "--type", "text/plain", "one\n")
    result = call("tail", f"{path}/*", "-n", "2", "--no-follow")
    assert (result.exit_code, result.stdout) == (ExitCode.REFUSED, f"==> {path}/a <==\n2\n3\n")
    assert result.stderr.startswith(f"bad-request: {path}/t: it is left out: it is not of JSON\n")
    assert "name this stream" in result.stderr
    assert call("tail", f"{path}/*", f"{path}/t", "-n", "2", "--no-follow").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["a", "b", "--sse"], "for one stream"),
        (["a", "b", "--compressed"], "for one stream"),
        (["a", "b", "a"], "a is given twice"),
        (["a*"], "whole segment"),
        (["**/a"], "at the end"),
        (["a", "b", "--from", "0000000000000001_0000000000000020"], "an offset is of one stream"),
        (["a", "b", "--from", "now", "-n", "3"], "--from or --last"),
        (["a/*", "-n", "1001"], "1000 records are the most"),
        (["a", "--from", "x"], "--from"),
    ],
)
def test_wrong_usage(arguments: list[str], why: str, call: Call) -> None:
    result = call("tail", *arguments)
    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert why in " ".join(result.stderr.split())


def test_a_cursor_of_other_streams_is_refused(call: Call, path: str) -> None:
    result = call("tail", f"{path}/a", f"{path}/b", "--from", "AT2dOukCBwAAAA")
    assert (result.exit_code, result.stderr.partition(":")[0]) == (ExitCode.REFUSED, "invalid-offset")


def test_a_hub_that_does_not_serve_it_says_why(call: Call, serve: Serve, path: str) -> None:
    """Mounted, where a guard could not see which streams are read."""
    url = serve(name="mounted").url
    result = call("tail", f"{path}/a", f"{path}/b", url=f"{url}/streams/")
    assert (result.exit_code, result.stderr.partition(":")[0]) == (ExitCode.REFUSED, "multi-stream-closed")


@pytest.mark.slow
def test_streams_that_come_later(call: Call, spawn: Spawn, path: str) -> None:
    """A named one is waited for, with a note for people; what matches comes from its start; both also after `now`."""
    call("append", f"{path}/old", "--create", "--type", "application/json", "0")
    ours, theirs = pty.openpty()
    reader = spawn("tail", f"{path}/named", f"{path}/rooms/*", f"{path}/old", "--from", "now", "--json", stderr=theirs)
    os.close(theirs)
    assert reader.stdout is not None
    _wait_for(ours, f"{path}/named: waiting for the stream")
    call("append", f"{path}/named", "--create", "--type", "text/plain", "x", "--close")
    assert rows(reader.stdout.readline().decode()) == [(f"{path}/named", "x")]
    call("append", f"{path}/rooms/1", "--create", "--type", "application/json", "1", "2")
    call("append", f"{path}/old", "3")
    found = rows("".join(reader.stdout.readline().decode() for _ in range(3)))
    assert sorted(found) == [(f"{path}/old", 3), (f"{path}/rooms/1", 1), (f"{path}/rooms/1", 2)]
    os.close(ours)


def _wait_for(terminal: int, words: str) -> None:
    seen = b""
    while words.encode() not in seen:
        assert select.select([terminal], [], [], 30)[0], seen
        seen += os.read(terminal, 4096)


@pytest.mark.slow
def test_a_deleted_stream_is_told_and_waited_for_again(call: Call, spawn: Spawn, path: str) -> None:
    """Made anew with another type, it is printed as that."""
    call("append", f"{path}/a", "--create", "--type", "application/json", '"1"')
    call("append", f"{path}/b", "--create", "--type", "application/json", "0", "--close")
    reader = spawn("tail", f"{path}/a", f"{path}/b")
    assert reader.stdout is not None
    assert reader.stderr is not None
    first = b"".join(reader.stdout.readline() for _ in range(5))
    assert first == f'==> {path}/a <==\n"1"\n\n==> {path}/b <==\n0\n'.encode()
    call("rm", f"{path}/a")
    assert reader.stderr.readline().startswith(f"stream-not-found: {path}/a: ".encode())
    call("append", f"{path}/a", "--create", "--type", "text/plain", "2", "--close")
    assert reader.stdout.read() == f"\n==> {path}/a <==\n2".encode()
    assert reader.wait() == ExitCode.NOT_FOUND


@pytest.mark.slow
def test_cut_connections_lose_and_repeat_nothing(call: Call, cut: Cut, server: Server, path: str) -> None:
    """Wherever the connections are cut, every record is printed once, in the order of its stream."""
    names = [f"{path}/{name}" for name in "abc"]
    proxy = cut(server, cuts=[700, 0, 3000, *range(2000, 60_000, 4333)])
    numbers = "".join(f"{number}\n" for number in range(200))
    for name in names:
        call("append", name, "--create", "--type", "application/json", "--close", stdin=numbers)
    result = call("tail", names[0], f"{path}/*", "--json", "--count", "600", url=proxy.url)
    assert (result.exit_code, result.stderr) == (0, "")
    found = rows(result.stdout)
    for name in names:
        assert of(found, name) == list(range(200))
    assert proxy.connections >= 3


@pytest.mark.slow
@pytest.mark.parametrize("start", [["-n", "1"], ["--from", "now"]], ids=["last", "now"])
def test_kills_of_the_server_lose_and_repeat_nothing(
    start: list[str], call: Call, serve: Serve, spawn: Spawn, path: str, tmp_path: Path
) -> None:
    """Records before, between and behind two kills, of a named stream and of matches; a named stream and
    others that match are made meanwhile."""
    store = f"sqlite:{tmp_path}/streams.db"
    server = serve(store)
    for name in ("a", "rooms/1"):
        call("append", f"{path}/{name}", "--create", "--type", "application/json", "1000", url=server.url)
    reader = spawn("tail", f"{path}/a", f"{path}/rooms/*", f"{path}/late", *start, "--json", url=server.url)
    output = _rows(reader.stdout)
    found: list[tuple[str, Any]] = []
    if start == ["--from", "now"]:
        while call("ls", f"{path}/a", url=server.url).stdout.split("\t")[3] == "0":
            pass
    else:
        found += [next(output), next(output)]
    for turn in range(3):
        if turn:
            server.kill()
            made = [f"{path}/rooms/{turn + 1}", *([f"{path}/late"] if turn == 1 else [])]
            asyncio.run(_make(store, made))
            server.start()
        for number in range(50 * turn, 50 * turn + 50, 25):
            for name in ("a", "rooms/1"):
                call("append", f"{path}/{name}", *map(str, range(number, number + 25)), url=server.url)
        while (f"{path}/rooms/1", 50 * turn) not in found:  # the rest is under way when the server is killed
            found.append(next(output))
    call("close", f"{path}/a", url=server.url)
    while not {(f"{path}/rooms/3", 2), (f"{path}/a", 149), (f"{path}/rooms/1", 149)} <= set(found):
        found.append(next(output))
    first = [] if start == ["--from", "now"] else [1000]
    for name in ("a", "rooms/1"):
        assert of(found, f"{path}/{name}") == [*first, *range(150)]
    for name in ("late", "rooms/2", "rooms/3"):
        assert of(found, f"{path}/{name}") == [1, 2]


async def _make(store: str, paths: list[str]) -> None:
    """Make streams while no server runs."""
    async with Hub(store) as hub:
        for path in paths:
            await hub.create(path, content_type="application/json", body=b"[1,2]")


def _rows(output: IO[bytes] | None) -> Iterator[tuple[str, Any]]:
    assert output is not None
    for line in output:
        yield from rows(line.decode())


@pytest.mark.slow
def test_an_interrupt_tells_a_cursor_to_go_on_with(
    call: Call, cut: Cut, server: Server, spawn: Spawn, path: str
) -> None:
    """The same streams with it: what came since, and nothing of before but the last second."""
    call("append", f"{path}/a", "--create", "--type", "application/json", "1")
    ours, theirs = pty.openpty()
    proxy = cut(server)
    reader = spawn("tail", f"{path}/a", f"{path}/*", url=proxy.url, stderr=theirs)
    os.close(theirs)
    assert reader.stdout is not None
    assert [reader.stdout.readline() for _ in range(2)][1] == b"1\n"
    seen = proxy.answers
    proxy.wait_for(lambda: proxy.answers >= seen + 3)  # the cursor, then heartbeats
    reader.send_signal(signal.SIGINT)
    assert reader.wait() == ExitCode.INTERRUPTED
    told = os.read(ours, 4096).decode()
    os.close(ours)
    cursor = told.partition("go on with --from ")[2].partition(":")[0]
    call("append", f"{path}/a", "2")
    call("append", f"{path}/b", "--create", "--type", "application/json", "3")
    result = call("tail", f"{path}/a", f"{path}/*", "--from", cursor, "--json", "--no-follow")
    assert rows(result.stdout) == [(f"{path}/a", 2), (f"{path}/b", 3)]


@pytest.mark.slow
def test_retry_for_gives_up(call: Call, serve: Serve, spawn: Spawn, path: str) -> None:
    """A server that does not come back is an end, with the exit code of one that cannot be reached."""
    server = serve()
    call("append", f"{path}/a", "--create", "--type", "application/json", "1", url=server.url)
    reader = spawn("tail", f"{path}/a", f"{path}/b", "--retry-for", "0.1", url=server.url)
    assert reader.stdout is not None
    assert [reader.stdout.readline() for _ in range(2)][1] == b"1\n"
    server.kill()
    assert reader.wait() == ExitCode.UNREACHABLE


@pytest.mark.slow
def test_a_closed_pipe_ends_it_quietly(call: Call, spawn: Spawn, path: str) -> None:
    """When who reads its output goes, it ends, at the next heartbeat at the latest."""
    call("append", f"{path}/a", "--create", "--type", "application/json", "1")
    reader = spawn("tail", f"{path}/a", f"{path}/b")
    assert reader.stdout is not None
    assert reader.stderr is not None
    assert [reader.stdout.readline() for _ in range(2)][1] == b"1\n"
    reader.stdout.close()
    assert (reader.wait(), reader.stderr.read()) == (0, b"")
