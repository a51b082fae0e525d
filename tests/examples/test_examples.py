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


@contextmanager
def application(name: str, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerProcess]:
    """An example that serves pages by itself."""
    monkeypatch.setenv(store, f"sqlite:{tmp_path}/example.db")
    app = ServerProcess([sys.executable, str(EXAMPLES / name)], health="/openapi.json")
    monkeypatch.setenv("PORT", str(app.port))
    with app:
        yield app


def test_inbox_is_told_to_everybody_and_read_by_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with application("inbox.py", "INBOX_STORE", tmp_path, monkeypatch) as app:
        ada, message = {"Cookie": "user=ada"}, {"id": "7", "text": "hi"}
        with opened(app, "GET", "/streams/inbox/ada?missing=wait", Accept="text/event-stream", **ada) as tab:
            while read_event(tab).get("event") != "stream-waiting":
                pass
            for _ in range(2):  # sent twice, it is one row in the page
                assert call(app, "POST", "/notify", json.dumps(message), content_type="application/json").status == 204
            assert call(app, "POST", "/read", '"7"', content_type="application/json", **ada).status == 204
            told: list[Any] = []
            while len(told) < 3:
                event = read_event(tab)
                told += [json.loads(event["data"])] if "data" in event and "event" not in event else []
        assert told == [message, message, {"read": "7"}]
        assert call(app, "GET", "/streams/inbox/bob", Cookie="user=bob").json() == [message, message]
        assert call(app, "GET", "/streams/inbox/bob", **ada).status == 403
        assert call(app, "GET", "/streams/inbox/bob").status == 401


def test_prices_are_one_read_of_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with application("prices.py", "PRICES_STORE", tmp_path, monkeypatch) as app:
        eventually(lambda: len(call(app, "GET", "/streams/-/streams?prefix=prices/").json()["streams"]) == 100)
        page = call(app, "GET", "/streams/-/many?live=false&last=1&stream=prices/*").body.splitlines()
        rows = [json.loads(line) for line in page]
        assert len({row["stream"] for row in rows[:-1]}) == len(rows[:-1]) == 100
        assert all(row["data"]["price"] > 0 for row in rows[:-1])
        assert b"EventSource" in call(app, "GET", "/").body


def test_room_takes_messages_at_its_own_endpoint_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with application("room.py", "ROOM_STORE", tmp_path, monkeypatch) as app:
        json_type = {"content_type": "application/json"}
        for number in range(3):
            body = json.dumps({"by": "ada", "text": str(number)})
            assert call(app, "POST", "/rooms/lobby", body, **json_type).status == 204
        newest = call(app, "GET", "/streams/rooms/lobby?last=1")
        assert [message["text"] for message in newest.json()] == ["2"]
        before = newest.headers["Stream-Previous-Offset"]
        older = call(app, "GET", f"/streams/rooms/lobby?last=50&before={before}").json()
        assert [message["text"] for message in older] == ["0", "1"]
        assert call(app, "POST", "/streams/rooms/lobby", '{"by": "eve"}', **json_type).status == 403


def test_sidebar_tells_how_each_answer_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with application("sidebar.py", "SIDEBAR_STORE", tmp_path, monkeypatch) as app:
        json_type = {"content_type": "application/json"}
        assert call(app, "POST", "/chats/one", '"hi"', **json_type).status == 204
        newest = "/streams/-/many?live=false&last=1&stream=chats/*"
        eventually(lambda: b'"state":"finished"' in call(app, "GET", newest).body)
        question, end = call(app, "GET", "/streams/chats/one").json()
        assert (question["text"], end["run"], end["text"]) == ("hi", question["run"], "hi")
        assert end["answer"].startswith("You asked 'hi'")
        assert call(app, "POST", "/streams/chats/one", '{"text": "x"}', **json_type).status == 403


def test_workers_tell_every_step_once_through_a_crash(server: ServerProcess) -> None:
    follow = [sys.executable, "-m", "headwater", "tail", "tasks/**", "--url", server.url, "--json"]
    with subprocess.Popen(follow, stdout=subprocess.PIPE) as tail, example("workers.py", server=server) as workers:
        assert tail.stdout is not None
        told: dict[str, list[Any]] = {}

        def take() -> None:
            row = json.loads(tail.stdout.readline())  # type: ignore[union-attr]
            told.setdefault(row["stream"], []).append(row["data"])

        take()
        server.kill()
        server.start()
        packages = ("json", "email", "asyncio", "logging")
        while not all("bytes" in told.get(f"tasks/{name}", [{}])[-1] for name in packages):
            take()
        assert workers.wait(45) == 0
        tail.kill()
    for name in packages:
        *steps, last = told[f"tasks/{name}"]
        assert steps == [{"done": number, "of": len(steps)} for number in range(1, len(steps) + 1)]
        assert last["bytes"] > 0
        assert records(server, f"tasks/{name}") == [*steps, last]
        text = call(server, "GET", f"/v1/stream/tasks/{name}/log").body.decode()
        assert text.splitlines()[-1].endswith(f": {last['bytes']} bytes so far")
