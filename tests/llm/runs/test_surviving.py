"""Runs in a real server that is killed: no reader hangs, what came is kept, and what was cut is lost and says so."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.request
from typing import Any

import pytest
from tests.llm.chat_app import token
from tests.llm.conftest import LEASE
from tests.support.processes import ServerProcess

RUNS = 50
#: Seconds that nothing here takes; who waits longer hangs.
PATIENCE = 60.0

pytestmark = pytest.mark.slow


def ask(chat: str, script: dict[str, Any]) -> bytes:
    message = {"id": f"m-{chat}", "role": "user", "parts": [{"type": "text", "text": json.dumps(script)}]}
    return json.dumps({"id": chat, "messages": [message], "trigger": "submit-message"}).encode()


def get(server: ServerProcess, path: str) -> Any:
    with urllib.request.urlopen(server.url + path, timeout=PATIENCE) as answer:
        return json.loads(answer.read())


class Viewer(threading.Thread):
    """A raw reader: sends a request and keeps what comes until the connection ends.

    Attributes:
        body: the answer's head and body, as they came.
        begun: set with the first bytes of text.
    """

    def __init__(self, server: ServerProcess, method: str, path: str, body: bytes = b"") -> None:
        super().__init__(daemon=True)
        self.body = b""
        self.begun = threading.Event()
        self._port = server.port
        head = f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
        self._request = head.encode() + b"\r\n\r\n" + body
        self.start()

    def run(self) -> None:
        with socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE) as connection:
            connection.sendall(self._request)
            try:
                while data := connection.recv(65536):
                    self.body += data
                    if b"text-delta" in self.body:
                        self.begun.set()
                    if self.body.endswith(b"0\r\n\r\n"):
                        return
            except ConnectionError:
                pass

    @property
    def chunks(self) -> list[dict[str, Any]]:
        """The AI SDK chunks in the answer; an event is never split by the server's chunks of HTTP."""
        lines = [line[6:] for line in self.body.splitlines() if line.startswith(b"data: {")]
        found = []
        for line in lines:
            try:
                found.append(json.loads(line))
            except ValueError:
                break  # cut by the kill
        return found

    @property
    def text(self) -> str:
        """What it was told."""
        return "".join(chunk["delta"] for chunk in self.chunks if chunk["type"] == "text-delta")


def test_a_kill_in_the_middle_of_fifty_runs(server: ServerProcess) -> None:
    """After the restart every run shows its partial text, a prefix of what the model said and at least what any reader
    saw; within the lease it is lost; nobody who comes back waits for ever."""
    script = {"tokens": 2000, "pause": 0.02}
    viewers = [Viewer(server, "POST", "/api/chat", ask(f"c{number}", script)) for number in range(RUNS)]
    for viewer in viewers:
        assert viewer.begun.wait(PATIENCE)
    server.kill()
    for viewer in viewers:
        viewer.join(PATIENCE)
        assert not viewer.is_alive()
    seen = [viewer.text for viewer in viewers]
    runs = [viewer.body.partition(b"headwater-run: ")[2].partition(b"\r\n")[0].decode() for viewer in viewers]
    server.start()
    restarted = time.monotonic()
    again = [Viewer(server, "GET", f"/runs/{run}/stream") for run in runs]
    for viewer in again:
        viewer.join(PATIENCE)
        assert not viewer.is_alive()
    elapsed = time.monotonic() - restarted
    whole = "".join(token(number) for number in range(script["tokens"]))  # type: ignore[call-overload]
    for number, (before, viewer) in enumerate(zip(seen, again, strict=True)):
        assert viewer.text.startswith(before)
        assert whole.startswith(viewer.text)
        assert viewer.body.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
        assert [chunk for chunk in viewer.chunks if chunk["type"] == "error"]
        state = get(server, f"/runs/{runs[number]}")
        assert state["state"] == "lost"
        assert get(server, f"/api/chat/c{number}")["state"] == "lost"
    # A bound and no measurement: the lease, a look at it, and a slow machine's grace.
    assert elapsed < LEASE + PATIENCE / 2
    assert get(server, "/calls")["begun"] == 0


def test_a_key_is_one_call_after_a_kill(server: ServerProcess) -> None:
    """The message that was being answered is sent again, after the restart too: until it is lost the model is not asked
    again, and then once, by whoever asks."""
    body = ask("c1", {"tokens": 2000, "pause": 0.02})
    first = [Viewer(server, "POST", "/api/chat", body) for _ in range(100)]
    for viewer in first:
        assert viewer.begun.wait(PATIENCE)
    assert get(server, "/calls")["begun"] == 1
    server.kill()
    for viewer in first:
        viewer.join(PATIENCE)
    server.start()
    run = first[0].body.partition(b"headwater-run: ")[2].partition(b"\r\n")[0].decode()
    watching = Viewer(server, "GET", f"/runs/{run}/stream")
    watching.join(PATIENCE)
    assert [chunk["type"] for chunk in watching.chunks][-1] == "error"
    assert get(server, "/calls")["begun"] == 0
    second = [Viewer(server, "POST", "/api/chat", body) for _ in range(100)]
    for viewer in second:
        assert viewer.begun.wait(PATIENCE)
    assert get(server, "/calls")["begun"] == 1
    server.stop()
    for viewer in second:
        viewer.join(PATIENCE)
        assert not viewer.is_alive()


def test_a_stop_reaches_the_model(server: ServerProcess) -> None:
    """The call is cancelled when the stop is answered; what came is kept as stopped."""
    viewer = Viewer(server, "POST", "/api/chat", ask("c1", {"tokens": 1, "pause": 0, "then": "stall"}))
    assert viewer.begun.wait(PATIENCE)
    request = urllib.request.Request(f"{server.url}/api/chat/c1/stop", method="POST")
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert json.loads(answer.read())["state"] == "stopped"
    calls = get(server, "/calls")
    assert (calls["cancelled"], calls["running"]) == (1, 0)
    viewer.join(PATIENCE)
    assert viewer.text == token(0)
    assert [chunk["type"] for chunk in viewer.chunks][-2:] != ["text-end", "finish"]


def test_a_deploy_lets_runs_finish_or_says_so(server: ServerProcess) -> None:
    """SIGTERM: short runs finish, long ones end as lost, at once and not after the lease; the server exits cleanly.
    Readers stay until then, and are told the end: nobody hears that the run goes on."""
    short = Viewer(server, "POST", "/api/chat", ask("short", {"tokens": 10, "pause": 0.02}))
    long = Viewer(server, "POST", "/api/chat", ask("long", {"tokens": 2000, "pause": 0.02}))
    assert short.begun.wait(PATIENCE)
    assert long.begun.wait(PATIENCE)
    server.stop()
    for viewer in (short, long):
        viewer.join(PATIENCE)
        assert viewer.body.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert short.text == "".join(map(token, range(10)))
    assert short.chunks[-1]["type"] == "finish"
    assert long.chunks[-1] == {"type": "error", "errorText": "the server was stopped"}
    server.start()
    assert get(server, "/api/chat/short")["state"] == "finished"
    state = get(server, "/api/chat/long")
    assert (state["state"], state["message"]) == ("lost", "the server was stopped")
