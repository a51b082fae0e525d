"""Whatever bytes come, in whatever pieces: the server stays, answers, and serves its other clients as if nothing were.

Requests of tests/corpus are mutated, spliced and cut, and sent to `headwater serve` (memory and SQLite) and to a hub
under uvicorn. What must hold: the process lives; nothing is told in its log; a connection on which the client sends no
more ends within `PATIENCE`; no 500, 502 or 504, and 501, 503 and 505 only for what the corpus has them for; a writer
and a reader on connections of their own lose nothing and wait for nothing; memory and descriptors do not grow.

Run it from the root of the repository: python -m fuzz.fuzz_corpus -seconds=1800
"""

from __future__ import annotations

import contextlib
import random
import re
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

from tests.corpus.cases import State, asked, load, to_bytes
from tests.corpus.servers import Target, serving
from tests.proxies.fronts import HOST

SERVERS = ("serve", "serve-sqlite", "uvicorn")
#: Seconds for a connection to end once the client sends no more.
PATIENCE = 5.0
#: What a server may hold more at the end than when it was warm.
GROWTH_KIB, GROWTH_DESCRIPTORS = 16 * 1024, 16
#: What is written and read before, and by how many at a time; see `Fuzzed.fill`.
MEBIBYTE, FILLED_MIB, FILLED_READERS = 1024 * 1024, 32, 4
#: Statuses that no input may cause, and those that some may.
FORBIDDEN = {500, 502, 504}
_STATUS = re.compile(rb"(?:^|\n)HTTP/1\.[01] ([0-9]{3}) ")
_LIVE = re.compile(rb"(?i)\ncontent-type: (text/event-stream|application/(x-)?(ndjson|jsonl|jsonlines))\r")
WORDS = (
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"\r\n\r\n", b"0\r\n\r\n", b"\xff", b"%00", b"%", b"..", b"//",
    b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n",
    b"Connection: Upgrade\r\nUpgrade: h2c\r\n", b"Expect: 100-continue\r\n", b"Stream-Closed: true\r\n",
    b"Host: localhost\r\n", b"Accept: text/event-stream\r\n", b"GET ", b"POST ", b"PUT ", b"HTTP/1.1", b"HTTP/1.0",
    b"?live=sse&offset=-1", b"?live=long-poll&offset=now", b"ffffffff\r\n", b"99999999999",
)  # fmt: skip
ROOTS = [f"c{number:05x}" for number in range(40)]


class Innocent(threading.Thread):
    """Writes numbers to a stream of its own and reads each back live, on two connections, as if alone.

    Attributes:
        written: how many.
        slowest: seconds of the slowest append with its reading.
        failure: what went wrong.
    """

    PATH = "/v1/stream/innocent"

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.written = 0
        self.slowest = 0.0
        self.failure: BaseException | None = None
        self.stopping = threading.Event()
        self._port = port

    def run(self) -> None:
        """Until stopped."""
        try:
            with contextlib.closing(HTTPConnection("127.0.0.1", self._port, timeout=30)) as writer:
                self._ask(writer, "PUT", "")
                reader = HTTPConnection("127.0.0.1", self._port, timeout=30)
                reader.request("GET", self.PATH, headers={"accept": "application/x-ndjson"})
                with contextlib.closing(reader), reader.getresponse() as lines:
                    while not self.stopping.wait(0.05):
                        self._step(writer, iter(lines))
        except BaseException as failure:
            self.failure = failure

    def _ask(self, writer: HTTPConnection, method: str, body: str) -> None:
        writer.request(method, self.PATH, body, {"content-type": "application/json"})
        with writer.getresponse() as answer:
            assert answer.status in (201, 204), (answer.status, answer.read())
            answer.read()

    def _step(self, writer: HTTPConnection, lines: Iterator[bytes]) -> None:
        begun = time.monotonic()
        self._ask(writer, "POST", str(self.written))
        for line in lines:
            if b'"data"' in line:
                assert line.endswith(b'"data":%d}\n' % self.written), line
                break
        self.written += 1
        self.slowest = max(self.slowest, time.monotonic() - begun)


class Fuzzed:
    """A server that is fed.

    Attributes:
        inputs: how many were sent.
        statuses: how often each was answered.
        findings: what broke the invariant, with its input.
    """

    def __init__(self, target: Target, draw: random.Random) -> None:
        self.target = target
        self.inputs = 0
        self.statuses: Counter[int] = Counter()
        self.findings: list[str] = []
        self.innocent = Innocent(target.process.port)
        self.innocent.start()
        self._draw = draw
        self._cases = load()
        self.fill()
        self.rest()
        self.memory = self.descriptors = 0

    def feed(self) -> None:
        """Send one input."""
        root = self._draw.choice(ROOTS)
        data = self._mutated(self._seed(root) if self._draw.random() < 0.6 else self._seed(root) + self._seed(root))
        places = sorted(self._draw.randrange(len(data) + 1) for _ in range(self._draw.choice((0, 0, 1, 1, 2, 5))))
        pieces = [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]
        self.inputs += 1
        trouble = self._exchange(pieces)
        if complaints := self.target.complaints():
            trouble = complaints
        if trouble:
            self.findings.append(f"{trouble}\n    {pieces!r}")
            print(f"{self.target.name}: {self.findings[-1]}", flush=True)

    def _seed(self, root: str) -> bytes:
        case = self._draw.choice(self._cases)
        for name, state in case.before.items():
            if self._draw.random() < 0.5:
                self._make(f"/v1/stream/{root}/{name}", State(state) if isinstance(state, str) else state)
        known = dict.fromkeys(asked(case), '"0_0"')
        return b"".join(piece or b"" for piece in to_bytes(case.send, root, known))

    def _make(self, path: str, state: State) -> None:
        self.target.ask("DELETE", path)
        headers = {"content-type": state.type or "application/json", **state.headers}
        self.target.ask("PUT", path, state.body or "", headers | ({"stream-closed": "true"} if state.closed else {}))

    def _mutated(self, data: bytes) -> bytes:
        new, draw = bytearray(data), self._draw
        for _ in range(draw.choice((0, 1, 1, 2, 3, 6))):
            at = draw.randrange(len(new) + 1)
            match draw.randrange(5):
                case 0:
                    new[at:at] = draw.choice(WORDS)
                case 1:
                    new[at : at + draw.randrange(1, 5)] = b""
                case 2:
                    new[at : at + 1] = draw.randbytes(1)
                case 3:
                    end = min(len(new), at + draw.randrange(1, 60))
                    new[at:at] = new[at:end]
                case 4:
                    del new[at : at + draw.randrange(1, 80)]
        return bytes(new)

    def _exchange(self, pieces: list[bytes]) -> str:
        """What went wrong; empty: nothing."""
        with socket.create_connection(("127.0.0.1", self.target.process.port), timeout=PATIENCE) as raw:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            received = b""
            with contextlib.suppress(OSError):
                for piece in pieces:
                    raw.sendall(piece)
                raw.shutdown(socket.SHUT_WR)
            deadline = time.monotonic() + PATIENCE
            try:
                while piece := raw.recv(256 * 1024):
                    received += piece
                    if time.monotonic() > deadline and not _LIVE.search(received):
                        return f"does not end behind {received[-100:]!r}"
            except TimeoutError:
                # A live read goes on: its server need not look for the client's end, which may come for more.
                if not _LIVE.search(received):
                    return f"hangs behind {received[-100:]!r}"
            except ConnectionError:
                pass
        found = [int(status) for status in _STATUS.findall(received)]
        self.statuses.update(found)
        return f"answered {received[:2000]!r}" if FORBIDDEN & set(found) else ""

    def fill(self) -> None:
        """Fill the caches that SQLite has for each of its connections (16 MiB and a few of 2), so that what they come
        to hold in the first minutes is not taken for a leak."""
        path, body = "/v1/stream/filler", self._draw.randbytes(MEBIBYTE // 2).hex()
        self.target.ask("PUT", path, "", {"content-type": "application/octet-stream"})
        for _ in range(FILLED_MIB):
            self.target.ask("POST", path, body, {"content-type": "application/octet-stream"})
        readers = [threading.Thread(target=self._read_all, args=(path,)) for _ in range(2 * FILLED_READERS)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()

    def _read_all(self, path: str) -> None:
        with contextlib.closing(HTTPConnection("127.0.0.1", self.target.process.port, timeout=60)) as reader:
            reader.request("GET", path)
            with reader.getresponse() as answer:
                assert len(answer.read()) == FILLED_MIB * MEBIBYTE

    def rest(self) -> None:
        """Delete what was made, so that memory can be compared."""
        while found := self.target.streams("") - {"probe", "innocent"}:
            for path in found:
                self.target.ask("DELETE", "/v1/stream/" + quoted(path))

    def measure(self) -> tuple[int, int]:
        """KiB of memory and open descriptors."""
        process = Path(f"/proc/{self.target.process.pid}")
        [memory] = [line for line in (process / "status").read_text().splitlines() if line.startswith("VmRSS")]
        return int(memory.split()[1]), len(list((process / "fd").iterdir()))


def quoted(path: str) -> str:
    """A stream's path in a URL."""
    from urllib.parse import quote

    return quote(path)


def main() -> None:
    """Feed each server by turns until the time is over, and tell what was found."""
    options = dict(option.lstrip("-").split("=") for option in sys.argv[1:])
    seconds, seed = float(options.get("seconds", "60")), int(options.get("seed", time.time_ns()))
    print(f"seed {seed}, {HOST}", flush=True)
    draw = random.Random(seed)
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory() as place:
        fed = []
        for name in SERVERS:
            directory = Path(place, name)
            directory.mkdir()
            fed.append(Fuzzed(stack.enter_context(serving(name, directory)), draw))
        begun = time.monotonic()
        warm = False
        while (now := time.monotonic()) < begun + seconds:
            for one in fed:
                one.feed()
                if one.inputs % 2000 == 0:
                    one.rest()
            if not warm and now > begun + seconds / 5:
                warm = True
                for one in fed:
                    one.rest()
                    one.memory, one.descriptors = one.measure()
        results = [tell(one) for one in fed]
        sys.exit(not all(results))


def tell(one: Fuzzed) -> bool:
    """What was sent to a server, and what it did; whether that is all right."""
    one.rest()
    memory, descriptors = one.measure()
    innocent = one.innocent
    innocent.stopping.set()
    innocent.join(60)
    print(f"{one.target.name}: {one.inputs} inputs, {len(one.findings)} findings")
    print(f"  statuses {dict(sorted(one.statuses.items()))}")
    print(f"  memory {one.memory} KiB, at the end {memory}; descriptors {one.descriptors}, at the end {descriptors}")
    print(f"  beside it {innocent.written} records, the slowest {innocent.slowest:.2f} s, failure: {innocent.failure}")
    grown = memory > one.memory + GROWTH_KIB or descriptors > one.descriptors + GROWTH_DESCRIPTORS
    return not (one.findings or innocent.failure or grown)


if __name__ == "__main__":
    main()
