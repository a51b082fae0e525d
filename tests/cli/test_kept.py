"""append and tail of streams of MessagePack and Protobuf."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from headwater.cli.failures import ExitCode
from headwater.protocol.delimited import delimited

if TYPE_CHECKING:
    from tests.cli.conftest import Call


def lines(call: Call, *args: str) -> list[object]:
    return [json.loads(line) for line in call("tail", *args, "--no-follow").stdout.splitlines()]


def test_json_goes_in_and_comes_out(call: Call, path: str) -> None:
    """As MessagePack in between: lines, arguments, strings; the stream is made for it."""
    call("append", path, "--create", "--msgpack", stdin='{"a": [1, 2.5]}\n\n[]\n')
    call("append", path, "--msgpack", "null", '"ä"')
    call("append", path, "--msgpack", "--string", 'plain "words"')
    assert json.loads(call("info", path, "--json").stdout)["content_type"] == "application/msgpack"
    expected: list[object] = [{"a": [1, 2.5]}, [], None, "ä", 'plain "words"']
    assert lines(call, path) == expected
    assert lines(call, path, "-n", "2") == expected[-2:]
    told = lines(call, path, "--json")
    assert [line["data"] for line in told if isinstance(line, dict)] == expected
    assert [line["data"] for line in lines(call, path, f"{path}/*", "--json") if isinstance(line, dict)] == expected
    assert call("tail", path, f"{path}/*", "--no-follow").stdout.splitlines()[1:] == [
        json.dumps(v, separators=(",", ":"), ensure_ascii=False) for v in expected
    ]


def test_what_is_no_json_is_told_with_its_place(call: Call, path: str) -> None:
    """And so is a number that does not fit; the lines before are appended."""
    call("create", path, "--type", "application/msgpack")
    result = call("append", path, "--msgpack", stdin="1\n{\n3\n")
    assert result.exit_code == ExitCode.USAGE
    assert "line 2 of standard input is not JSON" in result.stderr
    result = call("append", path, "--msgpack", str(2**64))
    assert result.exit_code == ExitCode.USAGE
    assert "argument 1 cannot be written as MessagePack" in result.stderr
    assert lines(call, path) == [1]


def test_msgpack_is_for_streams_of_it(call: Call, path: str) -> None:
    call("create", path, "--json")
    result = call("append", path, "--msgpack", "1")
    assert result.exit_code == ExitCode.USAGE
    assert "this one is application/json" in result.stderr
    assert (
        call("append", f"{path}/new", "--create", "--msgpack", "--type", "text/plain", "1").exit_code == ExitCode.USAGE
    )


def test_what_has_no_form_as_json_is_base64(call: Call, path: str, tmp_path: Path) -> None:
    """A file may have several values."""
    call("create", path, "--type", "application/msgpack")
    file = tmp_path / "values"
    file.write_bytes(b"\x01" + msgspec.msgpack.encode(msgspec.msgpack.Ext(5, b"x")) + msgspec.msgpack.encode(b"\xff"))
    assert call("append", path, "--file", str(file)).exit_code == 0
    assert lines(call, path) == [1, {"base64": "1AV4"}, "/w=="]
    told = lines(call, path, "--json")
    assert [{**line, "offset": ""} for line in told if isinstance(line, dict)] == [
        {"offset": "", "data": 1},
        {"offset": "", "base64": "1AV4"},
        {"offset": "", "data": "/w=="},
    ]


def test_the_last_messages_are_counted(call: Call, path: str, tmp_path: Path) -> None:
    """Also where no body says where one ends."""
    call("create", path, "--type", "application/x-protobuf")
    for text in ("one", "two", "three"):
        assert call("append", path, text).exit_code == 0
    assert call("tail", path, "-n", "2", "--no-follow").stdout == "twothree"


@pytest.mark.parametrize("several", [False, True])
def test_messages_come_out_as_they_went_in(call: Call, path: str, tmp_path: Path, several: bool) -> None:
    """A body that Protobuf's own libraries take apart."""
    call("create", path, "--type", "application/x-protobuf; encoding=delimited")
    file = tmp_path / "messages"
    file.write_bytes(delimited([b"", b"one", b"x" * 200]))
    assert call("append", path, "--file", str(file)).exit_code == 0
    paths = (path, f"{path}/*") if several else (path,)
    out = call("tail", *paths, "--no-follow").stdout_bytes
    assert out.removeprefix(f"==> {path} <==\n".encode()).rstrip(b"\n") == file.read_bytes()
    if not several:
        assert call("tail", path, "-n", "1", "--no-follow").stdout_bytes == delimited([b"x" * 200])
