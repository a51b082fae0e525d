"""tail: what it prints, how it ends, and that no cut loses or repeats a record."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headwater.cli.failures import ExitCode

if TYPE_CHECKING:
    from tests.cli.conftest import Call, Cut, Serve, Server, Spawn

WIRES = pytest.mark.parametrize("wire", [[], ["--sse"], ["--wire", "websocket"]], ids=["ndjson", "sse", "websocket"])

HTTP_WIRES = pytest.mark.parametrize("wire", [[], ["--sse"]], ids=["ndjson", "sse"])


def test_a_websocket_acknowledges(call: Call, path: str) -> None:
    """More than four windows come, which they would not without; several streams and compression are not for it."""
    call("create", path, "--json")
    lines = "".join(f'"{number:04}{"x" * 1000}"\n' for number in range(1100))
    call("append", path, "--close", stdin=lines)
    result = call("tail", path, "--wire", "websocket")
    assert (result.exit_code, result.stdout, result.stderr) == (0, lines, "")
    for wrong in (["a", "b"], ["a/*"], [path, "--compressed"], [path, "--sse"]):
        assert call("tail", *wrong, "--wire", "websocket").exit_code == ExitCode.USAGE


def test_a_websocket_needs_its_library(call: Call, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the line that installs it is printed."""
    call("create", path, "--json")
    monkeypatch.setitem(sys.modules, "websockets.asyncio.client", None)
    result = call("tail", path, "--wire", "websocket")
    assert result.exit_code == ExitCode.USAGE
    assert "pip install 'headwater[websocket]'" in result.stderr


def _rest(reader: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    """The exit code, and what is left of stdout and stderr; `communicate` would lose what `readline` read ahead."""
    assert reader.stdout is not None
    assert reader.stderr is not None
    output, errors = reader.stdout.read(), reader.stderr.read()
    return reader.wait(), output.decode(), errors.decode()


def numbers(count: int) -> str:
    return "".join(f"{number}\n" for number in range(count))


@WIRES
def test_a_closed_stream_ends_it(wire: list[str], call: Call, path: str) -> None:
    """Everything is printed, one JSON value a line, and it exits 0."""
    call("create", path, "--json")
    call("append", path, '{"a": 1}', "2", "--close")
    result = call("tail", path, *wire)
    assert (result.exit_code, result.stdout, result.stderr) == (0, '{"a": 1}\n2\n', "")


@WIRES
def test_a_failed_stream_ends_it_with_an_error(wire: list[str], call: Call, path: str) -> None:
    """Everything is printed, then the reason on stderr, and it exits 6; also when nothing is left to print."""
    call("create", path, "--json")
    call("append", path, '{"a": 1}', "2")
    assert call("close", path, "--failed", "timeout", "--message", "no answer: ä").exit_code == 0
    result = call("tail", path, *wire)
    assert (result.exit_code, result.stdout) == (ExitCode.STREAM_FAILED, '{"a": 1}\n2\n')
    assert "stream-failed: the stream ended before it was complete: timeout (no answer: ä)" in result.stderr
    facts = json.loads(call("info", path, "--json").stdout)
    assert (facts["closed"], facts["failure"], facts["failure_message"]) == (True, "timeout", "no answer: ä")
    result = call("tail", path, "--from", facts["tail"], *wire)
    assert (result.exit_code, result.stdout) == (ExitCode.STREAM_FAILED, "")


def test_close_refuses_what_is_no_failure(call: Call, path: str) -> None:
    """A code with spaces, and a message without a code, are usage errors; the stream stays open."""
    call("create", path, "--json")
    assert call("close", path, "--failed", "No Code").exit_code == ExitCode.USAGE
    assert call("close", path, "--message", "x").exit_code == ExitCode.USAGE
    assert call("append", path, "1").exit_code == 0


@WIRES
def test_an_offset_of_json_output_goes_on_behind_the_record(wire: list[str], call: Call, path: str) -> None:
    """--json gives offset and data; --from takes the offset, on either wire."""
    call("create", path, "--json")
    call("append", path, '{"a": 1}', "2", "3", "--close")
    rows = [json.loads(line) for line in call("tail", path, "--json", *wire).stdout.splitlines()]
    assert [row["data"] for row in rows] == [{"a": 1}, 2, 3]
    assert call("tail", path, "--from", rows[0]["offset"], *wire).stdout == "2\n3\n"
    assert call("tail", path, "--from", rows[2]["offset"], *wire).stdout == ""


@WIRES
def test_count_stops_it(wire: list[str], call: Call, path: str) -> None:
    """--count N ends after N records of an open stream."""
    call("create", path, "--json")
    call("append", path, "1", "2", "3")
    assert call("tail", path, "--count", "2", *wire).stdout == "1\n2\n"


def test_no_follow_stops_at_the_tail(call: Call, path: str) -> None:
    """--no-follow prints what is there, also when that is nothing."""
    call("create", path, "--json")
    assert call("tail", path, "--no-follow").stdout == ""
    call("append", path, "1")
    assert call("tail", path, "--no-follow").stdout == "1\n"
    assert call("tail", path, "--no-follow", "--from", "now").stdout == ""


@WIRES
@pytest.mark.parametrize("count", [0, 1, 1001, 3001, 9000])
def test_last_begins_with_so_many_records(wire: list[str], count: int, call: Call, path: str) -> None:
    """-n N, also more than one request gives, and more than there are."""
    call("create", path, "--json")
    call("append", path, *map(str, range(3000)))
    call("append", path, "3000", "--close")
    expected = "".join(f"{number}\n" for number in range(max(0, 3001 - count), 3001))
    assert call("tail", path, "-n", str(count), *wire).stdout == expected


@WIRES
@pytest.mark.parametrize("count", [0, 7, 5_001, 10_001])
@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_last_counts_lines_of_text(
    wire: list[str], count: int, end: str, call: Call, path: str, tmp_path: Path
) -> None:
    """As `tail -n` does: the line break at the end begins no line; a line may be longer than a piece."""
    lines = [f"zeile {number} {'ä' * (number % 7)}" for number in range(10_000)]
    lines[5_000] = "long " * 30_000
    text = "\n".join(lines) + end
    (tmp_path / "text").write_text(text)
    assert call("create", path, "--type", "text/plain").exit_code == 0
    assert call("append", path, "--file", str(tmp_path / "text"), "--close").exit_code == 0
    expected = subprocess.run(["tail", "-n", str(count), str(tmp_path / "text")], capture_output=True, check=True)
    assert call("tail", path, "-n", str(count), *wire).stdout == expected.stdout.decode()


def test_last_and_from_exclude_each_other(call: Call, path: str) -> None:
    """Each says where to begin."""
    call("create", path, "--json")
    result = call("tail", path, "-n", "3", "--from", "now")
    assert result.exit_code == ExitCode.USAGE
    assert "give --from or --last" in result.stderr


@pytest.mark.slow
@WIRES
def test_now_begins_with_what_comes_next(wire: list[str], call: Call, server: Server, spawn: Spawn, path: str) -> None:
    """--from now prints no record that was there before."""
    call("create", path, "--json")
    call("append", path, "1")
    reader = spawn("tail", path, "--from", "now", *wire)
    _until_read(call, path, server.url)
    call("append", path, "2", "--close")
    assert reader.communicate()[0] == b"2\n"


@WIRES
def test_nothing_is_left_out_however_slow_the_terminal_is(
    wire: list[str], call: Call, server: Server, spawn: Spawn, path: str
) -> None:
    """The policy of the stream is for others: this one asks for every record."""
    call("create", path, "--json", "--slow", "conflate:k")
    reader = spawn("tail", path, *wire)
    _until_read(call, path, server.url)
    with urllib.request.urlopen(f"{server.url}/-/readers?path={path}") as answer:
        assert [shown["policy"] for shown in json.load(answer)["readers"]] == ["replay"]
    call("append", path, '{"k":1}', "--close")
    assert reader.communicate()[0] == b'{"k":1}\n'


def test_text_that_is_no_text_comes_out_unchanged(call: Call, path: str, tmp_path: Path) -> None:
    """Byte by byte."""
    file = tmp_path / "bytes"
    file.write_bytes(b"a\xff\r\n\xe2\x82")
    call("append", path, "--create", "--file", str(file), "--close")
    assert call("tail", path).stdout_bytes == file.read_bytes()


def _until_read(call: Call, path: str, url: str) -> None:
    """Wait until a reader stands at the stream."""
    while call("ls", path, url=url).stdout.split("\t")[3] == "0":
        pass


def test_text_with_any_line_ends_comes_out_unchanged(call: Call, path: str) -> None:
    """Text is printed as it is, without line ends of our own."""
    call("append", path, "--create", "a\r\n", "b\rc", "ä\n", "d", "--close")
    assert call("tail", path).stdout_bytes == "a\r\nb\rcä\nd".encode()
    assert [json.loads(line)["data"] for line in call("tail", path, "--json").stdout.splitlines()] == [
        "a\r\n",
        "b\rc",
        "ä\n",
        "d",
    ]


def test_an_offset_of_another_stream_is_refused(call: Call, path: str) -> None:
    """Neither start nor end is taken instead of an offset that is not this stream's."""
    call("create", path, "--json")
    result = call("tail", path, "--from", "9000000000000001_0000000000000005")
    assert (result.exit_code, result.stdout) == (ExitCode.REFUSED, "")


@pytest.mark.slow
@WIRES
def test_a_stream_that_is_deleted_ends_it_with_4(wire: list[str], call: Call, spawn: Spawn, path: str) -> None:
    """The reader is told that the stream is gone, after its records."""
    call("create", path, "--json")
    call("append", path, "1")
    reader = spawn("tail", path, *wire)
    assert reader.stdout is not None
    assert reader.stdout.readline() == b"1\n"
    call("rm", path)
    code, _, errors = _rest(reader)
    assert (code, errors.partition(":")[0]) == (ExitCode.NOT_FOUND, "stream-not-found")


@pytest.mark.slow
@WIRES
@pytest.mark.parametrize("text", [False, True], ids=["json", "text"])
def test_cut_connections_lose_and_repeat_nothing(
    wire: list[str], text: bool, call: Call, cut: Cut, server: Server, path: str
) -> None:
    """Wherever the connections are cut, every record is printed once."""
    call("create", path, "--type", "text/plain" if text else "application/json")
    lines = numbers(200)
    call("append", path, "--close", stdin=lines)
    # The first connection also carries the answer to HEAD, of less than 600 bytes.
    proxy = cut(server, cuts=[1100, 777, 0, 640, 1003, 2005, 3333])
    result = call("tail", path, *wire, url=proxy.url)
    assert (result.exit_code, result.stdout, result.stderr) == (0, lines, "")
    assert proxy.connections >= (7 if "websocket" in wire else 8)  # of which there are fewer bytes


@HTTP_WIRES
def test_compressed_answers_print_the_same(wire: list[str], call: Call, cut: Cut, server: Server, path: str) -> None:
    """Far fewer bytes; cut anywhere, every record is still printed once."""
    call("create", path, "--json")
    lines = numbers(2000)
    call("append", path, "--close", stdin=lines)
    whole = cut(server)
    result = call("tail", path, "--compressed", *wire, url=whole.url)
    assert (result.exit_code, result.stdout, result.stderr) == (0, lines, "")
    # An answer as it is has 80 bytes a record, and so does not fit these.
    proxy = cut(server, cuts=[1100, 2000, 3333, 700, 5000, 40_000])
    result = call("tail", path, "--compressed", *wire, url=proxy.url)
    assert (result.exit_code, result.stdout, result.stderr) == (0, lines, "")
    assert proxy.connections <= 7


@pytest.mark.slow
def test_a_character_cut_by_two_appends_survives_a_cut_connection(
    call: Call, cut: Cut, server: Server, spawn: Spawn, path: str, tmp_path: Path
) -> None:
    """The held bytes of an unfinished character are not lost with the connection, even after keepalives."""
    halves = tmp_path / "first", tmp_path / "second"
    halves[0].write_bytes(b"caf\xc3")
    halves[1].write_bytes(b"\xa9 ol\xc3\xa9")
    call("append", path, "--create", "--file", str(halves[0]))
    proxy = cut(server, cuts=[1400])
    reader = spawn("tail", path, url=proxy.url)
    assert reader.stdout is not None
    assert reader.stdout.read(3) == b"caf"
    proxy.wait_for(lambda: proxy.connections == 2)  # keepalives used up what the first connection may carry
    call("append", path, "--file", str(halves[1]), "--close")
    assert _rest(reader)[1] == "é olé"


@pytest.mark.slow
@WIRES
def test_a_restart_of_the_server_loses_and_repeats_nothing(
    wire: list[str], call: Call, serve: Serve, spawn: Spawn, path: str, tmp_path: Path
) -> None:
    """A reader waits for a killed server, and goes on behind its last record."""
    server = serve(f"sqlite:{tmp_path}/streams.db")
    call("create", path, "--json", url=server.url)
    call("append", path, stdin=numbers(50), url=server.url)
    reader = spawn("tail", path, *wire, url=server.url)
    assert reader.stdout is not None
    assert reader.stdout.readline() == b"0\n"
    server.kill()
    server.start()
    call("append", path, "50", "51", "--close", url=server.url)
    assert _rest(reader) == (0, numbers(52)[2:], "")


@pytest.mark.slow
def test_a_busy_server_is_waited_for(call: Call, serve: Serve, spawn: Spawn, path: str) -> None:
    """429 is not the end: the reader comes back when Retry-After has passed; with no patience it exits 1."""
    url = serve(TEST_MAX_READERS="1").url
    call("create", path, "--json", url=url)
    first = spawn("tail", path, url=url)
    _until_read(call, path, url)
    refused = call("tail", path, "--retry-for", "0", url=url)
    assert (refused.exit_code, refused.stderr.partition(":")[0]) == (ExitCode.REFUSED, "limit-reached")
    second = spawn("tail", path, "--no-follow", url=url)
    call("append", path, "1", "--close", url=url)
    assert first.communicate()[0] == b"1\n"
    assert second.communicate()[0] == b"1\n"


@pytest.mark.slow
@pytest.mark.parametrize("idle", [False, True], ids=["while it writes", "while it waits"])
def test_a_closed_pipe_ends_it_quietly(idle: bool, call: Call, spawn: Spawn, path: str) -> None:
    """When who reads its output goes, it ends, at the next heartbeat at the latest."""
    call("create", path, "--json")
    call("append", path, stdin=numbers(1 if idle else 50_000))
    reader = spawn("tail", path)
    assert reader.stdout is not None
    assert reader.stderr is not None
    assert reader.stdout.readline() == b"0\n"
    reader.stdout.close()
    assert reader.wait() == 0
    assert reader.stderr.read() == b""


@pytest.mark.slow
def test_interrupt_is_quiet_in_a_pipe(call: Call, spawn: Spawn, path: str) -> None:
    """Ctrl-C exits 130 without a word."""
    call("create", path, "--json")
    call("append", path, "1")
    reader = spawn("tail", path)
    assert reader.stdout is not None
    assert reader.stderr is not None
    assert reader.stdout.readline() == b"1\n"
    reader.send_signal(signal.SIGINT)
    assert (reader.wait(), reader.stderr.read()) == (ExitCode.INTERRUPTED, b"")


@pytest.mark.slow
def test_interrupt_on_a_terminal_says_where_to_go_on(
    call: Call, cut: Cut, server: Server, spawn: Spawn, path: str
) -> None:
    """Ctrl-C prints the offset behind what was printed, if stderr is a terminal."""
    call("create", path, "--json")
    offset = call("append", path, "1").stdout.strip()
    ours, theirs = pty.openpty()
    proxy = cut(server)
    reader = spawn("tail", path, url=proxy.url, stderr=theirs)
    os.close(theirs)
    assert reader.stdout is not None
    assert reader.stdout.readline() == b"1\n"
    seen = proxy.answers
    proxy.wait_for(lambda: proxy.answers >= seen + 2)  # two heartbeats later it is waiting for more
    reader.send_signal(signal.SIGINT)
    assert reader.wait() == ExitCode.INTERRUPTED
    assert f"go on with --from {offset}" in _drain(ours)


@pytest.mark.slow
def test_a_cut_is_told_on_a_terminal(call: Call, cut: Cut, server: Server, spawn: Spawn, path: str) -> None:
    """With a terminal as stderr, a reader says that it lost the connection and comes back."""
    call("create", path, "--json")
    call("append", path, "--close", stdin=numbers(100))
    ours, theirs = pty.openpty()
    reader = spawn("tail", path, url=cut(server, cuts=[1100]).url, stderr=theirs)
    os.close(theirs)
    assert reader.communicate()[0].decode() == numbers(100)
    assert "; again in " in _drain(ours)


def _drain(terminal: int) -> str:
    """All that was written to a terminal whose other end is closed."""
    found = b""
    try:
        while data := os.read(terminal, 4096):
            found += data
    except OSError:  # EIO: Linux's end of file here
        pass
    os.close(terminal)
    return found.decode()


@pytest.mark.slow
def test_a_terminal_gets_columns_and_colour_unless_told(call: Call, spawn: Spawn, path: str) -> None:
    """`ls` on a terminal is aligned under a bold header; NO_COLOR takes the boldness away."""
    call("create", path, "--json")
    for env in ({}, {"NO_COLOR": "1"}):
        ours, theirs = pty.openpty()
        reader = spawn("ls", path, env=env, stdout=theirs)
        os.close(theirs)
        header, row = _drain(ours).splitlines()
        assert reader.wait() == 0
        assert ("\x1b[1m" in header) is (not env)
        plain_header = header.replace("\x1b[1m", "").replace("\x1b[0m", "")
        assert plain_header.index("TYPE") == row.index("application/json")
