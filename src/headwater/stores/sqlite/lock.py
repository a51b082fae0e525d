"""One process a file: an advisory lock beside the database, with the holder's process id in it.

The operating system lets go of it when the process ends, however it ends. Not on Windows, where `fcntl` is missing:
there, two servers on one file are the operator's mistake to avoid.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self

from headwater.errors import StoreUnavailable

try:
    import fcntl
except ImportError:  # pragma: no cover
    fcntl = None  # type: ignore[assignment]


class FileLock:
    """Held from enter to exit of the context. The file stays: removing it would race with the next holder.

    Args:
        path: the lock file, made if it is missing.

    Raises:
        StoreUnavailable: on entering, if another process holds it, or the file cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> Self:
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StoreUnavailable(f"cannot open {self._path}: {error.strerror}") from None
        if fcntl is not None:
            self._acquire()
        return self

    def _acquire(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            self._close()
            raise StoreUnavailable(f"{self._path} is held by process {holder}; one process a database file") from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        os.close(self._descriptor)
        self._descriptor = -1
