"""Tickets: what a page's WebSocket or its own client shows in a URL, where it can show nothing else. Each is good once.

Rule 1: a ticket is a part of somebody's access, for the streams that it names, for one origin's pages and some seconds.
        It is spent when it is first presented, also where it is refused then. Kept is its hash alone.
Rule 2: it is taken out of the store in one step: of many who present it at the same time one gets it, in whatever
        process. What is not presented goes by itself.
Rule 3: what came by it ends with what it was made of: a session, a token, and their end.
"""

from __future__ import annotations

import base64
import logging
import math
import secrets
import time
from collections import Counter
from hashlib import sha256
from typing import Final

import msgspec

from headwater.errors import BadRequest, RateLimited, StreamGone, StreamNotFound
from headwater.hub.access.refusals import Refusals
from headwater.hub.places import Places
from headwater.model import BEGINNING, Expiry, StreamConfig
from headwater.protocol.access.identity import Access
from headwater.protocol.access.kept import KeptAccess
from headwater.protocol.ledger import Append
from headwater.protocol.rates import Rates
from headwater.stores import Store

_log: Final = logging.getLogger("headwater")

#: Where they are.
BELOW: Final = "-/access/tickets/"
#: Seconds in which one must be presented, at most and unless told otherwise.
SECONDS: Final = 30.0
#: Tickets that one principal may have made in that time: each is a stream until it is presented or too late.
MAX_OF_ONE: Final = 1000
#: Bytes of one, and characters of its text in base64url.
_BYTES: Final = 32
_CHARACTERS: Final = 43
_TYPE: Final = "application/json"


class Ticket(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one is worth.

    Attributes:
        kept: whose it is, and what may be done with it.
        origin: of the pages that may present it.
        made: when, in seconds since the Unix epoch.
        until: when it must have been presented.
        session: that it is a part of; empty: of none.
        parent: names the proof that it is a part of, if the application said whose that is; empty: none.
    """

    kept: KeptAccess
    origin: str
    made: float
    until: float
    session: str = ""
    parent: str = ""


class Tickets:
    """Those of one hub.

    Args:
        store: where they are.
        places: of the hub; each ticket is a stream while it is there.
        refusals: notes each that is made.
        counted: of `Stats`: those that are made, and those that are redeemed.
    """

    def __init__(self, store: Store, places: Places, refusals: Refusals, counted: Counter[str]) -> None:
        self._store: Final = store
        self._places: Final = places
        self._refusals: Final = refusals
        self._counted: Final = counted
        self._made: Final = Rates(MAX_OF_ONE, SECONDS)

    async def make(
        self,
        access: Access,
        origin: str,
        *,
        seconds: float = SECONDS,
        signer: str = "",
        session: str = "",
        parent: str = "",
    ) -> tuple[str, float]:
        """A new one, and until when it must be presented.

        Args:
            access: what it is worth.
            origin: see `Ticket`, and so are the others.
            seconds: in which it must be presented.
            signer: see `Proven`.
            session: see `Ticket`.
            parent: see `Ticket`.

        Raises:
            BadRequest: it would be good for too long, or for nothing.
            RateLimited: too many were made of this principal's access.
            LimitReached: there are too many streams.
            StoreUnavailable: there is none.
        """
        if not 0 < seconds <= SECONDS:
            raise BadRequest(f"a ticket is good for at most {SECONDS:g} seconds, not {seconds:g}")
        if not access.grants:
            raise BadRequest("a ticket names at least one stream, with what may be done there")
        self._places.check_room()
        if not self._made.take(access.principal, time.monotonic()):
            raise RateLimited(f"more than {MAX_OF_ONE} tickets in {SECONDS:g} seconds")
        text = base64.urlsafe_b64encode(secrets.token_bytes(_BYTES)).rstrip(b"=").decode()
        now = time.time()
        ticket = Ticket(KeptAccess.of(access, signer), origin, now, now + seconds, session, parent)
        config = StreamConfig(_TYPE, Expiry(ttl=math.ceil(seconds) + 1))
        body = msgspec.json.encode(ticket)
        appended = await self._store.append(BELOW + ticket_id(text), Append(body, _TYPE, create=config))
        self._places.taken += appended.created
        self._counted["made"] += 1
        self._refusals.ticket_made(access, origin, seconds)
        return text, ticket.until

    async def take(self, text: str) -> Ticket | None:
        """What a ticket is worth; from now on it is worth nothing. None: it is none, was spent, or is too late.

        Raises:
            StoreUnavailable: nobody can tell.
        """
        if len(text) != _CHARACTERS:
            return None
        path = BELOW + ticket_id(text)
        try:
            records = (await self._store.read(path, BEGINNING)).records
            await self._store.delete(path)  # who deletes it has it; the others find nothing
        except (StreamNotFound, StreamGone):
            return None
        try:
            ticket = msgspec.json.decode(records[0].data, type=Ticket)
        except (msgspec.DecodeError, IndexError) as error:
            _log.error("a ticket cannot be read, and is none: %s", error)
            return None
        if ticket.until <= time.time():
            return None
        self._counted["redeemed"] += 1
        return ticket


def ticket_id(text: str) -> str:
    """The hash of one."""
    return sha256(text.encode("latin-1", "replace")).hexdigest()
