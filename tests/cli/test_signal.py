"""signal, and tail --signals and --presence: sent, shown beside the records, and refused."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from headwater.cli.failures import ExitCode
from headwater.cli.heard import shown_apart

if TYPE_CHECKING:
    from tests.cli.conftest import Call, Cut, Server, Spawn

WIRES = pytest.mark.parametrize("wire", [[], ["--sse"]], ids=["ndjson", "sse"])


@WIRES
def test_signals_beside_records(wire: list[str], call: Call, spawn: Spawn, path: str) -> None:
    """Records on stdout, signals on stderr."""
    call("create", path, "--json")
    assert call("signal", path, '"here"', "--from", "ada", "--keep", "60").exit_code == 0
    reader = spawn("tail", path, "--signals", *wire)
    assert reader.stderr is not None
    told = json.loads(reader.stderr.readline().removeprefix(b"signal: "))
    assert told.pop("keep") in range(1, 61)  # what is left of it
    assert told == {"from": "ada", "data": "here"}
    assert call("signal", path, "--string", "plain", "--topic", "t").exit_code == 0
    call("append", path, "1", "--close")
    output, errors = reader.communicate()
    assert (output, errors) == (b"1\n", b'signal: {"topic":"t","data":"plain"}\n')


@WIRES
def test_signals_as_json(wire: list[str], call: Call, spawn: Spawn, path: str) -> None:
    """Both on stdout, in their order; a line says what it is."""
    call("create", path, "--json")
    call("signal", path, "1", "--from", "ada", "--keep", "60")
    reader = spawn("tail", path, "--signals", "--json", *wire)
    assert reader.stdout is not None
    told = json.loads(reader.stdout.readline())
    assert told.pop("keep") in range(1, 61)  # what is left of it
    assert told == {"control": "signal", "from": "ada", "data": 1}
    call("append", path, "2")
    call("signal", path, "-", "--type", "image/png", stdin=b"\0\1")
    call("append", path, "3", "--close")
    lines = [json.loads(line) for line in reader.communicate()[0].splitlines()]
    assert [line.get("data", line.get("base64")) for line in lines] == [2, "AAE=", 3]
    assert [line.get("control") for line in lines] == [None, "signal", None]


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["plain", "json"])
def test_signals_of_many_streams(options: list[str], call: Call, spawn: Spawn, path: str) -> None:
    """They say of which stream they are."""
    for name in "ab":
        call("create", f"{path}/{name}", "--json")
        call("signal", f"{path}/{name}", f'"{name}"', "--from", "ada", "--keep", "60")
    reader = spawn("tail", f"{path}/a", f"{path}/b", "--signals", *options)
    shown = reader.stdout if options else reader.stderr
    assert shown is not None
    found = [shown.readline().decode().removeprefix("signal: ") for _ in range(2)]
    assert [(line["stream"], line["data"]) for line in map(json.loads, found)] == [
        (f"{path}/a", "a"),
        (f"{path}/b", "b"),
    ]
    for name in "ab":
        call("append", f"{path}/{name}", "1", "--close")
    output, _ = reader.communicate()
    assert reader.returncode == 0
    assert output.count(b"1\n") + output.count(b'"data":1') == 2


def test_after_a_cut_it_asks_again(call: Call, cut: Cut, server: Server, spawn: Spawn, path: str) -> None:
    """No record is lost, and signals come on the new connection."""
    call("create", path, "--json")
    call("append", path, "1", "2", "3")
    call("signal", path, '"kept"', "--from", "ada", "--keep", "60")
    proxy = cut(server, cuts=[700])
    reader = spawn("tail", path, "--signals", "--json", url=proxy.url)
    assert reader.stdout is not None
    seen: list[object] = []
    while seen.count("kept") < 1:
        seen.append(json.loads(reader.stdout.readline())["data"])
    call("append", path, "4", "--close")
    seen += [json.loads(line)["data"] for line in reader.stdout]
    assert [each for each in seen if each != "kept"] == [1, 2, 3, 4]
    assert proxy.connections > 1


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["{"], ExitCode.USAGE, "is not JSON"),
        (["hello"], ExitCode.USAGE, "--string"),
        (["1", "--keep", "-1"], ExitCode.USAGE, "--keep"),
        (["1", "--keep", "1"], ExitCode.REFUSED, "say from"),
        (["", "--type", "text/plain"], ExitCode.REFUSED, "no data"),
        (["x" * 5000, "--string"], ExitCode.REFUSED, "max_signal_bytes"),
    ],
)
def test_what_is_refused(arguments: list[str], code: ExitCode, says: str, call: Call, path: str) -> None:
    """Here, or by the server, in its words."""
    call("create", path, "--json")
    result = call("signal", path, *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert says in result.stderr


PRESENCE_WIRES = pytest.mark.parametrize(
    "wire", [[], ["--sse"], ["--wire", "websocket"]], ids=["ndjson", "sse", "websocket"]
)


def be(server: Server, path: str, **fields: Any) -> None:
    """Join, change, or leave."""
    body = json.dumps({"key": "0.aaaaaaaaaaaaaaaaaaaaaa", **fields}).encode()
    request = urllib.request.Request(f"{server.url}/v1/stream/{path}/-/presence", body, method="POST")
    with urllib.request.urlopen(request) as answer:
        assert answer.status in (200, 204)


@PRESENCE_WIRES
def test_who_is_there_beside_records(wire: list[str], call: Call, spawn: Spawn, server: Server, path: str) -> None:
    """On stderr, a line each."""
    call("create", path, "--json")
    be(server, path, id="ada", state={"typing": True})
    reader = spawn("tail", path, "--presence", *wire)
    assert reader.stderr is not None
    assert reader.stderr.readline() == b'presence: 1 there: ada {"typing":true}\n'
    be(server, path, id="bob")
    assert reader.stderr.readline() == b"presence: bob joined\n"
    be(server, path, id="ada", state=1)
    assert reader.stderr.readline() == b"presence: ada 1 changed\n"
    be(server, path, id="ada", leave=True)
    assert reader.stderr.readline() == b"presence: ada left\n"
    call("append", path, "1", "--close")
    assert reader.communicate()[0] == b"1\n"


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["plain", "json"])
def test_who_is_at_many_streams(options: list[str], call: Call, spawn: Spawn, server: Server, path: str) -> None:
    """With the stream's name; as JSON on stdout."""
    for name in "ab":
        call("create", f"{path}/{name}", "--json")
    be(server, f"{path}/a", id="ada")
    reader = spawn("tail", f"{path}/a", f"{path}/b", "--presence", *options)
    shown = reader.stdout if options else reader.stderr
    assert shown is not None
    found = sorted(shown.readline().decode().rstrip() for _ in range(2))
    if options:
        lines = [json.loads(line) for line in found]
        assert [(line["stream"], line["count"]) for line in lines] == [(f"{path}/a", 1), (f"{path}/b", 0)]
    else:
        assert found == [f"presence: {path}/a: 1 there: ada", f"presence: {path}/b: 0 there"]


def test_no_stream_and_no_signals(call: Call, path: str) -> None:
    assert call("signal", path, "1").exit_code == ExitCode.NOT_FOUND
    result = call("tail", path, "--signals", "--no-follow")
    assert (result.exit_code, "not stored" in result.stderr) == (ExitCode.USAGE, True)


def test_a_signal_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    """What a terminal would take for a command is shown as text."""
    shown_apart('{"control":"signal","data":"\x9b2J ä \u202e"}'.encode())
    assert capsys.readouterr().err == 'signal: {"data":"\\u009b2J ä \\u202e"}\n'
