"""Where runs are kept: the streams of each run, and what is known of it beside its log.

Below a prefix, `runs` unless told otherwise:

- `runs/ID`: the run's log, one part a record; closed when the run ends, failed unless it finished.
- `runs-records/ID`: one record, written before the log: who may see it.
- `runs-keys/HASH`: the run of an owner's idempotency key; the last record counts.
- `runs-threads/HASH`: the runs of an owner's conversation, of which the last ones are kept.
- `runs-processes/PROCESS.N`: the runs that a process has started; N counts on when the log gets long.
- `runs-leases/PROCESS`: exists as long as the process lives, by its TTL.

Keys and conversations are hashed together with their owner: nobody can reach another's by knowing its name.
"""

from __future__ import annotations

import re
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

import msgspec

from headwater.errors import BadRequest
from headwater.model import StreamInfo

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.~-]{0,127}")
#: Characters of an owner, a key or a conversation's id.
MAX_NAME: Final = 512

#: How the logs of runs fail; `code` of the stream's failure.
STOPPED: Final = "stopped"
LOST: Final = "lost"
FAILED: Final = "failed"
TIMEOUT: Final = "timeout"


class RunState(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    FINISHED = "finished"  # its source said all it had to say
    FAILED = "failed"  # its source raised, was cut, gave an error, or nothing for too long
    STOPPED = "stopped"  # somebody stopped it
    LOST = "lost"  # the process that ran it is gone


class RunInfo(msgspec.Struct, frozen=True):
    """A run at one moment.

    Attributes:
        id: of the run.
        state: see `RunState`.
        owner: whose it is; None: nobody's in particular.
        thread: the conversation it belongs to.
        message: why it did not finish; empty otherwise.
        created: seconds since the Unix epoch.
        offset: the tail of its log.
    """

    id: str
    state: RunState
    owner: str | None
    thread: str
    message: str
    created: float
    offset: str


class RunRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a run beside its log."""

    owner: str | None = None
    thread: str = ""
    key: str = ""


class Places:
    """The paths of the streams."""

    def __init__(self, prefix: str) -> None:
        self.prefix: Final = prefix

    @property
    def roots(self) -> tuple[str, ...]:
        """All that is below these is theirs."""
        return tuple(f"{self.prefix}{end}" for end in ("", "-records", "-keys", "-threads", "-processes", "-leases"))

    def log(self, run: str) -> str:
        """The log of a run."""
        return f"{self.prefix}/{run}"

    def record(self, run: str) -> str:
        """What is known of it."""
        return f"{self.prefix}-records/{run}"

    def key(self, owner: str | None, key: str) -> str:
        """The run of an idempotency key."""
        return f"{self.prefix}-keys/{_hash(owner, key)}"

    def thread(self, owner: str | None, thread: str) -> str:
        """The runs of a conversation."""
        return f"{self.prefix}-threads/{_hash(owner, thread)}"

    @property
    def processes(self) -> str:
        """What the logs of all processes begin with."""
        return f"{self.prefix}-processes/"

    def lease(self, process: str) -> str:
        """The lease of a process."""
        return f"{self.prefix}-leases/{process}"


def _hash(owner: str | None, name: str) -> str:
    return sha256(msgspec.json.encode([owner, name])).hexdigest()


def state_of(info: StreamInfo) -> RunState:
    """The state of a run, from its log's."""
    if not info.closed:
        return RunState.RUNNING
    if info.failure is None:
        return RunState.FINISHED
    return {STOPPED: RunState.STOPPED, LOST: RunState.LOST}.get(info.failure.code, RunState.FAILED)


def check_id(run: str) -> str:
    """The id, if a run may have it.

    Raises:
        BadRequest: it has other characters, or too many.
    """
    if not _ID.fullmatch(run):
        raise BadRequest("a run's id has 1 to 128 letters, digits and '_.~-', and begins with a letter or digit")
    return run


def check_name(name: str, *, what: str) -> str:
    """An owner, a key or a conversation's id, if it keeps the limits.

    Raises:
        BadRequest: it does not.
    """
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise BadRequest(f"{what} has 1 to {MAX_NAME} printable characters")
    return name


def check_record(run: str, record: RunRecord) -> RunRecord:
    """A run's record, if it and the id keep the limits.

    Raises:
        BadRequest: the id, the owner or the conversation has characters that it may not have.
    """
    check_id(run)
    if record.owner is not None:
        check_name(record.owner, what="an owner")
    if record.thread:
        check_name(record.thread, what="a conversation's id")
    return record


def encode(value: Any) -> bytes:
    """A record of one of the streams."""
    return msgspec.json.encode(value)
