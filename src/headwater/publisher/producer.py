"""Producer ids and numbers: what makes a record that is sent twice be written once (protocol section 5.2.1).

Rule 1: a process has one id, which no other process has at the same time, and gives it back at its end, also when it is
        killed. The next process takes it over with a larger epoch: so a stream learns few producers, however many
        processes come and go.
Rule 2: of a stream, records are numbered from 0 within an epoch. Where it is not known what was written, the next
        record begins a new epoch.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import tempfile
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # pragma: no cover  # Windows
    fcntl = None  # type: ignore[assignment]

#: Streams whose numbers are remembered; one that is forgotten begins a new epoch.
MAX_STREAMS: Final = 10_000
_SLOTS: Final = 10_000
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")


class Identity:
    """The producer id of one process.

    Args:
        name: of the application; processes with the same one share a pool of ids on this machine.
        directory: where the pool is; None: a folder for temporary files.

    Attributes:
        id: the producer id.
    """

    def __init__(self, name: str, directory: Path | None = None) -> None:
        base = _NO_NAME.sub("-", f"{name}-{socket.gethostname()}")[:200]
        folder = directory or Path(tempfile.gettempdir()) / f"headwater-publisher-{_user()}"
        self._lock: int | None = None  # a descriptor, open for as long as the id is this process's
        self.id = self._take(base, folder)

    def _take(self, base: str, folder: Path) -> str:
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)
            for slot in range(_SLOTS if fcntl else 0):
                lock = os.open(folder / f"{base}.{slot}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    os.close(lock)
                    continue
                self._lock = lock
                return f"{base}-{slot}"
        return f"{base}-{os.getpid()}-{os.urandom(4).hex()}"  # nowhere to share a pool

    def release(self) -> None:
        """Give it back; another process may have it now."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def forget(self) -> None:
        """In a forked child: it is the parent's. Closing does not unlock: the parent has the same open file."""
        self.release()


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "user"


class Numbering:
    """The next numbers, by stream.

    Args:
        clock: seconds since the Unix epoch; epochs are made of it, so that they grow over restarts.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._next: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._last_epoch = 0

    def peek(self, path: str) -> tuple[int, int]:
        """Epoch and number of the next record of a stream; the same until `advance` or `restart`."""
        found = self._next.get(path)
        if found is None:
            found = self._next[path] = (self._new_epoch(), 0)
            if len(self._next) > MAX_STREAMS:
                self._next.popitem(last=False)
        self._next.move_to_end(path)
        return found

    def advance(self, path: str) -> None:
        """The record with the next number was written."""
        epoch, seq = self._next[path]
        self._next[path] = (epoch, seq + 1)

    def restart(self, path: str, above: int = 0) -> None:
        """Begin a new epoch.

        Args:
            path: the stream.
            above: an epoch that the server knows.
        """
        self._last_epoch = max(self._last_epoch, above)
        self._next[path] = (self._new_epoch(), 0)

    def _new_epoch(self) -> int:
        self._last_epoch = max(int(self._clock() * 1000), self._last_epoch + 1)
        return self._last_epoch
