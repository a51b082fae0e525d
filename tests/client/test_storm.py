"""A crowd of real clients that loses a real server: no second has too many of them, and all come back.

`python -m tests.client.test_storm` does it with 2,000 and writes docs/benchmarks/python-storm-sockets.json and .svg.
The rules themselves are tried in virtual time, in test_pace.py.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from benchmarks import svg
from tests.client.crowd import Crowd
from tests.client.test_pace import most_in_a_second
from tests.support.processes import free_port

from headwater.client.sync import Stream

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs" / "benchmarks"
CLIENTS, IN_A_PROCESS, DOWN = 2000, 250, 5.0
SERVER = """
import sys
import headwater.stores.sqlite
from headwater.cli.serve import serve

print("loaded", flush=True)
sys.stdin.readline()
serve(sys.argv[1:])
"""


class Storm(msgspec.Struct):
    """What came of it; all in seconds from the moment at which the server was killed.

    Attributes:
        clients: how many there were.
        down: for how long it did not listen.
        connects: requests until all were back.
        most_connects: of them in any second, as a part of all.
        most_back: clients that were back in any second, as a part of all.
        all_back: when the last one was back.
    """

    clients: int
    down: float
    connects: int
    most_connects: float
    most_back: float
    all_back: float


class Server:
    """A server that has loaded everything, and listens when it is told to; so the moment at which it is back is ours.

    Args:
        port: of it.
        options: of `headwater serve`.
    """

    def __init__(self, port: int, *options: str) -> None:
        self._port = port
        command = [sys.executable, "-c", SERVER, "--port", str(port), "--no-banner", "--log-level", "warning", *options]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "loaded\n"

    def listen(self) -> None:
        """Return when it does."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1):
                return
            time.sleep(0.01)

    def kill(self) -> None:
        """End it without a word, as a crash would."""
        self._process.kill()
        self._process.communicate()


def storm(clients: int, in_a_process: int, down: float) -> tuple[Storm, Crowd]:
    """Clients in several processes, and a server that is killed and comes back."""
    with TemporaryDirectory() as folder:
        port = free_port()
        options = ["--store", f"sqlite:{folder}/streams.db", "--max-readers", str(2 * clients)]
        first, second = Server(port, *options), Server(port, *options)
        try:
            first.listen()
            url = f"http://127.0.0.1:{port}/v1/stream/storm"
            with Stream[int](url) as stream:
                stream.create(first=[1])
            command = [sys.executable, "-m", "tests.client.crowd", url]
            counts = [min(in_a_process, clients - at) for at in range(0, clients, in_a_process)]
            crowds = [subprocess.Popen([*command, str(count)], stdout=subprocess.PIPE, text=True) for count in counts]
            for crowd in crowds:
                assert crowd.stdout is not None
                assert crowd.stdout.readline() == "live\n"
            began = time.monotonic()
            first.kill()
            time.sleep(max(0.0, began + down - time.monotonic()))
            second.listen()
            was_down = time.monotonic() - began
            told = [msgspec.json.decode(crowd.communicate()[0], type=Crowd) for crowd in crowds]
        finally:
            first.kill()
            second.kill()
    asked = sorted(moment - began for each in told for moment in each.asked)
    back = sorted(moment - began for each in told for moment in each.back)
    figures = Storm(
        clients,
        was_down,
        len(asked),
        most_in_a_second(asked) / len(asked),
        most_in_a_second(back) / len(back),
        back[-1],
    )
    assert len(back) == clients
    return figures, Crowd(asked, back)


def test_a_crowd_comes_back() -> None:
    """Every client, by itself; so few are no crowd, and their shares of a second say nothing."""
    figures, _ = storm(40, 20, 0.0)
    assert figures.connects >= 40


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_two_thousand_clients_and_a_server_that_is_gone_for_five_seconds() -> None:
    """At most 30 percent of the connects are in any second, and all are back in 25 s."""
    figures, _ = storm(CLIENTS, IN_A_PROCESS, DOWN)
    assert figures.most_connects <= 0.30
    assert figures.all_back <= 25.0


def main() -> None:
    """Do it, and record it."""
    figures, crowd = storm(CLIENTS, IN_A_PROCESS, DOWN)
    text = msgspec.json.format(msgspec.json.encode(figures), indent=2)
    (DOCS / "python-storm-sockets.json").write_bytes(text + b"\n")
    asked, back = Counter(map(int, crowd.asked)), Counter(map(int, crowd.back))
    seconds = range(max(asked) + 1)
    series = {
        "connects a second, percent of all": [(s, 100 * asked[s] / len(crowd.asked)) for s in seconds],
        "clients that are back, percent": [(s, 100 * sum(back[t] for t in range(s + 1)) / CLIENTS) for s in seconds],
    }
    title = f"{CLIENTS} clients of a server that is gone for {figures.down:.1f} s, over sockets"
    (DOCS / "python-storm-sockets.svg").write_text(svg.lines(title, "percent", series))
    sys.stdout.write(text.decode() + "\n")


if __name__ == "__main__":
    main()
