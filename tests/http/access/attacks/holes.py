"""Deliberate holes: what somebody could break in access, each as a change of the program that is made for one test."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Final

import httpx2
import pytest

from headwater.errors import TokenRefused
from headwater.http.access import failures, guard, jwks, tokens
from headwater.http.access.failures import Failures
from headwater.http.access.guard import Guard
from headwater.http.access.tokens import Tokens
from headwater.http.permission import Permission
from headwater.http.websocket import session, single
from headwater.http.websocket.rights import Rights
from headwater.hub import outflow
from headwater.hub.access import principals, revocations
from headwater.hub.access.calls import AccessCalls
from headwater.hub.access.end import CHANGED, AccessEnd
from headwater.hub.access.live_proofs import LiveProof
from headwater.hub.access.principals import Principals
from headwater.hub.access.proven import Proven
from headwater.hub.access.revoked_log import RevokedLog
from headwater.hub.access.tickets import Tickets
from headwater.hub.live.connection import Connection
from headwater.hub.live.many.asked import Asked
from headwater.protocol.access import claims, grants, patterns
from headwater.protocol.access.grants import Grants
from headwater.protocol.access.identity import ANYBODY
from headwater.protocol.asks import Operation, asks_of
from headwater.protocol.commands import Inspect
from headwater.protocol.ledger import Append
from headwater.protocol.paths import PrivatePaths
from headwater.protocol.presence import claim, requests

Patch = pytest.MonkeyPatch
#: Makes a hole, which is undone behind its test.
Hole = Callable[[Patch], None]

HOLES: Final[dict[str, Hole]] = {}


def hole(make: Hole) -> Hole:
    """Note one, by its first line."""
    HOLES[(make.__doc__ or "").strip().rstrip(".").lower()] = make
    return make


def nothing(*_: object, **__: object) -> None:
    """Does nothing."""


# Who is not asked.


@hole
def _(patch: Patch) -> None:
    """HTTP does not ask."""
    patch.setattr(Permission, "then", lambda self, exchange, asks, go: go(ANYBODY))


@hole
def _(patch: Patch) -> None:
    """A message of a WebSocket does not ask."""
    patch.setattr(Rights, "of", lambda self, asks, **_: ANYBODY)


@hole
def _(patch: Patch) -> None:
    """A stream's own WebSocket appends for who may read."""

    def ask(self: Any, data: bytes) -> None:
        self.requests.began(None, len(data))
        self._post(Append(data, None, None), len(data), ANYBODY)

    patch.setattr(single.Single, "_ask", ask)


@hole
def _(patch: Patch) -> None:
    """HEAD asks for nothing."""

    def asked(command: Any, **more: Any) -> Any:
        return () if isinstance(command, Inspect) else asks_of(command, **more)

    patch.setattr("headwater.http.streams.asks_of", asked)


@hole
def _(patch: Patch) -> None:
    """-/many asks for the first stream only."""
    granted: dict[Any, Any] = {}
    real = Permission.more

    def more(self: Permission, access: Any, exchange: Any, asks: Any) -> Any:
        if exchange not in granted:
            granted[exchange] = real(self, access, exchange, asks)
        return granted[exchange]

    patch.setattr(Permission, "more", more)


@hole
def _(patch: Patch) -> None:
    """A pattern is asked about when it is opened, and not for each stream."""

    async def access(self: Asked, path: str) -> Any:
        return self.who

    patch.setattr(Asked, "access", access)


@hole
def _(patch: Patch) -> None:
    """Of a fork the source is not asked about."""
    patch.setattr("headwater.http.streams.asks_of", lambda command, **more: asks_of(command, **more)[:1])


# What is remembered or looked at too late.


@hole
def _(patch: Patch) -> None:
    """A decision is remembered."""
    known: dict[Any, Any] = {}
    real = Guard.decide

    def decided(self: Guard, asks: Any, access: Any) -> Any:
        key = (asks, getattr(access, "key", None))
        if key not in known:
            known[key] = real(self, asks, access)
        return known[key]

    patch.setattr(Guard, "decide", decided)
    patch.setattr(Principals, "check", nothing)


@hole
def _(patch: Patch) -> None:
    """The store is asked before it is decided."""
    real = Permission.then

    async def looked(self: Permission, exchange: Any, asks: Any, go: Any) -> None:
        for ask in asks[:1]:
            if ask.operation is Operation.READ:
                await HUB[0].info(ask.path)
        work = real(self, exchange, asks, go)
        if work is not None:
            await work

    made = Permission.__init__

    def init(self: Permission, authorize: Any, hub: Any, pages: Any) -> None:
        HUB[:] = [hub]
        made(self, authorize, hub, pages)

    patch.setattr(Permission, "__init__", init)
    patch.setattr(Permission, "then", looked)


HUB: list[Any] = []


@hole
def _(patch: Patch) -> None:
    """A body is not decided about when it is whole."""
    patch.setattr(Permission, "check", nothing)


@hole
def _(patch: Patch) -> None:
    """Keys that are gone still verify what was verified before."""

    def changed(self: Tokens) -> None:
        self.changed()

    patch.setattr(Tokens, "_changed", changed)


# Patterns.


@hole
def _(patch: Patch) -> None:
    """A pattern is a prefix."""

    def allows(self: Grants, operation: Operation, path: str) -> bool:
        return any(path.startswith(text.removesuffix("**")) for text in self.texts.get(operation, ()))

    patch.setattr(Grants, "allows", allows)


@hole
def _(patch: Patch) -> None:
    """An asterisk is several segments."""
    patch.setattr(grants, "is_rest", lambda segment: segment in ("*", "**"))


@hole
def _(patch: Patch) -> None:
    """What a claim says is read as a pattern."""

    def filled(template: Any, fill: Callable[[str], str]) -> Any:
        parts = [fill(part) if isinstance(part, patterns.Claim) else part for part in template]
        return patterns.parse_template("/".join(parts))

    patch.setattr(grants, "fill_in", filled)


@hole
def _(patch: Patch) -> None:
    """A grant that is wrong is left out, and the others hold."""
    real = claims._grants

    def most(given: Any, issuer: Any) -> Any:
        try:
            return real(given, issuer)
        except claims.InvalidToken:
            return Grants({Operation.READ: ["a"]})

    patch.setattr(claims, "_grants", most)


@hole
def _(patch: Patch) -> None:
    """An issuer has no ceiling."""
    patch.setattr(Grants, "cover", lambda self, other: True)


@hole
def _(patch: Patch) -> None:
    """Two spellings of one name are two names."""
    patch.setattr(guard, "is_normalized", lambda form, text: True)


@hole
def _(patch: Patch) -> None:
    """What the program keeps for itself is served."""
    patch.setattr(PrivatePaths, "check", nothing)


# Tokens.


@hole
def _(patch: Patch) -> None:
    """A key's name chooses among the keys of all issuers."""

    def keys(self: Any, header: Any) -> Any:
        return [(self.sets[0], key) for one in ALL for each in one.sets for key in each.keys if key.kid == header.kid]

    made = tokens._Issuer.__init__

    def init(self: Any, *arguments: Any) -> None:
        made(self, *arguments)
        ALL.append(self)

    ALL.clear()
    patch.setattr(tokens._Issuer, "__init__", init)
    patch.setattr(tokens._Issuer, "keys", keys)


ALL: list[Any] = []


@hole
def _(patch: Patch) -> None:
    """Who shows a bad token is told why."""
    patch.setattr(tokens, "_refused", lambda reason: TokenRefused(reason))


@hole
def _(patch: Patch) -> None:
    """The log has the token."""
    real = Tokens.verify

    def verify(self: Tokens, text: str) -> Any:
        try:
            return real(self, text)
        except TokenRefused as error:
            error.because = f"{error.because}: {text}"
            raise

    patch.setattr(Tokens, "verify", verify)


@hole
def _(patch: Patch) -> None:
    """Of a claim that is there twice the last one counts."""
    patch.setattr(claims, "_once", dict)


@hole
def _(patch: Patch) -> None:
    """A token may be good for ever."""
    real = claims.access_of

    def access_of(given: Any, issuer: Any, now: float) -> Any:
        from msgspec.structs import replace

        return real(given, replace(issuer, max_seconds=1e12), now)

    patch.setattr(tokens, "access_of", access_of)


@hole
def _(patch: Patch) -> None:
    """A bad token where everybody may is nobody's."""
    real = Guard.__call__

    def lenient(self: Guard, asks: Any, credential: Any, client: Any) -> Any:
        try:
            return real(self, asks, credential, client)
        except TokenRefused:
            return self.decide(asks, None)

    patch.setattr(Guard, "__call__", lenient)


@hole
def _(patch: Patch) -> None:
    """Bad tokens are verified without end."""
    patch.setattr(Failures, "check", nothing)


@hole
def _(patch: Patch) -> None:
    """Who was verified before is refused with those who flood."""
    patch.setattr(Tokens, "known", nothing)


@hole
def _(patch: Patch) -> None:
    """Published keys are followed to where they are said to be."""
    real = httpx2.AsyncClient

    def client(**more: Any) -> Any:
        return real(**{**more, "follow_redirects": True})

    patch.setattr(httpx2, "AsyncClient", client)


@hole
def _(patch: Patch) -> None:
    """Published keys may be of any size."""
    patch.setattr(jwks, "MAX_BYTES", 1 << 40)


# What lives.


@hole
def _(patch: Patch) -> None:
    """What expires goes on."""
    real = LiveProof

    def living(access: Any, due: Any) -> Any:
        found = real(access, due)
        object.__setattr__(access, "expires", None) if access.expires else None
        return found

    patch.setattr(principals, "LiveProof", living)


@hole
def _(patch: Patch) -> None:
    """A refresh is of a subject: whoever else has its old token goes on."""
    real = Proven
    patch.setattr(tokens, "Proven", lambda access, key, *more, **names: real(access, access.principal, *more, **names))


@hole
def _(patch: Patch) -> None:
    """A refresh leaves what is read as it is."""
    patch.setattr(Rights, "recheck", lambda self, then: then())


@hole
def _(patch: Patch) -> None:
    """Another subject may take a connection over."""
    patch.setattr(Rights, "_same", lambda self, access: access)


@hole
def _(patch: Patch) -> None:
    """Who may less than before reads as before."""
    real = Principals._end
    patch.setattr(Principals, "_end", lambda self, proofs, end: 0 if end.reason == CHANGED else real(self, proofs, end))


@hole
def _(patch: Patch) -> None:
    """A revocation ends nobody who reads."""
    patch.setattr(AccessCalls, "_end_revoked", lambda self, entry: 0)


@hole
def _(patch: Patch) -> None:
    """Who waits for the turn to end reads on."""
    patch.setattr(Connection, "hush", lambda self, end: setattr(self, "_stopped", 2))


@hole
def _(patch: Patch) -> None:
    """A key that is gone ends nobody who reads."""
    patch.setattr(Principals, "ask_all_again", nothing)


@hole
def _(patch: Patch) -> None:
    """What an issuer may grant is asked of new tokens alone."""
    patch.setattr(tokens, "_as_now", lambda former, then, now: former if now else None)


@hole
def _(patch: Patch) -> None:
    """A connection that reads nothing outlives its proof."""
    patch.setattr(Permission, "proves", False, raising=False)
    made = Permission.__init__

    def init(self: Permission, *arguments: Any) -> None:
        made(self, *arguments)
        self.proves = False  # type: ignore[misc]

    patch.setattr(Permission, "__init__", init)
    patch.setattr(Rights, "note", nothing)


@hole
def _(patch: Patch) -> None:
    """A revocation is forgotten with the process."""

    async def add(self: RevokedLog, entry: Any) -> None: ...

    patch.setattr(RevokedLog, "add", add)


@hole
def _(patch: Patch) -> None:
    """A token of the same second as its revocation is good."""

    class Floor:
        ceil = staticmethod(math.floor)

    patch.setattr(revocations, "math", Floor)


@hole
def _(patch: Patch) -> None:
    """Another process's revocation is not heard of."""
    patch.setattr(RevokedLog, "changed", nothing)


@hole
def _(patch: Patch) -> None:
    """A full socket gives what it holds all the same."""

    def end_access(self: Connection, end: AccessEnd) -> None:
        self.access = None
        for channel in self.channels:
            channel.detach(end.retry_after, end.reason)

    patch.setattr(Connection, "end_access", end_access)


@hole
def _(patch: Patch) -> None:
    """A long body is given to its end."""
    patch.setattr(outflow.Outflow, "end_access", nothing)


@hole
def _(patch: Patch) -> None:
    """A ticket may be used twice."""
    real = Tickets.take
    spent: dict[str, Any] = {}

    async def take(self: Tickets, text: str) -> Any:
        found = await real(self, text)
        return spent.setdefault(text, found) if found is not None else spent.get(text)

    patch.setattr(Tickets, "take", take)


# Others.


@hole
def _(patch: Patch) -> None:
    """A member is who it says to be."""
    real = requests.claim_of
    patch.setattr("headwater.http.websocket.here.claim_of", lambda id, key, by: real(id, key or f"0.{'a' * 32}", None))
    patch.setattr(requests, "claim_of", lambda id, key, by: real(id, key or f"0.{'a' * 32}", None))


@hole
def _(patch: Patch) -> None:
    """Two issuers with one name are one member."""
    real = claim.check_claim

    def check(who: Any, member: Any) -> None:
        if not who.proven:
            real(who, member)

    patch.setattr("headwater.protocol.presence.room.check_claim", check)


@hole
def _(patch: Patch) -> None:
    """Before hello a message may be as large as any."""
    patch.setattr(session, "HELLO_BYTES", 1 << 30)


@hole
def _(patch: Patch) -> None:
    """Rates are of a connection's port."""
    patch.setattr("headwater.hub.access.bounds.network_of", lambda client: f"{client[0]}:{time.monotonic()}")
    patch.setattr(failures, "network_of", lambda client: f"{client}:{time.monotonic()}")
