"""One process a database file, whatever name the file is opened by.

Two locks. One is on the database itself, so that symbolic links, hard links and a removed lock file do not matter: an
open file description lock (fcntl(2), Linux) of one byte that lies far behind those that SQLite locks. The other is
flock(2) on a file beside it, `.lock`: for systems without the first, and for former releases, which have it alone. The
operating system lets go of both when the process ends, however it ends.

Rule 1: the database is never opened and closed while SQLite has it open in this process: closing any descriptor of a
        file drops all POSIX locks of the process on it, SQLite's too (https://sqlite.org/howtocorrupt.html, section
        2.2). So what this process holds is known by device and inode, and looked up before the file is opened.
Rule 2: both descriptors are closed on exec, and closed in a forked child: a lock never outlives who took it.
Rule 3: the `.lock` file stays: removing it would race with the next holder. It says who holds it and, from a successful
        open on, which files the store had; see `custody`.

Not on Windows, where `fcntl` is missing. On other systems than Linux, hard links in another folder and a removed
`.lock` are not noticed.
"""

from __future__ import annotations

import errno
import os
import struct
import time
from collections.abc import Callable
from threading import Lock
from types import TracebackType
from typing import Final, Self

from headwater.errors import StoreUnavailable
from headwater.stores.sqlite.troubles import cannot_open

try:
    import fcntl
except ImportError:  # pragma: no cover
    fcntl = None  # type: ignore[assignment]

#: (device, inode) of a file.
Identity = tuple[int, int]

_OFD_SETLK: Final[int | None] = getattr(fcntl, "F_OFD_SETLK", None)
#: The byte that stands for the whole; SQLite's are at 1 GiB (https://sqlite.org/fileformat2.html#the_lock_byte_page).
_OUR_BYTE: Final = (1 << 62, 1)
#: The bytes that a connection to the database locks for reading as long as it is open.
_SHARED_BYTES: Final = (0x40000002, 510)
_HELD: Final = (errno.EACCES, errno.EAGAIN)
_TRIES: Final = 10
#: Seconds for which a lock whose holder is dead may go on: what it forked lets go a moment later.
_PATIENCE: Final = 1.0
_PAUSE: Final = 0.01

#: What this process holds. Changed under `_guard`.
_held: dict[Identity, FileLock] = {}
_guard = Lock()


class FileLock:
    """Held from enter to exit of the context.

    Args:
        path: the database, without symbolic links; made, empty, if it is missing.
        check: called between the two locks, before anything is made, with what `.lock` says beside the process id;
            may raise.
        forked: called in a child that this process forks while it holds the lock; the lock is not the child's.

    Raises:
        StoreUnavailable: on entering, if another process or this one has the file, or it cannot be opened.
    """

    def __init__(
        self, path: str, *, check: Callable[[str], None] = lambda note: None, forked: Callable[[], None] = lambda: None
    ) -> None:
        self._path = path
        self._side_path = f"{path}.lock"
        self._check = check
        self.forked = forked
        self._side = -1
        self._descriptor = -1
        self._identity: Identity | None = None

    def __enter__(self) -> Self:
        if os.path.isdir(self._path):
            raise cannot_open(self._path, IsADirectoryError(errno.EISDIR, ""))
        try:
            self._side = self._lock_side()
            # The second line; a kill may have left a piece of a former note behind it.
            note = (os.pread(self._side, 256, 0).decode("ascii", "replace") + "\n\n").split("\n")[1]
            self._check(note)
            if fcntl is not None:
                self._lock_database()
            self.note(note)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()

    @property
    def descriptor(self) -> int:
        """Of the database, for looking at it only; not to be closed."""
        return self._descriptor

    def note(self, text: str) -> None:
        """Keep a line in the `.lock` file for the next open, in place of the one before.

        Raises:
            StoreUnavailable: it cannot be written.
        """
        data = f"{os.getpid()}\n{text}\n".encode("ascii", "replace")
        try:
            os.pwrite(self._side, data, 0)
            os.ftruncate(self._side, len(data))
        except OSError as error:
            raise cannot_open(self._side_path, error) from None

    def hold_log(self) -> None:
        """From now on no connection of any process can remove the write-ahead log, as the last one that closes does.

        It would remove what lies at the path, which need not be the log that it wrote.
        """
        if self._descriptor >= 0 and _OFD_SETLK is not None:
            try:
                _set_lock(self._descriptor, fcntl.F_RDLCK, _SHARED_BYTES)
            except OSError as error:
                if error.errno not in (*_HELD, errno.EINVAL):
                    raise cannot_open(self._path, error) from None

    def let_go_of_log(self) -> None:
        """The opposite, before an orderly close."""
        if self._descriptor >= 0 and _OFD_SETLK is not None:
            _set_lock(self._descriptor, fcntl.F_UNLCK, _SHARED_BYTES)

    def _lock_side(self) -> int:
        for _ in range(_TRIES):
            try:
                descriptor = os.open(self._side_path, os.O_RDWR | os.O_CREAT, 0o644)
            except OSError as error:
                raise cannot_open(self._side_path, error) from None
            try:
                if fcntl is not None:
                    self._flock(descriptor)
                if _identity_at(self._side_path) == _identity_of(descriptor):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # it was removed or replaced meanwhile
        raise StoreUnavailable(f"{self._side_path} is removed and made again all the time; one process a database file")

    def _flock(self, descriptor: int) -> None:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in _HELD:
                    raise cannot_open(self._side_path, error) from None
                holder = _holder(descriptor)
                if holder is None or _lives(holder) or time.monotonic() > deadline:
                    raise self._refusal(_name(holder)) from None
                time.sleep(_PAUSE)
            else:
                return

    def _lock_database(self) -> None:
        with _guard:
            known = _identity_at(self._path)
            if known in _held:
                raise self._refusal(_name(os.getpid()))
            try:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            except OSError as error:
                raise cannot_open(self._path, error) from None
            identity = _identity_of(self._descriptor)
            if identity in _held:
                # Changed between the two looks. Left open, for rule 1.
                self._descriptor = -1
                raise self._refusal(_name(os.getpid()))
            self._lock_byte(self._descriptor)
            self._identity = identity
            _held[identity] = self

    def _lock_byte(self, descriptor: int) -> None:
        if _OFD_SETLK is None:  # pragma: no cover
            return
        try:
            _set_lock(descriptor, fcntl.F_WRLCK, _OUR_BYTE)
        except OSError as error:
            if error.errno in _HELD:
                raise self._refusal("another process, under another name or with its .lock file removed") from None
            if error.errno != errno.EINVAL:  # a kernel without such locks has the other one
                raise cannot_open(self._path, error) from None

    def _refusal(self, holder: str) -> StoreUnavailable:
        return StoreUnavailable(f"{self._path} is held by {holder}; one process a database file, whatever its name")

    def _close(self) -> None:
        with _guard:
            if self._identity is not None and _held.get(self._identity) is self:
                del _held[self._identity]
            self._identity = None
            for descriptor in (self._descriptor, self._side):
                if descriptor >= 0:
                    os.close(descriptor)
            self._descriptor = self._side = -1


def _set_lock(descriptor: int, kind: int, where: tuple[int, int]) -> None:
    assert _OFD_SETLK is not None
    fcntl.fcntl(descriptor, _OFD_SETLK, struct.pack("hhqqi0q", kind, os.SEEK_SET, *where, 0))


def _identity_at(path: str) -> Identity | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _identity_of(descriptor: int) -> Identity:
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino


def _holder(descriptor: int) -> int | None:
    first = os.pread(descriptor, 32, 0).decode("ascii", "replace").partition("\n")[0].strip()
    return int(first) if first.isdecimal() else None


def _name(holder: int | None) -> str:
    if holder is None:
        return "another process"
    return f"process {holder}, this one" if holder == os.getpid() else f"process {holder}"


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _let_go_in_child() -> None:
    # Closing leaves the locks with the parent; keeping them open would leave them with the child, once it is alone.
    global _guard
    _guard = Lock()
    locks = list(_held.values())
    _held.clear()
    for lock in locks:
        lock._close()
        lock.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_in_child)
