"""HTTP/1.1 answers without I/O: a head, and a body that is chunked, of a known length, or to the connection's end."""

from __future__ import annotations

from typing import Final

from headwater.client.errors import BadAnswer

MAX_HEAD: Final = 65_536
_MAX_SIZE_LINE: Final = 256


class Answer:
    """An answer that comes in pieces.

    Attributes:
        status: 0 until the head is there.
        headers: by lower-case name; of several with one name, the last.
        is_done: the body is complete.
        rest: bytes behind the answer; after one that is chunked it is not known where they begin, and there are none.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.is_done = False
        self.rest = b""
        self._held = b""
        self._chunked = False
        self._left: int | None = None  # of the body, or of the chunk with its line end; None: to the connection's end

    def feed(self, data: bytes) -> bytes:
        """Take bytes, and give those of the body that they complete.

        Raises:
            BadAnswer: this is no HTTP/1.1 answer.
        """
        if not self.status:
            self._held += data
            head, blank, data = self._held.partition(b"\r\n\r\n")
            if not blank:
                if len(self._held) > MAX_HEAD:
                    raise BadAnswer(f"an answer's head is longer than {MAX_HEAD} bytes")
                return b""
            self._held = b""
            self._take_head(head.decode("latin-1"))
        if self.is_done:
            self.rest += data
            return b""
        if self._chunked:
            return self._unchunk(self._held + data if self._held else data)
        if self._left is not None:
            data, self.rest = data[: self._left], data[self._left :]
            self._left -= len(data)
            self.is_done = not self._left
        return data

    def _take_head(self, head: str) -> None:
        first, *lines = head.split("\r\n")
        if not first.startswith("HTTP/1.") or not first[9:12].isdecimal():
            raise BadAnswer(f"this is no HTTP answer: {first[:80]!r}")
        self.status = int(first[9:12])
        for line in lines:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self._chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        if self._chunked:
            self._left = 0
        elif self.status == 204:
            self.is_done = True
        elif "content-length" in self.headers:
            self._left = int(self.headers["content-length"])
            self.is_done = not self._left

    def _unchunk(self, data: bytes) -> bytes:
        assert self._left is not None
        found: list[bytes] = []
        at = 0
        while at < len(data):
            if self._left:
                piece = data[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                found.append(piece if self._left >= 2 else piece[: len(piece) - min(len(piece), 2 - self._left)])
                continue
            end = data.find(b"\r\n", at)
            if end < 0:
                break
            size = self._size(data[at:end])
            at = end + 2
            if not size:
                self.is_done = True  # trailers, if any, are not of interest
                break
            self._left = size + 2
        self._held = data[at:]
        if len(self._held) > _MAX_SIZE_LINE:
            raise BadAnswer("a chunk has no size")
        return found[0] if len(found) == 1 else b"".join(found)

    @staticmethod
    def _size(line: bytes) -> int:
        try:
            return int(line.partition(b";")[0], 16)
        except ValueError:
            raise BadAnswer(f"{line[:20]!r} is no chunk's size") from None
