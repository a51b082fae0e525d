"""A provider on a real socket that answers recorded streams, well or badly, as the request's model says.

A model is `BEHAVIOUR` or `BEHAVIOUR/ANYTHING`; the part behind the slash makes it a model of its own.

| behaviour | a streamed answer |
| --- | --- |
| `good` | the recording, in HTTP chunks that cut every character of more than a byte |
| `held` | its beginning; the rest when it is released |
| `silent` | a head; the recording when it is released |
| `limited` | 429 with `retry-after` to the first request; the recording to others |
| `refused` | 400 |
| `error` | a recording with an error in the middle |
| `eof` | the beginning, then the end of the body |
| `half` | the beginning up to half a character, then the end of the body |
| `fin` | the beginning, then the connection is closed within the body |
| `reset` | the beginning; when it is released the connection is reset |
| `stall` | the beginning, then nothing until the client goes |
| `late` | the beginning, nothing for `SILENCE`, the rest |
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parent / "vectors"
#: The recordings of each path: of success, and with an error in the middle.
RECORDED = {
    "/v1/chat/completions": ("openai", "openai-error"),
    "/v1/responses": ("openai-responses", "openai-responses-failed"),
    "/v1/messages": ("anthropic", "anthropic-error"),
}
#: Where beginnings end: in the middle of the answer's text.
WORD = "wörld".encode()
PATIENCE = 60.0
#: Seconds that a provider may be silent in the middle of an answer, for instance while its model thinks.
SILENCE = 90.0


def recording(name: str) -> bytes:
    return (VECTORS / f"{name}.sse").read_bytes()


def beginning(body: bytes) -> bytes:
    """The recording up to the event that says the word, which it has."""
    return body[: body.index(b"\n\n", body.index(WORD)) + 2]


def pieces(body: bytes) -> list[bytes]:
    """The body, cut behind the first byte of every character that has more than one."""
    return [piece for piece in re.split(rb"(?<=[\xc0-\xff])(?=[\x80-\xbf])", body) if piece]


def whole(path: str) -> bytes:
    """The answer to a request that is not streamed."""
    if path == "/v1/responses":
        (last,) = [line for line in recording("openai-responses").splitlines() if b'"response.completed"' in line]
        return json.dumps(json.loads(last.removeprefix(b"data: "))["response"]).encode()
    if path == "/v1/messages":
        usage = {"input_tokens": 11, "output_tokens": 7}
        content = [{"type": "text", "text": "Héllo"}, {"type": "tool_use", "id": "c", "name": "weather", "input": {}}]
        made = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "tool_use"}
        return json.dumps({**made, "content": content, "stop_sequence": None, "usage": usage}).encode()
    message = {"role": "assistant", "content": "Héllo", "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    head = {"id": "c1", "object": "chat.completion", "created": 1, "model": "m"}
    return json.dumps({**head, "choices": [choice], "usage": usage}).encode()


class Scripted(ThreadingHTTPServer):
    """The provider.

    Attributes:
        url: its base URL, without `/v1`.
        asked: how often each model was asked.
        heads: the headers of each model's last request, names in lower case.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked: Counter[str] = Counter()
        self.heads: dict[str, dict[str, str]] = {}
        self._gates: defaultdict[str, threading.Event] = defaultdict(threading.Event)

    def release(self, model: str) -> None:
        """Let a model go on."""
        self._gates[model].set()

    def wait(self, model: str) -> None:
        """Wait until a model is released."""
        assert self._gates[model].wait(PATIENCE)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients go when they have seen enough."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Scripted

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model: str = asked["model"]
        self.server.asked[model] += 1
        self.server.heads[model] = {name.lower(): value for name, value in self.headers.items()}
        behaviour = model.partition("/")[0]
        if behaviour == "refused" or (behaviour == "limited" and self.server.asked[model] == 1):
            self._refuse(behaviour)
        elif asked.get("stream"):
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            self.send_header("X-Request-Id", "req-1")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            body, error = map(recording, RECORDED[self.path])
            tell: Callable[[str, bytes], None] = getattr(self, f"_{behaviour}", self._good)
            tell(model, error if behaviour == "error" else body)
        else:
            self._answer(200, whole(self.path))

    def do_PUT(self) -> None:
        """`PUT /release/MODEL` lets a model go on, for clients in other processes."""
        self.server.release(self.path.removeprefix("/release/"))
        self._answer(200, b"{}")

    def _refuse(self, behaviour: str) -> None:
        if behaviour == "limited":
            slow = {"type": "rate_limit_error", "message": "slow down", "code": "rate_limit_exceeded"}
            # Both: SDKs take the first, which keeps the tests short.
            headers = {"Retry-After-Ms": "20", "Retry-After": "1"}
            self._answer(429, json.dumps({"type": "error", "error": slow}).encode(), headers)
        else:
            bad = {"type": "invalid_request_error", "message": "no such model", "param": "model", "code": "bad"}
            self._answer(400, json.dumps({"type": "error", "error": bad}).encode())

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        head = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
        for name, value in head.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _send(self, body: bytes) -> None:
        for piece in pieces(body):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def _good(self, model: str, body: bytes) -> None:
        self._send(body)
        self.wfile.write(b"0\r\n\r\n")

    def _held(self, model: str, body: bytes) -> None:
        begun = beginning(body)
        self._send(begun)
        self.server.wait(model)
        self._good(model, body[len(begun) :])

    def _silent(self, model: str, body: bytes) -> None:
        self.server.wait(model)
        self._good(model, body)

    def _eof(self, model: str, body: bytes) -> None:
        self._good(model, beginning(body))

    def _half(self, model: str, body: bytes) -> None:
        self._good(model, body[: body.index(WORD) + 2])

    def _fin(self, model: str, body: bytes) -> None:
        self._send(beginning(body))
        self.close_connection = True

    def _reset(self, model: str, body: bytes) -> None:
        self._send(beginning(body))
        # What was sent must have been read: a reset throws the rest away.
        self.server.wait(model)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _stall(self, model: str, body: bytes) -> None:
        self._send(beginning(body))
        self.connection.recv(1)
        self.close_connection = True

    def _late(self, model: str, body: bytes) -> None:
        begun = beginning(body)
        self._send(begun)
        time.sleep(SILENCE)
        self._good(model, body[len(begun) :])

    def log_message(self, *args: Any) -> None:
        pass


@contextlib.contextmanager
def scripted() -> Iterator[Scripted]:
    """A provider on a free port."""
    with Scripted() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
