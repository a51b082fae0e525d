"""append: arguments, files and lines become records, each once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from headwater.cli.failures import ExitCode

if TYPE_CHECKING:
    from tests.cli.conftest import Call, Cut, Server, Spawn


def records(call: Call, path: str) -> list[object]:
    lines = call("tail", path, "--no-follow", "--json").stdout.splitlines()
    return [json.loads(line)["data"] for line in lines]


def test_each_argument_is_a_record(call: Call, path: str) -> None:
    """JSON arguments are values, arrays included; the tail is printed."""
    call("create", path, "--json")
    result = call("append", path, '{"a": 1}', "[1, 2]", "[]", '"text"', "null")
    assert records(call, path) == [{"a": 1}, [1, 2], [], "text", None]
    assert result.stdout.strip() == json.loads(call("info", path, "--json").stdout)["tail"]


def test_text_arguments_stay_as_they_are(call: Call, path: str) -> None:
    """In a text stream an argument is the record, without a line end."""
    call("create", path, "--type", "text/plain")
    call("append", path, "one ", "two")
    assert records(call, path) == ["one ", "two"]


def test_text_that_is_no_json_is_told_with_the_way_out(call: Call, path: str) -> None:
    """Nothing of the command is appended; --string is the hint, and works."""
    call("create", path, "--json")
    result = call("append", path, "1", "hello")
    assert result.exit_code == ExitCode.USAGE
    assert "argument 2 is not JSON: 'hello'" in result.stderr
    assert "--string" in result.stderr
    assert call("append", path, "--string", 'hel"lo').exit_code == 0
    assert records(call, path) == ['hel"lo']


def test_string_is_for_json_streams(call: Call, path: str) -> None:
    """--string in a text stream is a mistake."""
    call("create", path, "--type", "text/plain")
    assert call("append", path, "--string", "x").exit_code == ExitCode.USAGE


def test_an_empty_argument_is_a_mistake(call: Call, path: str) -> None:
    """A record has at least one byte."""
    call("create", path)
    assert call("append", path, "").exit_code == ExitCode.USAGE


def test_lines_of_stdin_are_records(call: Call, path: str) -> None:
    """In a JSON stream each line is a value; blank lines are none; the last line needs no end."""
    call("create", path, "--json")
    call("append", path, stdin='{"a":1}\n\n  \r\n[2]\r\n3')
    assert records(call, path) == [{"a": 1}, [2], 3]


def test_text_lines_keep_their_ends(call: Call, path: str) -> None:
    """What goes through a text stream line by line comes out as it was."""
    text = "one\r\ntwo\n\nthree"
    call("append", path, "--create", stdin=text)
    assert records(call, path) == ["one\r\n", "two\n", "\n", "three"]
    assert call("tail", path, "--no-follow").stdout_bytes == text.encode()


def test_whole_takes_stdin_as_one_record(call: Call, path: str) -> None:
    """--whole: a JSON text over several lines is one value."""
    call("create", path, "--json")
    call("append", path, "--whole", stdin='{\n "a": 1\n}\n')
    assert records(call, path) == [{"a": 1}]


def test_files_are_records_or_lines(call: Call, path: str, tmp_path: Path) -> None:
    """Each file is a record; with --lines each line; - is stdin."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text("1\n2\n")
    second.write_text("3\n4\n")
    files = ["--file", str(first), "--file", str(second)]
    call("append", path, "--create", *files)
    assert records(call, path) == ["1\n2\n", "3\n4\n"]
    call("append", f"{path}/lines", "--create", "--lines", *files, "--file", "-", stdin="5\n")
    assert records(call, f"{path}/lines") == ["1\n", "2\n", "3\n", "4\n", "5\n"]


def test_bytes_arrive_as_they_are(call: Call, path: str, tmp_path: Path) -> None:
    """Any bytes, of more than one batch, come out of a stream of bytes unchanged."""
    data = bytes(range(256)) * 1024
    file = tmp_path / "file"
    file.write_bytes(data)
    call("create", path)
    call("append", path, "--file", str(file))
    assert call("tail", path, "--no-follow").stdout_bytes == data
    assert call("tail", path, "--sse", "--count", "1").stdout_bytes == data
    assert "base64" in json.loads(call("tail", path, "--json", "--count", "1").stdout)


def test_a_bad_line_is_told_with_its_number(call: Call, path: str) -> None:
    """The lines before it are appended, the ones after it are not."""
    call("create", path, "--json")
    result = call("append", path, stdin="1\n2\nthree\n4\n")
    assert result.exit_code == ExitCode.USAGE
    assert "line 3 of standard input is not JSON: 'three'" in result.stderr
    assert records(call, path) == [1, 2]


def test_bytes_that_are_no_utf8_are_no_json(call: Call, path: str) -> None:
    """Also not as a string."""
    call("create", path, "--json")
    result = call("append", path, "--string", stdin=b"\xff\n")
    assert (result.exit_code, "line 1 of standard input is not UTF-8" in result.stderr) == (ExitCode.USAGE, True)


def test_close_comes_with_the_last_record(call: Call, path: str) -> None:
    """--close closes after arguments, after lines, and alone."""
    for number, stdin in enumerate(["1\n2\n", ""]):
        call("append", f"{path}/{number}", "--create", "--close", stdin=stdin)
        assert call("tail", f"{path}/{number}").stdout == stdin
    call("append", f"{path}/args", "1", "2", "--create", "--close")
    assert call("tail", f"{path}/args").stdout == "12"


def test_create_makes_a_text_stream_unless_told(call: Call, path: str) -> None:
    """--create uses --type, and leaves a stream that is there alone."""
    call("append", path, "1", "--create")
    call("append", f"{path}/json", "1", "--create", "--type", "application/json")
    call("append", f"{path}/json", "2", "--create")
    assert json.loads(call("info", path, "--json").stdout)["content_type"] == "text/plain; charset=utf-8"
    assert records(call, f"{path}/json") == [1, 2]


def test_create_takes_the_settings_of_a_stream(call: Call, path: str) -> None:
    """The flags of `headwater create`; they need --create, and change no stream that is there."""
    settings = ("--ttl", "60", "--retention", "count=5", "--slow", "latest")
    result = call("append", path, "1", "2", "--create", *settings)
    assert result.exit_code == 0
    info = json.loads(call("info", path, "--json").stdout)
    assert (info["ttl"], info["retention"], info["slow"]) == (60, "count=5", "latest")
    assert call("append", path, "3", "--create", "--ttl", "5").exit_code == 0
    assert json.loads(call("info", path, "--json").stdout)["ttl"] == 60
    assert records(call, path) == ["1", "2", "3"]
    assert call("append", path, "3", *settings).exit_code == ExitCode.USAGE
    assert call("append", path, "3", "--create", "--ttl", "5", "--expires-at", "2100-01-01T00:00:00Z").exit_code == 2


def test_create_without_a_record_makes_the_stream(call: Call, path: str) -> None:
    """Empty input and --create: the stream is there, and stays as it is when it was there before."""
    assert call("append", path, "--create", "--type", "application/json", stdin="").exit_code == 0
    assert json.loads(call("info", path, "--json").stdout)["content_type"] == "application/json"
    assert call("append", path, "--create", stdin="").exit_code == 0


def test_conflicts_exit_with_5(call: Call, path: str) -> None:
    """Another content type, or a closed stream."""
    call("create", path, "--json")
    assert call("append", path, "1", "--type", "text/plain").exit_code == ExitCode.CONFLICT
    call("close", path)
    result = call("append", path, "1")
    assert (result.exit_code, result.stderr.partition(":")[0]) == (ExitCode.CONFLICT, "stream-closed")


@pytest.mark.slow
def test_a_line_is_appended_as_it_comes(call: Call, spawn: Spawn, path: str) -> None:
    """A line is in the stream before stdin says anything more."""
    call("create", path, "--json")
    reader = spawn("tail", path)
    writer = spawn("append", path)
    assert writer.stdin is not None
    assert reader.stdout is not None
    for number in range(3):
        writer.stdin.write(b"%d\n" % number)
        writer.stdin.flush()
        assert reader.stdout.readline() == b"%d\n" % number
    writer.stdin.close()
    assert writer.wait() == 0


@pytest.mark.slow
def test_many_lines_arrive_in_order(call: Call, spawn: Spawn, path: str) -> None:
    """Under load lines are sent in batches, and stay records of their own."""
    call("create", path, "--json")
    writer = spawn("append", path, "--close")
    _, errors = writer.communicate(b"".join(b'{"n":%d}\n' % number for number in range(20_000)))
    assert (writer.returncode, errors) == (0, b"")
    assert records(call, path) == [{"n": number} for number in range(20_000)]


@pytest.mark.slow
def test_a_lost_answer_repeats_nothing(call: Call, cut: Cut, server: Server, path: str) -> None:
    """When the connection is cut after the server has stored a record, sending it again stores nothing twice."""
    call("create", path, "--json")
    proxy = cut(server, losing=4)
    result = call("append", path, "1", "2", "--close", url=proxy.url)
    assert (result.exit_code, result.stderr, proxy.losing) == (0, "", 0)
    assert records(call, path) == [1, 2]
    assert call("info", path).stdout.count("state\tclosed") == 1


@pytest.mark.slow
def test_retries_end(call: Call, cut: Cut, server: Server, path: str) -> None:
    """--retry-for bounds the time of trying again; then it exits 3."""
    call("create", path, "--json")
    proxy = cut(server, losing=1_000_000)
    assert call("append", path, "1", "--retry-for", "0.3", url=proxy.url).exit_code == ExitCode.UNREACHABLE


@pytest.mark.slow
@pytest.mark.parametrize("losing", [0, 3])
def test_many_lines_of_text_stay_records(call: Call, cut: Cut, server: Server, path: str, losing: int) -> None:
    """Each line its own record, in order and once, although many are under way and some answers are lost."""
    lines = [f"line {number}\n" for number in range(700)]
    proxy = cut(server, losing=losing)
    result = call("append", path, "--create", "--close", stdin="".join(lines), url=proxy.url)
    assert (result.exit_code, proxy.losing) == (0, 0)
    assert records(call, path) == lines
    assert call("info", path).stdout.count("state\tclosed") == 1
