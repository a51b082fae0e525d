"""Of all that have one file open, one sends: who holds the lock of the file beside it.

Rule: the system lets go of the lock when its process ends, however it ends; so nobody waits for a dead one.
"""

from __future__ import annotations

import os
from contextlib import suppress


class Turn:
    """A turn to send.

    Args:
        path: of the file that is locked, and made if it is not there.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> bool:
        """Whether it is this one's turn, from now on until `leave`."""
        import fcntl

        if self._file is not None:
            return True
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return False
        self._file = file
        return True

    def leave(self) -> None:
        """Let the next one send."""
        if self._file is not None:
            file, self._file = self._file, None
            with suppress(OSError):
                os.close(file)
