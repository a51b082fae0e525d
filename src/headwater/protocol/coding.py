"""Content codings of live answers, coded once for all readers of a group (RFC 9110 section 8.4.1).

Rule 1: what a group sends is one piece, made once, and the same bytes for every reader. So a piece refers to nothing
        but earlier pieces of its group that every reader has: whenever a reader joins, the next one stands alone.
Rule 2: a piece can be decoded up to its last byte when it has arrived, and ends on a byte's edge.
Rule 3: what a reader is sent for itself, before it joins and after it leaves, are pieces that stand alone too.
Rule 4: the memory for back references belongs to a pool with a limit, and may be taken away between any two pieces;
        the next one then stands alone.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final, Generic, Protocol, TypeVar

C = TypeVar("C")

#: Bytes from which a piece always stands alone: what was before it would save little, and the event loop waits for it.
LARGE: Final = 64 * 1024
#: Bytes of pieces that a coding keeps for the next reader; see `Recent`.
RECENT_BYTES: Final = 1024 * 1024


class Common(Protocol):
    """What all readers of a group are sent."""

    def restart(self) -> None:
        """The next piece stands alone: somebody joined."""
        ...

    def piece(self, data: bytes) -> bytes:
        """Bytes, coded for everybody."""
        ...

    def aside(self, data: bytes) -> bytes:
        """Bytes, coded for whoever of them is given it, such as a heartbeat; those call `Body.heard`."""
        ...


class Body(Protocol):
    """What one reader is sent, from the first byte of the answer's body to the last."""

    def begin(self, data: bytes) -> bytes:
        """What the body begins with, and data behind it; both may be empty."""
        ...

    def own(self, data: bytes) -> bytes:
        """A piece for this reader alone; not while it has joined."""
        ...

    def join(self, common: Common) -> None:
        """From now on the reader is sent the group's pieces."""
        ...

    def heard(self, data: bytes) -> None:
        """The reader was given what the group said aside."""
        ...

    def leave(self) -> None:
        """The reader has had the group's last piece; without effect when it has not joined."""
        ...

    def end(self) -> bytes:
        """What the body ends with; may be empty. The reader leaves by it."""
        ...


class Coding(Hashable, Protocol):
    """A content coding for live answers.

    Attributes:
        token: its name in `Content-Encoding`; empty: none.
    """

    token: str

    def body(self) -> Body:
        """For a new reader."""
        ...

    def common(self) -> Common:
        """For a new group."""
        ...


class _Uncoded:
    """The bytes as they are, for readers and groups alike: there is nothing to remember."""

    token = ""

    def body(self) -> Body:
        return self

    def common(self) -> Common:
        return self

    def restart(self) -> None: ...

    def piece(self, data: bytes) -> bytes:
        return data

    def aside(self, data: bytes) -> bytes:
        return data

    def begin(self, data: bytes) -> bytes:
        return data

    def own(self, data: bytes) -> bytes:
        return data

    def join(self, common: Common) -> None: ...

    def heard(self, data: bytes) -> None: ...

    def leave(self) -> None: ...

    def end(self) -> bytes:
        return b""


#: No coding.
IDENTITY: Final[Coding] = _Uncoded()


class Pool(Generic[C]):
    """Contexts of a compressor for the groups that were sent to last.

    Args:
        make: makes a context.
        size: how many there are at most; at least 1.
    """

    def __init__(self, make: Callable[[], C], size: int) -> None:
        self._make = make
        self._size = size
        self._held: dict[object, C] = {}

    def take(self, owner: object) -> tuple[C, bool]:
        """A context for a group's next piece.

        Args:
            owner: who asks.

        Returns:
            The context, and whether it is as the same owner left it; otherwise it may hold another group's data.
        """
        context = self._held.pop(owner, None)
        known = context is not None
        if context is None:
            oldest = next(iter(self._held)) if len(self._held) >= self._size else None
            context = self._make() if oldest is None else self._held.pop(oldest)
        self._held[owner] = context
        return context, known

    def __len__(self) -> int:
        return len(self._held)


class Recent:
    """The last pieces that stood alone, as they were coded: readers that come to one offset are sent the same ones.

    Args:
        code: codes a piece; what it gives depends on nothing else.
        max_bytes: of pieces that are kept, before and after.

    Attributes:
        size: of what is kept.
    """

    def __init__(self, code: Callable[[bytes], bytes], max_bytes: int = RECENT_BYTES) -> None:
        self._code = code
        self._max_bytes = max_bytes
        self._kept: dict[bytes, bytes] = {}
        self.size = 0

    def get(self, data: bytes) -> bytes:
        """A piece, coded."""
        coded = self._kept.get(data)
        if coded is not None:
            return coded
        coded = self._code(data)
        if len(data) + len(coded) <= self._max_bytes // 4:
            self._kept[data] = coded
            self.size += len(data) + len(coded)
            while self.size > self._max_bytes:
                oldest = next(iter(self._kept))
                self.size -= len(oldest) + len(self._kept.pop(oldest))
        return coded
