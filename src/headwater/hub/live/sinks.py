"""Where a live reader's bytes go: a socket, a test's buffer, a library's own transport.

Rule: the engine knows a sink by three things: it takes bytes, it says when it is full and when it has drained, and it
can be ended. A new transport is a sink and an encoder, nothing else.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable


class SinkOwner(Protocol):
    """What a sink tells."""

    def paused(self) -> None:
        """The sink holds its high-water mark or more. May be called from inside `write`."""
        ...

    def resumed(self) -> None:
        """The sink has drained: it holds so little that more may come, how little is its own to say.

        Never called from inside `write`.
        """
        ...

    def hold(self, *, on: bool) -> None:
        """Read no more of the log for this reader until told to go on; the sink will try what it holds soon.

        What its group tells is written to it all the same. Off is never called from inside `write`.
        """
        ...

    def lost(self) -> None:
        """The other side is gone; the sink takes nothing more."""
        ...


class Sink(Protocol):
    """Takes a live reader's bytes.

    Attributes:
        descriptor: of a non-blocking stream socket, to which the engine may write by itself as long as nothing is held;
            it is closed only after the owner was told that the sink is lost. None: there is only `write`.
    """

    descriptor: int | None

    def write(self, data: bytes | memoryview) -> None:
        """Take bytes; never blocks or raises. What is given after `paused` is held too."""
        ...

    def attach(self, owner: SinkOwner) -> None:
        """Tell this owner from now on; called once, before the first `write`."""
        ...

    def held(self) -> int:
        """Bytes that were written and are not sent yet."""
        ...

    def address(self) -> str | None:
        """`HOST:PORT` of the other side; None: it is not known here."""
        ...

    def finish(self) -> None:
        """Send what is held, then end."""
        ...

    def abort(self) -> None:
        """End now, whatever is held."""
        ...


@runtime_checkable
class GivesUp(Protocol):
    """A sink that knows of the machine at the other side."""

    def give_up_after(self, seconds: float) -> None:
        """Count the other side as gone when its machine has not answered for so long to what was sent."""
        ...


class BufferSink:
    """A sink in memory, for tests and for libraries that take bytes out by themselves.

    Args:
        high_water: bytes held at which it says it is full; it has drained when it is empty.

    Attributes:
        ended: None while open, then `finished`, `aborted` or `lost`.
    """

    def __init__(self, high_water: int = 64 * 1024) -> None:
        self.descriptor: int | None = None
        self.ended: str | None = None
        self._high_water = high_water
        self._parts: list[bytes | memoryview] = []
        self._size = 0
        self._full = False
        self._owner: SinkOwner | None = None

    def attach(self, owner: SinkOwner) -> None:
        """See `Sink.attach`."""
        self._owner = owner

    def write(self, data: bytes | memoryview) -> None:
        """See `Sink.write`."""
        self._parts.append(data)
        self._size += len(data)
        if self._size >= self._high_water and not self._full:
            self._full = True
            assert self._owner is not None
            self._owner.paused()

    def held(self) -> int:
        """See `Sink.held`."""
        return self._size

    def address(self) -> str | None:
        """See `Sink.address`."""
        return None

    def take(self) -> bytes:
        """Take everything out; a full sink has drained then."""
        held = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        if self._full and self.ended is None:
            self._full = False
            assert self._owner is not None
            self._owner.resumed()
        return held

    def lose(self) -> None:
        """The other side goes away."""
        if self.ended is None:
            self.ended = "lost"
            assert self._owner is not None
            self._owner.lost()

    def finish(self) -> None:
        """See `Sink.finish`."""
        self.ended = self.ended or "finished"

    def abort(self) -> None:
        """See `Sink.abort`."""
        self.ended = self.ended or "aborted"
