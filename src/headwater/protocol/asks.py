"""What a command asks for: which operations on which streams somebody must be allowed before it is carried out.

Rule: every path that a command names is in its asks, so that whoever grants them sees all that is touched. Only a
      preflight, which touches no stream, asks for nothing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

import msgspec

from headwater.model import StreamConfig
from headwater.protocol.commands import (
    Attend,
    Command,
    Create,
    Delete,
    Describe,
    Inspect,
    ListMembers,
    Preflight,
    Read,
    SendSignal,
    Undecided,
    Write,
)


class Operation(StrEnum):
    """What may be allowed on a stream.

    `READ` is GET and HEAD, every live read, and the source of a fork. `APPEND` is a body, `CLOSE` an end, complete or
    failed. `CREATE` is a stream or a fork, first content and closure with it. `SIGNAL` is to send a signal; who reads
    a stream may read its signals. `PRESENCE` is to be told who is there, and to be there oneself. `LIST` is to be
    told which streams, readers and keys there are. `REVOKE` is to take back what others may do, everywhere; it is for
    servers.
    """

    READ = "read"
    APPEND = "append"
    CLOSE = "close"
    CREATE = "create"
    DELETE = "delete"
    SIGNAL = "signal"
    PRESENCE = "presence"
    LIST = "list"
    REVOKE = "revoke"


class Ask(msgspec.Struct, frozen=True, gc=False):
    """One operation on one stream."""

    operation: Operation
    path: str


def asks_of(command: Command | Undecided, *, has_body: bool = True) -> tuple[Ask, ...]:
    """All that a command asks for; each must be allowed.

    An append that may create its stream asks for that too, whether the stream is there or not: else the answer would
    tell which streams there are.

    Args:
        command: of the head alone.
        has_body: a body is announced, or nobody can tell; counts for POST. What `http1.may_have_body` says holds for
            HTTP/1 only: in HTTP/2 a body needs no announcement. Without a body a close asks only to close; so who says
            False must not let a body follow.
    """
    match command:
        case Read(presence=True) | Undecided(presence=True):
            return (Ask(Operation.READ, command.path), Ask(Operation.PRESENCE, command.path))
        case Attend() | ListMembers():
            return (Ask(Operation.PRESENCE, command.path),)
        case Read() | Inspect() | Describe() | Undecided():
            return (Ask(Operation.READ, command.path),)
        case Write():
            return _of_write(command, has_body=has_body)
        case Create():
            return _of_create(command.path, command.config)
        case Delete():
            return (Ask(Operation.DELETE, command.path),)
        case SendSignal():
            return (Ask(Operation.SIGNAL, command.path),)
        case Preflight():
            return ()
    assert_never(command)


def _of_write(command: Write, *, has_body: bool) -> tuple[Ask, ...]:
    """One that neither has a body nor closes is refused later; until then it is an append."""
    ends = command.close or command.failure is not None
    asks: tuple[Ask, ...] = ()
    if has_body or not ends:
        asks += (Ask(Operation.APPEND, command.path),)
    if ends:
        asks += (Ask(Operation.CLOSE, command.path),)
    if command.create is not None:
        asks += _of_create(command.path, command.create)
    return asks


def _of_create(path: str, config: StreamConfig) -> tuple[Ask, ...]:
    create = Ask(Operation.CREATE, path)
    return (create,) if config.fork is None else (create, Ask(Operation.READ, config.fork.source))
