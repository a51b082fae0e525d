"""What is refused, taken back and given for a moment, for those who look after the server: a line and a figure each.

Rule 1: a line is one object of JSON behind its event, in the logger `headwater.access`. Its fields are these structs',
        and docs/reference/access.md is written from them.
Rule 2: no line has a token, a cookie or a key. Of what a client makes up itself, only the stream's path stands there,
        cut, or its hash.
Rule 3: of what is refused and taken back somebody may have to answer for each, at the level `info`. Tickets are made
        for each connection of a page: a figure says how many, and a line of each is for who looks for a fault, at
        `debug`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

import msgspec

from headwater.errors import HeadwaterError
from headwater.protocol.access.identity import Access
from headwater.protocol.asks import Ask

_log: Final = logging.getLogger("headwater.access")

#: Characters of a path, a subject or a reason in a line.
MAX_TEXT: Final = 256
#: Paths that one line names.
MAX_PATHS: Final = 8
#: Digits of a path's hash.
_HASHED: Final = 16


class Refused(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line `access.refused`.

    Attributes:
        reason: the error's code: `not-authorized`, `token-refused`, `not-granted`, `rate-limited`, `limit-reached`,
            `invalid-path`, `access-unknown`, or what the application's own function raised.
        op: what was asked for, such as `read`; none: it was refused before that was looked at, or while it went on.
        path: the streams that it was about, eight at most, each cut; with `hash_paths` a hash of each.
        subject: who; not there: nobody was proven.
        issuer: whose subject; not there: the application's own.
        proof: how it was proven, or was to be: `authorization`, `message` (of a WebSocket), `ticket`, `cookie`,
            `none`.
        address: of the client, behind a trusted proxy its own; not there: not known.
        detail: why a token is worthless, which is not told to who shows it; or the limit.
    """

    reason: str
    op: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    subject: str | None = None
    issuer: str | None = None
    proof: str = "none"
    address: str | None = None
    detail: str | None = None


class TakenBack(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line `access.revoked` or `access.kicked`.

    Attributes:
        subject: who; not there: only one token is meant.
        issuer: whose subject or token it is; not there: the application's own.
        token_id: of the token (`jti`).
        before: tokens made until then are worthless, in seconds since the Unix epoch.
        retry_after: seconds after which who was kicked is to come back.
        ended: readers and connections that end with it, in this process.
    """

    subject: str | None = None
    issuer: str | None = None
    token_id: str | None = None
    before: float | None = None
    retry_after: float | None = None
    ended: int = 0


class TicketMade(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line `access.ticket`, at the level `debug`.

    Attributes:
        subject: whose it is; not there: nobody's in particular.
        issuer: whose subject; not there: the application's own.
        op: what may be done with it.
        path: the patterns for which it is good, eight at most, each cut; with `hash_paths` a hash of each.
        origin: of the pages that may present it.
        seconds: in which it must be presented.
    """

    subject: str | None = None
    issuer: str | None = None
    op: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    origin: str = ""
    seconds: float = 0.0


class Refusals:
    """Writes them down.

    Args:
        counted: of `Stats`, by the reason.

    Attributes:
        hash_paths: a line has hashes in place of paths.
    """

    def __init__(self, counted: Counter[str]) -> None:
        self.hash_paths = False
        self._counted: Final = counted

    def note(
        self,
        error: HeadwaterError,
        asks: Iterable[Ask] = (),
        proof: str = "none",
        client: tuple[str, int] | None = None,
    ) -> None:
        """Something is refused.

        Args:
            error: why; its `principal` is who, and its `because` what is not told.
            asks: what it was about.
            proof: how it was proven; see `Refused`.
            client: host and port of the other end.
        """
        self._counted[error.code] += 1
        if not _log.isEnabledFor(logging.INFO):
            return
        asked = tuple(asks)
        paths = list(dict.fromkeys(ask.path for ask in asked))[:MAX_PATHS]
        who = error.principal
        line = Refused(
            reason=error.code,
            op=tuple(dict.fromkeys(str(ask.operation) for ask in asked)),
            path=tuple(map(self._path, paths)),
            subject=None if who is None else _cut(who.subject),
            issuer=None if who is None else _cut(who.issuer),
            proof=proof,
            address=None if client is None else client[0],
            detail=_cut(error.because or (error.message if error.status == 429 else None)),
        )
        _write("access.refused", line)

    def taken_back(self, event: str, line: TakenBack) -> None:
        """Something is taken back: `access.revoked` or `access.kicked`."""
        _write(event, line)

    def ticket_made(self, access: Access, origin: str, seconds: float) -> None:
        """A ticket is made.

        Args:
            access: what it is worth.
            origin: see `TicketMade`, and so is the other.
            seconds: see there.
        """
        if not _log.isEnabledFor(logging.DEBUG):
            return
        granted = access.grants.kept()
        paths = list(dict.fromkeys(pattern for patterns in granted.values() for pattern in patterns))[:MAX_PATHS]
        line = TicketMade(
            subject=_cut(access.subject),
            issuer=_cut(access.issuer),
            op=tuple(granted),
            path=tuple(map(self._path, paths)),
            origin=origin[:MAX_TEXT],
            seconds=seconds,
        )
        _write("access.ticket", line, logging.DEBUG)

    def _path(self, path: str) -> str:
        if self.hash_paths:
            return sha256(path.encode("utf-8", "surrogatepass")).hexdigest()[:_HASHED]
        return path[:MAX_TEXT]


def _cut(text: str | None) -> str | None:
    return text[:MAX_TEXT] if text else None


def _write(event: str, line: msgspec.Struct, level: int = logging.INFO) -> None:
    # JSON escapes what would break a line.
    _log.log(level, "%s %s", event, msgspec.json.encode(line).decode())
