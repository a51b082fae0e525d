"""Whatever frames and messages come: a documented answer or close code each, and nobody else notices.

Connections of `-/connect` and of streams' own URLs send what `websocket_inputs` draws, whole and cut, and end in all
ways: by a close frame, by the end of their side, by a reset, in the middle of a message. What must hold: the process
lives and its log is silent; no 1011 and no error of the server; a right message with an id of its own is answered; a
`ping` behind everything is answered, or the connection was closed with a documented code; who sends no more is let go
within `PATIENCE`; a writer and a reader beside it lose nothing; at the end no reader is left, and memory and
descriptors are as when the server was warm.

Run it from the root of the repository: python -m fuzz.fuzz_websocket -seconds=600
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

from fuzz.fuzz_corpus import GROWTH_DESCRIPTORS, GROWTH_KIB, PATIENCE, Fuzzed
from fuzz.websocket_forms import FORMS, Form
from fuzz.websocket_inputs import PATHS, Draws, frame
from tests.corpus.servers import serving

from headwater.protocol.websocket import frames

SERVERS = ("serve", "serve-sqlite", "uvicorn")
HEAD = (
    "GET /v1/stream/{} HTTP/1.1\r\nhost: 127.0.0.1:{}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n{}\r\n"
)
PROTOCOL = "sec-websocket-protocol: {}\r\n"
OFFER = "sec-websocket-extensions: permessage-deflate; client_max_window_bits\r\n"
#: What a client may close with.
OURS = (1000, 1001, 1008, 3000, 4999)
#: What may end a connection; with the errors of the table, 4400 to 4599.
CLOSES = {*OURS, 1000, 1001, 1002, 1003, 1005, 1007, 1009, 1013, *range(4400, 4600)} - {4500}
QUERIES = (
    "",
    "?raw=1",
    "?missing=wait",
    "?envelope=1&signals=1",
    "?offset=now&presence=1",
    "?last=3",
    "?producer=z",
    "?offset=x",
)


class Talk:
    """One connection."""

    def __init__(self, port: int, path: str, headers: str) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held = b""
        self.close_code: int | None = None
        self.is_over = False
        self.sock.sendall(HEAD.format(path, port, headers).encode())
        while b"\r\n\r\n" not in self.held:
            part = self.sock.recv(65536)
            assert part, "no response to the handshake"
            self.held += part
        head, _, self.held = self.held.partition(b"\r\n\r\n")
        self.status = int(head.split()[1])
        assert self.status == 101 or "protocol" not in headers, (head, self.held)
        self._deflates = "extensions" in headers
        assert (b"permessage-deflate" in head) is (self._deflates and self.status == 101), head

    def take(self) -> list[bytes]:
        """Payloads of the messages that have come; waits for one read of the socket."""
        try:
            part = self.sock.recv(1 << 20)
        except ConnectionError:
            part = b""
        self.is_over = not part
        self.held += part
        found = []
        while (one := first_frame(self.held)) is not None:
            size, first, payload = one
            self.held = self.held[size:]
            if first == frames.CLOSE:
                self.close_code = int.from_bytes(payload[:2]) if payload else 1005
            elif first in (frames.TEXT, frames.BINARY):
                found.append(payload)
            elif self._deflates and first in (frames.TEXT | 0x40, frames.BINARY | 0x40):
                found.append(zlib.decompressobj(-15).decompress(payload + b"\x00\x00\xff\xff"))
            else:
                assert first in (frames.PING, frames.PONG), f"a frame {first:#x}"
        return found


def first_frame(data: bytes) -> tuple[int, int, bytes] | None:
    """Size, first byte and payload of the first frame of a server; None: it is not whole."""
    if len(data) < 2:
        return None
    size, at = data[1], 2
    if size >= 126:
        at += 2 if size == 126 else 8
        if len(data) < at:
            return None
        size = int.from_bytes(data[2:at])
    return None if len(data) < at + size else (at + size, data[0], data[at : at + size])


class FuzzedDoor(Fuzzed):
    """A server whose WebSockets are fed.

    Attributes:
        messages: how many were sent.
        closes: how often each code ended a connection.
        codes: how often each error was told.
        forms: how often each subprotocol was spoken.
        deflated: how many connections agreed on compression.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.messages = 0
        self.closes: Counter[int | None] = Counter()
        self.codes: Counter[str] = Counter()
        self.forms: Counter[str] = Counter()
        self.deflated = 0
        self.slowest = 0.0
        self.sent = b""
        self._is_broken = False
        self._inputs = Draws(self._draw)

    def feed(self) -> None:
        """One connection, from its handshake to its end."""
        self.inputs += 1
        self._is_broken = False
        trouble = ""
        begun = time.monotonic()
        try:
            trouble = self._talk() if self._draw.random() < 0.8 else self._single()
        except (AssertionError, TimeoutError) as error:
            trouble = repr(error)
        self.slowest = max(self.slowest, time.monotonic() - begun)
        trouble = self.target.complaints() or trouble
        if trouble:
            self.findings.append(f"{trouble}\n    {self.sent[-3000:]!r}")
            print(f"{self.target.name}: {self.findings[-1]}", flush=True)

    def _talk(self) -> str:
        draw, inputs = self._draw, self._inputs
        form, out, waiting, offer = draw.choice(FORMS), bytearray(), {}, self._offer()
        self.forms[form.name] += 1
        first = form.first
        if draw.random() < 0.95:
            out += inputs.frames(form.right({"t": "hello", "name": "fuzz"}), first=first)
        for _ in range(draw.choice((1, 5, 20, 60))):
            self.messages += 1
            roll = draw.random()
            if roll < 0.5:
                message = inputs.right()
                message["id"] = inputs.id()
                waiting[message["id"]] = message
                out += inputs.frames(form.right(message), first=first)
            elif roll < 0.6:
                out += inputs.frames(form.right(inputs.ack()), first=first)
            elif roll < 0.97:
                out += inputs.frames(form.wrong(inputs, draw), first=first)
            elif roll < 0.985:
                out += frame(draw.choice((0x89, 0x8A)), draw.randbytes(draw.randrange(126)))
            else:
                out += inputs.broken()
                self._is_broken = True
        self.sent = bytes(out)
        talk = Talk(self.target.process.port, "-/connect", PROTOCOL.format(form.name) + offer)
        return self._converse(talk, self.sent, waiting, form)

    def _offer(self) -> str:
        """A header; from now on messages may be compressed, where there is one."""
        self._inputs.deflates = self._draw.random() < 0.5
        self.deflated += self._inputs.deflates
        return OFFER if self._inputs.deflates else ""

    def _single(self) -> str:
        draw, inputs = self._draw, self._inputs
        out, offer = bytearray(), self._offer()
        for _ in range(draw.choice((1, 5, 20))):
            self.messages += 1
            roll = draw.random()
            if roll < 0.9:
                out += inputs.frames(inputs.wrong() if roll < 0.5 else b'{"k":1}', first=draw.choice((1, 1, 2)))
            else:
                out += inputs.broken()
                self._is_broken = True
        talk = Talk(self.target.process.port, draw.choice(PATHS) + draw.choice(QUERIES), offer)
        if talk.status != 101:
            assert talk.status == 400, talk.status
            talk.sock.close()
            return ""
        self.sent = bytes(out)
        return self._converse(talk, self.sent, None, FORMS[0])

    def _converse(self, talk: Talk, out: bytes, waiting: dict[int, Any] | None, form: Form) -> str:
        """Send all, and see how it ends; what went wrong, or nothing."""
        draw = self._draw
        last = self._inputs.id()
        way = draw.choice(("ask", "ask", "ask", "half", "close", "reset", "cut"))
        if way == "ask" and self._is_broken:
            way = "half"  # what is no frame may begin as a longer one does, which is waited for
        if way == "ask" and waiting is not None:
            out += frame(0x80 | form.first, form.right({"t": "ping", "id": last}))
        elif way == "close":
            out += frame(0x88, struct.pack("!H", draw.choice(OURS)))
        elif way == "cut":
            out = out[: draw.randrange(len(out) + 1)]
        with talk.sock:
            places = sorted(draw.randrange(len(out) + 1) for _ in range(draw.choice((0, 0, 1, 5))))
            with contextlib.suppress(OSError):
                for a, b in zip([0, *places], [*places, len(out)], strict=True):
                    talk.sock.sendall(out[a:b])
                if way == "reset":
                    talk.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return ""
                if way != "ask" or waiting is None:
                    talk.sock.shutdown(socket.SHUT_WR)
            return self._until_over(talk, waiting, last if way == "ask" and waiting is not None else None, form)

    def _until_over(self, talk: Talk, waiting: dict[int, Any] | None, last: int | None, form: Form) -> str:
        deadline, seen = time.monotonic() + PATIENCE, False
        while not talk.is_over:
            try:
                payloads = talk.take()
            except TimeoutError:
                raise AssertionError(f"is silent, and does not answer {waiting}; pong {seen}") from None
            for payload in payloads:
                if waiting is None:
                    continue
                told = form.read(payload)
                self._learn(told)
                waiting.pop(told.get("id", -1), None)
                if told["t"] == "err":
                    self.codes[told["code"]] += 1
                    assert told["status"] < 500 or told["status"] in (503, 507), told
                seen = seen or (last is not None and told.get("id") == last)
            if talk.close_code is not None:
                break
            if seen and not waiting:
                return ""
            assert time.monotonic() < deadline, f"goes on, and does not answer {waiting}; pong {seen}"
        self.closes[talk.close_code] += 1
        assert talk.close_code is None or talk.close_code in CLOSES, f"closed with {talk.close_code}"
        assert last is None or talk.close_code is not None, "ended without a word"
        return ""

    def _learn(self, told: dict[str, Any]) -> None:
        if isinstance(offset := told.get("o", told.get("tail")), str) and self._draw.random() < 0.1:
            self._inputs.offsets[2:] = [*self._inputs.offsets[2:][-8:], offset]
        # An error tells back the number that it was sent, which MessagePack may have no word for.
        if isinstance(number := told.get("s"), int) and number not in self._inputs.numbers and abs(number) < 2**63:
            self._inputs.numbers = [*self._inputs.numbers[-8:], number]

    def readers(self) -> int:
        """How many the server has but for the innocent one, once those that were cut are gone."""
        deadline = time.monotonic() + 2 * PATIENCE
        while True:
            found = json.loads(self.target.ask("GET", f"{self.target._inspection}readers?limit=1000").body)["readers"]
            left = [each for each in found if each.get("path") != "innocent"]
            if not left or time.monotonic() > deadline:
                return len(left)
            time.sleep(0.05)


def main() -> None:
    """Feed each server by turns until the time is over, and tell what was found."""
    options = dict(option.lstrip("-").split("=") for option in sys.argv[1:])
    seconds, seed = float(options.get("seconds", "60")), int(options.get("seed", time.time_ns()))
    names = options.get("servers", ",".join(SERVERS)).split(",")
    print(f"seed {seed}", flush=True)
    # What the servers take for JSON they may tell.
    sys.set_int_max_str_digits(0)
    sys.setrecursionlimit(100_000)
    draw = random.Random(seed)
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory() as place:
        fed = []
        for name in names:
            directory = Path(place, name)
            directory.mkdir()
            fed.append(FuzzedDoor(stack.enter_context(serving(name, directory, websockets=True)), draw))
        begun, warm = time.monotonic(), False
        while (now := time.monotonic()) < begun + seconds:
            for one in fed:
                one.feed()
                if one.inputs % 500 == 0:
                    one.rest()
            if not warm and now > begun + seconds / 4:
                warm = True
                for one in fed:
                    one.rest()
                    one.memory, one.descriptors = one.measure()
        results = [tell(one) for one in fed]
        sys.exit(not all(results))


def tell(one: FuzzedDoor) -> bool:
    """What was sent to a server, and what it did; whether that is all right."""
    one.rest()
    left = one.readers()
    memory, descriptors = one.measure()
    innocent = one.innocent
    innocent.stopping.set()
    innocent.join(60)
    print(f"{one.target.name}: {one.inputs} connections, {one.messages} messages, {len(one.findings)} findings")
    print(f"  spoken {dict(one.forms)}, with compression {one.deflated}")
    print(f"  closed {dict(sorted(one.closes.items(), key=str))}\n  told {dict(one.codes.most_common())}")
    print(f"  memory {one.memory} KiB, at the end {memory}; descriptors {one.descriptors}, at the end {descriptors}")
    print(f"  readers left {left}; the slowest connection {one.slowest:.2f} s")
    print(f"  beside it {innocent.written} records, the slowest {innocent.slowest:.2f} s, failure: {innocent.failure}")
    grown = memory > one.memory + GROWTH_KIB or descriptors > one.descriptors + GROWTH_DESCRIPTORS
    return not (one.findings or innocent.failure or grown or left)


if __name__ == "__main__":
    main()
