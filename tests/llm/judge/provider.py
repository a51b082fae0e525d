"""A provider on a real socket: the model that is asked for is the case that it answers."""

from __future__ import annotations

import contextlib
import gzip
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from typing import ClassVar

from tests.llm.judge.wire import Case
from tests.llm.serving import Server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cases: ClassVar[Mapping[str, Case]] = {}

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        case = self.cases[asked["model"]]
        self.send_response(case.status)
        if case.media_type is not None:
            self.send_header("Content-Type", case.media_type)
        if case.coding:
            self.send_header("Content-Encoding", case.coding)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("X-Request-Id", "req-1")
        self.end_headers()
        # Without the time, which its header has: two requests are compared by their bytes.
        pieces = [gzip.compress(b"".join(case.pieces), mtime=0)] if case.coding else case.pieces
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        self.wfile.write(chunks if case.cut else chunks + b"0\r\n\r\n")
        self.close_connection = self.close_connection or case.cut

    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def answering(cases: Mapping[str, Case]) -> Iterator[str]:
    """The base URL of a provider, without `/v1`."""
    with Server(("127.0.0.1", 0), type("Answering", (_Handler,), {"cases": cases})) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
