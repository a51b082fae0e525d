"""What a stranger may send on a WebSocket: messages that are right, nearly right and wrong, in frames of all kinds."""

from __future__ import annotations

import base64
import json
import random
import struct
import zlib
from typing import Any

PATHS = [f"f/{number}" for number in range(12)]
PATTERNS = ["f/*", "f/**", "g/*", "*/1", "f/*/x", "f/1*"]
ODD: list[Any] = [
    0, -1, 1, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, 10**30, -(2**63), 1.5, 1e308, True, None, "", "a", "\0", "é" * 40,
    "x" * 5000, "../..", "f//0", "/f/0", "-/connect", "f/0/-/signal", "*", "f/*/**", "now", "-1", "0_0", "\u202e", "\\",
    "0000000000000000_0000000000000000", "ffffffffffffffff_ffffffffffffffff", "9999999999999999_9999999999999999",
    [], [1], [[]], {}, {"t": "hello"}, {"ttl": 1}, ["p", 0, 0], ["p", 2**70, -1], [1, "p", 0], "latest", "conflate:a",
    "disconnect", "replay", "conflate:", "wait", "text/plain", "application/json", "application/octet-stream", "a/b/c",
    "count=10", "size=100", "2026-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "AAAA", "!!!!", "A",
]  # fmt: skip
FIELDS = (
    "id", "path", "from", "last", "last_bytes", "window", "slow", "missing", "envelope", "signals", "presence", "s",
    "o", "r", "b", "type", "p", "seq", "close", "create", "match", "code", "message", "ttl", "expires_at", "retention",
    "closed", "exclusive", "bytes", "before", "data", "to", "topic", "keep", "token", "name", "unknown", "t",
    "member", "key", "state", "connection",
)  # fmt: skip
TYPES = ("application/json", "text/plain", "application/octet-stream")
#: JSON that no object of Python gives, and bytes that are none.
RAW = (
    b"", b"{", b"null", b"[]", b"1", b'"t"', b"{}" * 2, b'{"t":"ping"', b'{"t":"ping","t":"hello"}', b"\xff\xfe",
    b'{"t":"\xc3\x28"}', b'{"t":"ping","id":NaN}', b'{"t":"ping","id":1e999}', b'{"t":"append","id":1,"r":[}',
    b"[" * 3000, b'{"t":"append","id":7,"path":"f/0","r":[' + b"[" * 1500 + b"]" * 1500 + b"]}",
    b'{"t":"append","id":8,"path":"f/0","r":[\xed\xa0\x80]}', b'{"t":"append","id":9,"path":"f/0","r":["\\ud800"]}',
    b"\xef\xbb\xbf{}",
    b'{"t":"signal","path":"f/0","data":' + b'"' + b"x" * 5000 + b'"}', b'{"t":' + b"1" * 5000 + b"}",
)  # fmt: skip
#: What `Draws.right` draws: ends are rarer than beginnings.
_WEIGHTS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 10, 11, 13, 13, 14, 15, 16, 16) * 3 + (9, 12)


class Draws:
    """Draws them.

    Args:
        draw: from which all comes.
    """

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._next = 100
        #: Offsets and numbers that a server has told, so that some messages are about what is there.
        self.offsets: list[str] = ["-1", "now"]
        self.numbers: list[int] = [1]
        #: Messages may be compressed, and what is no compression may come.
        self.deflates = False

    def id(self) -> int:
        """One that no message has had."""
        self._next += 1
        return self._next

    def right(self) -> dict[str, Any]:
        """A message that is right by itself; whether it can be done is another matter."""
        draw = self._draw
        path = draw.choice(PATHS)
        match draw.choice(_WEIGHTS):
            case 0 | 1 | 2:
                found: dict[str, Any] = {"t": "sub", "path": path if draw.random() < 0.8 else draw.choice(PATTERNS)}
                found |= self._some(
                    ("from", draw.choice(self.offsets)),
                    ("window", draw.choice((0, 1, 64, 4096, 16 << 20))),
                    ("slow", draw.choice(("replay", "latest", "conflate:k", "disconnect"))),
                    ("missing", "wait"),
                    ("envelope", True),
                    ("signals", True),
                    ("presence", True),
                )
            case 3:
                found = {"t": "unsub", **self._where(path)}
            case 4 | 5 | 6 | 7:
                found = {"t": "append", **self._where(path), **self._body()}
                found |= self._some(
                    ("p", [draw.choice("pq"), 0, draw.randrange(4)]),
                    ("seq", str(draw.randrange(9))),
                    ("close", True),
                    ("create", draw.choice((True, {"retention": "count=20"}, {"ttl": 60}))),
                    ("match", draw.choice(self.offsets)),
                    ("type", draw.choice(TYPES)),
                    odds=0.15,
                )
            case 8:
                found = {"t": "create", "path": path, "type": draw.choice(TYPES)}
                found |= self._some(
                    ("retention", draw.choice(("count=5", "size=200"))),
                    ("slow", "latest"),
                    ("exclusive", True),
                    ("ttl", draw.choice((1, 60))),
                    ("closed", True),
                    odds=0.2,
                )
            case 9:
                found = {"t": draw.choice(("close", "fail")), **self._where(path)}
                if found["t"] == "fail":
                    found |= {"code": "broken", "message": "x" * draw.randrange(300)}
            case 10:
                found = {"t": "head", **self._where(path)}
            case 11:
                found = {"t": "read", **self._where(path)}
                found |= self._some(
                    ("from", draw.choice(self.offsets)), ("bytes", draw.choice((1, 100, 65536))), ("envelope", True)
                )
            case 12:
                found = {"t": "delete", **self._where(path)}
            case 13:
                found = {"t": "signal", **self._where(path), "from": "me", "data": {"x": "y" * draw.randrange(50)}}
                found |= self._some(("topic", "t"), ("keep", draw.randrange(3)), ("to", "me"))
            case 14:
                found = {"t": "auth", "token": "x"}
            case 16:
                found = {"t": "here", **self._where(path), "member": draw.choice(("me", "you"))}
                found |= self._some(
                    ("key", "0." + draw.choice("ab") * 22), ("state", draw.choice((None, {"x": 1}, "y" * 2000)))
                )
            case _:
                found = {"t": "ping"}
        return found

    def _where(self, path: str) -> dict[str, Any]:
        return {"s": self._draw.choice(self.numbers)} if self._draw.random() < 0.3 else {"path": path}

    def _body(self) -> dict[str, Any]:
        draw = self._draw
        if draw.random() < 0.7:
            return {
                "r": [draw.choice(({"k": draw.randrange(3)}, 1, "x" * draw.randrange(2000), None))]
                * draw.choice((1, 1, 3))
            }
        return {"b": [base64.b64encode(draw.randbytes(draw.randrange(1, 300))).decode()] * draw.choice((1, 1, 1, 2))}

    def _some(self, *pairs: tuple[str, Any], odds: float = 0.3) -> dict[str, Any]:
        return {name: value for name, value in pairs if self._draw.random() < odds}

    def ack(self) -> dict[str, Any]:
        """Of what was told, or of what was not."""
        offset = self._draw.choice((*self.offsets, *(each for each in ODD if isinstance(each, str))))
        return {"t": "ack", "s": self._draw.choice((*self.numbers, 0, -1, 99999)), "o": offset}

    def wrong(self) -> bytes:
        """A message of which something is wrong, or nothing is right."""
        draw = self._draw
        if draw.random() < 0.2:
            return draw.choice(RAW)
        data = json.dumps(self.wrong_message()).encode()
        if draw.random() < 0.2:
            at = draw.randrange(len(data))
            new = draw.choice((draw.randbytes(draw.randrange(3)).hex().encode(), b"", b'"', b"\\", b"\xff"))
            data = data[:at] + new + data[at + draw.randrange(3) :]
        return data

    def wrong_message(self) -> dict[str, Any]:
        """One with fields that are missing, odd, or another's."""
        draw = self._draw
        message: dict[str, Any] = self.right() if draw.random() < 0.8 else {"t": "hello"}
        message["id"] = draw.choice((1, 2, 3, self.id()))
        for _ in range(draw.choice((1, 1, 2, 3))):
            if draw.random() < 0.2 and message:
                message.pop(draw.choice(list(message)))
            else:
                name = draw.choice(FIELDS if draw.random() < 0.3 else list(message) or FIELDS)
                message[name] = draw.choice(ODD)
        return message

    def frames(self, data: bytes, *, first: int = 0x1) -> bytes:
        """A message in one frame or in several, with control frames between."""
        draw = self._draw
        if self.deflates and draw.random() < 0.5:
            data, first = deflated(data, draw.choice((9, 15))), first | 0x40
        if draw.random() < 0.8:
            return frame(0x80 | first, data)
        cuts = sorted(draw.randrange(len(data) + 1) for _ in range(draw.choice((1, 2, 5, 60))))
        pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        out = bytearray()
        for number, piece in enumerate(pieces):
            out += frame((first if not number else 0) | (0x80 if number == len(pieces) - 1 else 0), piece)
            if draw.random() < 0.1:
                out += frame(draw.choice((0x89, 0x8A)), draw.randbytes(draw.randrange(126)))
        return bytes(out)

    def broken(self) -> bytes:
        """Frames that RFC 6455 forbids, each of which ends the connection."""
        draw = self._draw
        text = b'{"t":"ping"}'
        if self.deflates and draw.random() < 0.5:
            return self._not_deflate()
        return draw.choice(
            (
                frame(0x81, text, masked=False),
                frame(0x80, text),
                frame(0x83, text),
                frame(0x8B, b""),
                frame(0x89, b"x" * 126),
                frame(0x09, b"x"),
                frame(0x08, b""),
                frame(0xC1, text),
                frame(0xA1, text),
                frame(0x91, text),
                frame(0x88, b"\x03"),
                frame(0x88, struct.pack("!H", draw.choice((0, 999, 1005, 1006, 1015, 65535)))),
                frame(0x88, struct.pack("!H", 1000) + b"\xff\xfe"),
                frame(0x81, b"\xff\xfe"),
                frame(0x81, b"\xed\xa0\x80"),
                frame(0x01, b"a") + frame(0x81, b"b"),
                frame(0x01, b"\xc3") + frame(0x80, b"("),
                struct.pack("!BBQ", 0x81, 0xFF, 1 << 40) + b"abcd",
                struct.pack("!BBQ", 0x81, 0xFF, (1 << 63) + 1) + b"abcd",
                frame(0x82, text),
                b"GET / HTTP/1.1\r\n\r\n",
                draw.randbytes(draw.randrange(1, 200)),
                b"\x16\x03\x01\x02\x00",
            )
        )

    def _not_deflate(self) -> bytes:
        """Compressed messages that are none, or too large."""
        draw = self._draw
        whole = deflated(b'{"t":"ping"}' * 100)
        at = draw.randrange(len(whole))
        return draw.choice(
            (
                frame(0xC1, b"\xff\xff\xff"),
                frame(0xC1, whole[:at] + b"\xff\xff\xff\xff" + draw.randbytes(8)),
                frame(0x41, whole[:at]) + frame(0xC0, whole[at:]),
                frame(0xE1, whole),
                frame(0xC9, b""),
                frame(0xC2, BOMB),
                frame(0x42, BOMB[:10]) + frame(0x80, BOMB[10:]),
                frame(0xC1, deflated(b"\xff\xfe" * 50)),
            )
        )


def deflated(data: bytes, window: int = 15) -> bytes:
    """A message as permessage-deflate has it."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -window)
    return (deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")


#: Larger than a message may be: 17 MiB in some kilobytes.
BOMB = deflated(bytes(17 << 20))


def frame(first: int, data: bytes, *, masked: bool = True, key: bytes = b"\x11\x22\x33\x44") -> bytes:
    """One frame of a client; `first` is its first byte."""
    size, bit = len(data), 0x80 if masked else 0
    if size < 126:
        head = bytes((first, bit | size))
    elif size < 65536:
        head = struct.pack("!BBH", first, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size)
    if not masked:
        return head + data
    whole = int.from_bytes(data) ^ int.from_bytes((key * (size // 4 + 1))[:size]) if size else 0
    return head + key + whole.to_bytes(size)
