"""create, ls, info, close and rm against a real server: what they do and what they exit with."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from headwater.cli.failures import ExitCode

if TYPE_CHECKING:
    from tests.cli.conftest import Call, Serve, Server


def facts(call: Call, path: str) -> dict[str, object]:
    found = json.loads(call("info", path, "--json").stdout)
    assert isinstance(found, dict)
    return found


def test_create_prints_the_url(call: Call, server: Server, path: str) -> None:
    """In a pipe, `create` prints the stream's URL alone."""
    result = call("create", path, "--json")
    assert (result.exit_code, result.stdout) == (0, f"{server.url}/v1/stream/{path}\n")


def test_a_url_in_place_of_a_path_is_told(call: Call, server: Server) -> None:
    """What `create` has printed is no PATH; the message says what is."""
    result = call("info", f"{server.url}/v1/stream/jobs/7")
    assert result.exit_code == ExitCode.USAGE
    assert "give the stream's path alone" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["create", "/v1/stream/jobs/7"],
        ["create", "a", "--fork-from", "/v1/stream/jobs/7"],
        ["append", "/v1/stream/jobs/7", "data"],
        ["tail", "/v1/stream/jobs/7"],
        ["info", "/v1/stream/jobs/7"],
        ["close", "/v1/stream/jobs/7"],
        ["rm", "a", "/v1/stream/jobs/7"],
        ["ls", "/v1/stream/jobs/7"],
        ["bench", "--path", "/v1/stream/jobs/7"],
        ["create", "/streams/jobs/7", "--url", "http://127.0.0.1:1/streams"],
        ["bench", "--path", "/streams/jobs/7", "http://127.0.0.1:1/streams"],
    ],
)
def test_the_path_of_a_url_is_told(call: Call, arguments: list[str]) -> None:
    """The message has the path to give; nothing is made, and no server is asked."""
    result = call(*arguments)
    assert result.exit_code == ExitCode.USAGE
    assert "give the stream's path alone, which is jobs/7." in result.stderr
    assert call("info", "v1/stream/jobs/7").exit_code == ExitCode.NOT_FOUND


def test_a_stream_below_v1_stream_is_reached_without_the_slash(call: Call) -> None:
    """It may be there; and the prefix with nothing behind it is no stream."""
    assert call("create", "v1/stream/there").exit_code == 0
    assert call("rm", "v1/stream/there").exit_code == 0
    assert "such as jobs/7" in call("ls", "/v1/stream/").stderr
    assert "such as jobs/7" in call("ls", "/v1/stream").stderr
    assert call("ls", "/v1/").exit_code == 0


def test_create_passes_every_setting_on(call: Call, path: str) -> None:
    """Type, lifetime, retention, policy and closure arrive at the server as given."""
    options = ["--type", "text/css", "--ttl", "600", "--retention", "age=60,size=1000,count=9", "--closed"]
    options += ["--slow", "latest"]
    assert call("create", path, *options).exit_code == 0
    found = facts(call, path)
    assert found["content_type"] == "text/css"
    assert found["ttl"] == 600
    assert found["retention"] == "age=60, size=1000, count=9"
    assert found["slow"] == "latest"
    assert found["closed"] is True


def test_create_takes_an_expiry_date(call: Call, path: str) -> None:
    """--expires-at is given back as written."""
    call("create", path, "--expires-at", "2099-01-01T00:00:00Z")
    assert facts(call, path)["expires_at"] == "2099-01-01T00:00:00Z"


def test_create_forks(call: Call, path: str) -> None:
    """A fork begins with its source's records, up to the offset and the records past it."""
    call("create", path, "--json")
    call("append", path, "1", "2", "3")
    offset = json.loads(call("tail", path, "--no-follow", "--json", "--count", "1").stdout)["offset"]
    call("create", f"{path}/whole", "--fork-from", path)
    call("create", f"{path}/part", "--fork-from", path, "--fork-offset", offset, "--fork-sub-offset", "1")
    assert call("tail", f"{path}/whole", "--no-follow").stdout == "1\n2\n3\n"
    assert call("tail", f"{path}/part", "--no-follow").stdout == "1\n2\n"
    assert facts(call, f"{path}/part")["forked_from"] == path


def test_create_again_is_fine_and_otherwise_a_conflict(call: Call, path: str) -> None:
    """The same stream again exits 0, another one at the path 5."""
    assert [call("create", path, kind).exit_code for kind in ("--json", "--json", "--closed")] == [0, 0, 5]


@pytest.mark.parametrize(
    "args",
    [
        ["create", "a", "--json", "--type", "text/plain"],
        ["create", "a", "--ttl", "1", "--expires-at", "2099-01-01T00:00:00Z"],
        ["create", "a", "--expires-at", "tomorrow"],
        ["create", "a", "--retention", "weeks=3"],
        ["create", "a", "--slow", "somewhat"],
        ["create", "a", "--fork-offset", "-1"],
        ["create", "a", "--fork-from", "b", "--fork-sub-offset", "1"],
        ["create", "a//b"],
        ["create", "-/streams"],
        ["tail", "a", "--from", "yesterday"],
        ["tail", "a", "--sse", "--no-follow"],
        ["append", "a", "1", "--lines"],
        ["append", "a", "1", "--file", __file__],
        ["info"],
        ["rm"],
        ["info", "a", "--url", "ftp://host/"],
        ["info", "a", "--url", "http://host:port/"],
        ["info", "a", "--url", "http://host/?q=1"],
        ["info", "a", "--header", "no colon"],
        ["info", "a", "--header", "X: line\nbreak"],
        ["info", "a", "--timeout", "0"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(args: list[str], call: Call) -> None:
    """What cannot be right is told before the server is asked."""
    result = call(*args, url="http://127.0.0.1:1")
    assert result.exit_code == ExitCode.USAGE, result.output
    assert "Usage: headwater" in result.stderr


def test_ls_gives_tabs_in_a_pipe(call: Call, path: str) -> None:
    """One line a stream, seven fields, in the order of paths, only those below the prefix."""
    for name in ("b", "a"):
        call("create", f"{path}/{name}", "--json")
    call("append", f"{path}/a", "123")
    call("close", f"{path}/a")
    rows = [line.split("\t") for line in call("ls", path).stdout.splitlines()]
    assert [row[:5] for row in rows] == [
        [f"{path}/a", "application/json", "3", "0", "closed"],
        [f"{path}/b", "application/json", "0", "0", "open"],
    ]
    assert {len(row) for row in rows} == {7}


def test_ls_as_json_tells_everything(call: Call, path: str) -> None:
    """--json prints one object a stream."""
    call("create", path)
    (line,) = call("ls", path, "--json").stdout.splitlines()
    assert json.loads(line)["path"] == path


@pytest.mark.parametrize("page", ["1", "2", "5", "1000"])
def test_ls_turns_pages(page: str, call: Call, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """More streams than fit one page are all listed, once."""
    monkeypatch.setattr("headwater.cli.ls.PAGE", page)
    names = [f"{path}/{number}" for number in range(5)]
    for name in names:
        call("create", name)
    assert [line.split("\t")[0] for line in call("ls", path).stdout.splitlines()] == names


def test_info_gives_pairs_in_a_pipe(call: Call, path: str) -> None:
    """Names and values with a tab between; what is not set is left out."""
    call("create", path, "--json")
    pairs = dict(line.split("\t") for line in call("info", path).stdout.splitlines())
    assert (pairs["type"], pairs["state"], pairs["size"]) == ("application/json", "open", "0")
    assert "ttl" not in pairs


def test_close_prints_the_final_offset_each_time(call: Call, path: str) -> None:
    """Closing is idempotent."""
    call("create", path, "--json")
    final = call("append", path, "1").stdout
    assert [call("close", path).stdout for _ in range(2)] == [final, final]


def test_rm_deletes_what_it_can(call: Call, path: str) -> None:
    """A missing stream does not keep the others from being deleted, and makes it exit 4."""
    call("create", f"{path}/a")
    result = call("rm", f"{path}/missing", f"{path}/a")
    assert result.exit_code == ExitCode.NOT_FOUND
    assert "stream-not-found" in result.stderr
    assert call("ls", path).stdout == ""


def test_rm_force_takes_a_missing_stream(call: Call, path: str) -> None:
    """--force makes a missing stream fine."""
    assert call("rm", "--force", path).exit_code == 0


@pytest.mark.parametrize("command", [["info"], ["tail"], ["close"], ["rm"], ["append", "--create=no"], ["append"]])
def test_a_missing_stream_exits_with_4(command: list[str], call: Call, path: str) -> None:
    """The code, the detail and the advice are on stderr, nothing on stdout."""
    if "--create=no" in command:
        command = ["append", "--close"]
    result = call(command[0], path, *command[1:], stdin="")
    assert (result.exit_code, result.stdout) == (ExitCode.NOT_FOUND, "")
    assert result.stderr.startswith(f"stream-not-found: there is no stream at '{path}'\n  ")


def test_a_refusal_exits_with_1(call: Call, path: str) -> None:
    """What the server refuses is told in its words."""
    result = call("create", "x" * 2000)
    assert result.exit_code == ExitCode.REFUSED
    assert result.stderr.startswith("path-too-long: the stream path has 2000 bytes")
    result = call("create", path, "--header", "Origin: https://elsewhere.example")
    assert (result.exit_code, result.stderr.partition(":")[0]) == (ExitCode.REFUSED, "origin-not-allowed")


@pytest.mark.parametrize("args", [["info", "a"], ["ls"], ["tail", "a"], ["append", "a", "1"], ["rm", "--force", "a"]])
def test_no_server_exits_with_3(args: list[str], call: Call) -> None:
    """A server that was never reached is not waited for."""
    result = call(*args, url="http://127.0.0.1:1")
    assert (result.exit_code, result.stdout) == (ExitCode.UNREACHABLE, "")
    assert result.stderr.startswith("network: cannot reach http://127.0.0.1:1: ")


def test_a_server_that_does_not_answer_exits_with_3(call: Call) -> None:
    """--timeout ends the wait for a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        result = call("ls", "--timeout", "0.1", url=url)
    assert (result.exit_code, result.stderr.splitlines()[0]) == (
        3,
        f"connect-timeout: cannot reach {url}: the server took the request and did not answer in time",
    )


def test_a_wrong_prefix_is_told_as_that(call: Call, server: Server) -> None:
    """A URL under which there are no streams is not told as a missing stream."""
    result = call("info", "a", "--url", f"{server.url}/elsewhere/")
    assert result.exit_code == ExitCode.NOT_FOUND
    assert result.stderr.startswith("route-not-found: ")


@pytest.mark.parametrize("command", [["info", "a"], ["ls"], ["append", "a", "data"], ["bench"]])
def test_a_misspelled_variable_is_told(call: Call, command: list[str]) -> None:
    """It would be another server that is asked."""
    result = call(*command, url="", HEADWATER_URI="http://127.0.0.1:1")
    assert result.exit_code == ExitCode.USAGE
    assert "HEADWATER_URI of the environment (is it HEADWATER_URL?)" in result.stderr


def test_a_misspelled_variable_does_not_matter_where_the_server_is_said(call: Call, server: Server) -> None:
    """By the right one, or by the option; nor do others that begin alike."""
    wrong = "http://127.0.0.1:1"
    assert call("ls", HEADWATER_URI=wrong).exit_code == 0
    assert call("ls", "--url", server.url, url="", HEADWATER_URI=wrong).exit_code == 0
    assert "is it" not in call("ls", url="", HEADWATER_STORE="memory:", HEADWATER_PORT="1").stderr


@pytest.mark.slow
def test_a_mounted_hub_is_reached_by_its_prefix(call: Call, serve: Serve) -> None:
    """With a path in --url, streams and introspection are under it."""
    url = serve("memory:", "mounted").url + "/streams"
    assert call("create", "a", "--json", "--url", url).stdout == f"{url}/a\n"
    call("append", "a", "1", "--url", url)
    assert call("create", "b", "--fork-from", "a", "--url", url).exit_code == 0
    assert call("tail", "b", "--no-follow", "--url", url).stdout == "1\n"
    assert [line.split("\t")[0] for line in call("ls", "--url", url).stdout.splitlines()] == ["a", "b"]


def test_paths_are_quoted(call: Call) -> None:
    """A path with any printable characters is the same stream for every command."""
    name = "odd/ä b?c#d%41&e+f'\"<>"
    assert call("create", name, "--json").exit_code == 0
    assert call("append", f"/{name}", "1").exit_code == 0
    assert call("tail", name, "--no-follow").stdout == "1\n"
    assert call("ls", "odd/").stdout.split("\t")[0] == name
    assert call("create", "odd/fork", "--fork-from", name).exit_code == 0
    assert call("rm", name, "odd/fork").exit_code == 0
