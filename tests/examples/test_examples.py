"""Each example, run as its docstring says, for a moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.http import call, opened
from tests.support.processes import ServerProcess, headwater_server

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with headwater_server(f"sqlite:{tmp_path}/examples.db") as process:
        yield process


@contextmanager
def example(name: str, *arguments: str, server: ServerProcess) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    environment = os.environ | {"HEADWATER_URL": server.url}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def records(server: ServerProcess, stream: str) -> list[Any]:
    answer = call(server, "GET", f"/v1/stream/{stream}")
    return list(answer.json()) if answer.status == 200 else []


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_every_example_is_short_and_tested() -> None:
    text = Path(__file__).read_text()
    for path in EXAMPLES.glob("*.py"):
        assert path.name in text
        assert len(path.read_text().splitlines()) < 100, path.name


def test_text_stream_arrives_whole_and_closed(server: ServerProcess) -> None:
    with example("text_stream.py", "--pause", "0", server=server) as process:
        assert process.wait(45) == 0
    answer = call(server, "GET", "/v1/stream/texts/zen")
    assert answer.body.startswith(b"The Zen of Python, by Tim Peters")
    assert answer.body.split()[-1] == b"those!"
    assert answer.headers["Stream-Closed"] == "true"


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="Linux only")
def test_proc_figures_are_appended_with_retention(server: ServerProcess) -> None:
    with example("proc_figures.py", "--every", "0.1", server=server):
        eventually(lambda: len(records(server, "machine/figures")) >= 3)
    figures = records(server, "machine/figures")[-1]
    assert 0 <= figures["cpu_percent"] <= 100
    assert 0 < figures["memory_used_kb"] < figures["memory_total_kb"]
    assert call(server, "HEAD", "/v1/stream/machine/figures").headers["Stream-Retention"] == "age=3600"


def lines(server: ServerProcess) -> list[str]:
    return [record["line"] for record in records(server, "log")]


def test_tail_file_survives_rotation_and_its_own_restart(server: ServerProcess, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("one\ntwo\nhal")
    with example("tail_file.py", str(log), "log", server=server):
        eventually(lambda: lines(server) == ["one", "two"])
        with log.open("a") as file:
            file.write("f\nthree\n")
        eventually(lambda: lines(server)[2:] == ["half", "three"])
        log.rename(tmp_path / "log.1")
        log.write_text("four\n")
        eventually(lambda: lines(server)[4:] == ["four"])
    # While it is away, the file grows, is rotated, and another one begins.
    with log.open("a") as file:
        file.write("five\n")
    (tmp_path / "log.1").rename(tmp_path / "log.2")
    log.rename(tmp_path / "log.1")
    log.write_text("six is long\n")
    with example("tail_file.py", str(log), "log", server=server):
        eventually(lambda: lines(server)[5:] == ["five", "six is long"])
        log.write_text("cut short\n")
        eventually(lambda: lines(server)[7:] == ["cut short"])


def test_tail_file_waits_for_the_server(server: ServerProcess, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("one\n")
    with example("tail_file.py", str(log), "log", server=server):
        eventually(lambda: lines(server) == ["one"])
        server.kill()
        with log.open("a") as file:
            file.write("two\n")
        server.start()
        eventually(lambda: lines(server) == ["one", "two"])


def test_fastapi_app_tells_the_progress_to_whoever_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBS_STORE", f"sqlite:{tmp_path}/jobs.db")
    app = ServerProcess([sys.executable, str(EXAMPLES / "fastapi_app.py")], health="/")
    monkeypatch.setenv("PORT", str(app.port))
    with app:
        assert b"EventSource" in call(app, "GET", "/").body
        job = call(app, "POST", "/jobs").json()
        with opened(app, "GET", f"/streams/jobs/{job}", Accept="text/event-stream") as first:
            assert read_event(first) == {"retry": "1000"}
            while "data" not in (event := read_event(first)):
                pass
            assert "sha256" in json.loads(event["data"])
        # The reader went; the job goes on, and another reader has all of it.
        with opened(app, "GET", f"/streams/jobs/{job}", Accept="text/event-stream") as second:
            events = [read_event(second)]
            while events[-1].get("event") != "stream-closed":
                events.append(read_event(second))
        assert event in events
        assert len(events) > 20
        cut = call(app, "POST", "/jobs").json()
    # That job was stopped with the application: who comes later is told, and does not wait for the rest.
    app = ServerProcess([sys.executable, str(EXAMPLES / "fastapi_app.py")], health="/")
    monkeypatch.setenv("PORT", str(app.port))
    with app, opened(app, "GET", f"/streams/jobs/{cut}", Accept="text/event-stream") as late:
        while (event := read_event(late)).get("event") not in ("stream-failed", "stream-closed"):
            pass
        assert event["event"] == "stream-failed"
        assert json.loads(event["data"])["code"] == "cancelled"


def read_event(answer: Any) -> dict[str, str]:
    fields: dict[str, str] = {}
    while (line := answer.readline().decode().rstrip("\n")) or not fields:
        name, _, value = line.partition(":")
        if name:
            fields[name] = value.strip()
    return fields
