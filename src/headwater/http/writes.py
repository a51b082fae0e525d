"""Writes of one stream: an append, a close, a create, a delete.

Rule: what a request may do is decided by its head, and looked at again when its body is handed to the store: a body may
      take longer than the right to send it lasts.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from headwater.errors import BadRequest, HeadwaterError, StreamGone, StreamNotFound
from headwater.http.exchange import Exchange, Work, body_of
from headwater.http.permission import Permission
from headwater.hub import Engine
from headwater.hub.fair_turns import PER_TURN
from headwater.model import Appended, Principal
from headwater.protocol import responses
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.commands import Create, Delete, Write
from headwater.protocol.requests import append_of, check_write
from headwater.protocol.without_body import check_append

#: A longer body may take milliseconds to take apart: 10,000 numbers are 7 of them. One is taken in a turn of the loop.
BULK_BYTES: Final = 16 * 1024
#: A shorter body is no part of any measure. How long one takes between the two is measured.
SMALL_BYTES: Final = 256


class Writes:
    """Carries them out.

    Args:
        hub: whose streams they are.
        refuse: responds with an error.
        permission: looks at what was allowed again, and counts.
        transports: by which streams can be read live, for those who create one.
    """

    def __init__(
        self,
        hub: Engine,
        refuse: Callable[[Exchange, Exception], None],
        permission: Permission,
        transports: bytes,
    ) -> None:
        self._hub: Final = hub
        self._refuse: Final = refuse
        self._permission: Final = permission
        self._transports: Final = transports
        self._counts: Final = permission.bounds is not None

    def append(self, exchange: Exchange, command: Write, access: Access) -> Work | None:
        """Append to a stream that is there, close it, or both."""
        if (body := exchange.whole_body()) is not None:
            if len(body) > BULK_BYTES:
                self._append(exchange, command, body, access)
            else:
                self._append_now(exchange, command, body, access, True)
            return None
        take = partial(self._take_body, exchange, command, access)
        return exchange.read_body(take) if exchange.is_asked else self._check_then_append(exchange, command, take)

    def _take_body(self, exchange: Exchange, command: Write, access: Access, body: bytes | HeadwaterError) -> None:
        if isinstance(body, HeadwaterError):
            self._refuse(exchange, body)
        elif body and not exchange.request.may_have_body:  # nobody was asked about it
            self._refuse(exchange, BadRequest("a body came that the head did not announce"))
        else:
            self._append(exchange, command, body, access, is_decided=access is ANYBODY)

    def _append(
        self, exchange: Exchange, command: Write, body: bytes, access: Access, *, is_decided: bool = True
    ) -> None:
        size, bulk = len(body), self._hub.runtime.bulk
        if size < SMALL_BYTES:
            self._append_now(exchange, command, body, access, is_decided)
            return
        # Its turn may come when the right is over, too.
        is_decided = access is ANYBODY or (is_decided and not bulk.is_full)
        act = partial(self._append_now, exchange, command, body, access, is_decided)
        bulk.call(act, PER_TURN if size > BULK_BYTES else 0)

    def _append_now(self, exchange: Exchange, command: Write, body: bytes, access: Access, is_decided: bool) -> None:
        try:
            if not is_decided:
                self._permission.check(access, exchange)
            if self._counts:
                self._permission.count_body(len(body), access, exchange)
            if not body or command.content_type is None:
                check_write(command, body)
            request = append_of(command, body, access.principal)
            self._hub.post(command.path, request, partial(self._appended, exchange, len(body)))
        except Exception as error:
            self._refuse(exchange, error)

    def _appended(self, exchange: Exchange, size: int, outcome: Appended | Exception) -> None:
        if isinstance(outcome, Exception):
            self._refuse(exchange, outcome)
        else:
            self._hub.stats.acknowledged(size, outcome)
            exchange.acknowledge(outcome, with_body=size > 0)

    async def _check_then_append(
        self, exchange: Exchange, command: Write, take: Callable[[bytes | HeadwaterError], None]
    ) -> None:
        await self._check_before_body(command, None)
        work = exchange.read_body(take)
        if work is not None:
            await work

    async def _check_before_body(self, command: Write, by: Principal | None) -> None:
        """Refuse what no body could save, before it is asked for: the stream is not there, is closed, or another one.

        A producer's append to a closed stream may be a retry, which is answered: there only the stream must be.
        """
        try:
            info = await self._hub.info(command.path)
        except (StreamNotFound, StreamGone):
            if command.create is None:
                raise
            await self._hub.check_create(command.path, command.create, condition=command.condition, by=by)
            return
        if command.producer is None:
            check_append(info, command.content_type, command.condition)

    async def _body_of(self, exchange: Exchange) -> bytes:
        """The body, when it has its turn."""
        body = await body_of(exchange)
        await self._hub.runtime.bulk.come(weight_of(body))
        return body

    async def create_by_append(self, exchange: Exchange, command: Write, access: Access) -> None:
        """Append to a stream, and create it if it is not there."""
        if not exchange.is_asked:
            await self._check_before_body(command, access.principal)
        body = await self._body_of(exchange)
        self._permission.check(access, exchange)
        self._permission.count_body(len(body), access, exchange)
        check_write(command, body)
        by = access.principal
        appended = await self._hub.write(command.path, append_of(command, body, by), by)
        where = location(exchange) if appended.created else b""
        exchange.respond(responses.appended(appended, with_body=bool(body), location=where))

    async def create(self, exchange: Exchange, command: Create, access: Access) -> None:
        """Create a stream, or a fork."""
        if not exchange.is_asked:
            await self._hub.check_create(
                command.path,
                command.config,
                closed=command.closed,
                condition=command.condition,
                by=access.principal,
            )
        body = await self._body_of(exchange)
        self._permission.check(access, exchange)
        self._permission.count_body(len(body), access, exchange)
        created = await self._hub.create_stream(
            command.path,
            command.config,
            body,
            closed=command.closed,
            condition=command.condition,
            by=access.principal,
            maker=access.principal,
        )
        exchange.respond(responses.created(created, location(exchange), self._transports))

    async def delete(self, exchange: Exchange, command: Delete, access: Access) -> None:
        """Delete a stream."""
        await self._hub.delete_stream(command.path, command.condition)
        exchange.respond(responses.deleted())


def weight_of(body: bytes) -> int:
    """For how much of a turn a body counts of which only the size is known: `BULK_BYTES` are all of it."""
    return min(len(body) * (PER_TURN // BULK_BYTES), PER_TURN)


def location(exchange: Exchange) -> bytes:
    """The stream's absolute URL, as the client called it."""
    host = exchange.request.host or b"localhost"
    return exchange.scheme.encode() + b"://" + host + exchange.request.raw_path.encode("latin-1")
