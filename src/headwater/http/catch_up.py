"""Reads that end: what is there now, whole or in pieces, and what is known of a stream."""

from __future__ import annotations

from msgspec import structs

from headwater.http.content_coding import choose, coded, coded_pieces
from headwater.http.exchange import Exchange, Streamed
from headwater.http.schemas import link
from headwater.hub import Engine, catch_up
from headwater.hub.catch_up import CatchUpRead
from headwater.model import NOW, Last
from headwater.protocol import names, responses
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.commands import Inspect, Read
from headwater.protocol.compression import Compressor
from headwater.protocol.responses import Answer


async def respond_short(
    hub: Engine,
    compressor: Compressor,
    exchange: Exchange,
    command: Read | Inspect,
    access: Access,
    transports: bytes,
) -> None:
    """Respond to a catch-up read or a HEAD.

    Args:
        hub: what is read.
        compressor: of the body.
        exchange: to respond to.
        command: what is asked for.
        access: with which it is allowed.
        transports: by which streams can be read live.

    Raises:
        HeadwaterError: refused; see `errors`.
    """
    exchange.may_be_cancelled = True
    if isinstance(command, Inspect):
        info = await hub.info(command.path)
        described_by = link(hub, exchange.request, command.path)
        told = responses.inspected(info, transports=transports, described_by=described_by)
        exchange.respond(told if access is ANYBODY else responses.for_one(told))
        return
    found = await _read(hub, compressor, command)
    if isinstance(found, Streamed):
        head = found.head if access is ANYBODY else responses.for_one(found.head)
        await exchange.stream(structs.replace(found, head=head, access=access))
    else:
        exchange.respond(found if access is ANYBODY else responses.for_one(found))


async def _read(hub: Engine, compressor: Compressor, command: Read) -> Answer | Streamed:
    hub.stats.reads += 1
    if command.last is not None:
        return await _page(hub, compressor, command, command.last)
    tag, now_asked = command.if_none_match, command.offset == NOW
    if tag is not None and not now_asked:
        # Whether it still fits follows from where the range begins and ends.
        extent = await hub.store.extent(command.path, command.offset)
        coding = choose(compressor, command, extent)
        found = responses.caught_up(extent, tag, now_asked=False, coding=coding)
        if found.status == 304:
            return await coded(compressor, coding, found)
    read = await catch_up.begin(hub.live, command.path, command.offset)
    coding = choose(compressor, command, read.extent)
    head = responses.caught_up(read.extent, tag, now_asked=now_asked, coding=coding, body=read.whole or b"")
    if read.whole is not None or head.status == 304:
        return await coded(compressor, coding, head)
    return streamed(compressor, coding, head, read)


async def _page(hub: Engine, compressor: Compressor, command: Read, last: Last) -> Answer:
    page = await hub.store.page(command.path, last, limit=hub.limits.read_bytes, times=command.envelope)
    await hub.runtime.reads.come_with(page.batch, joined=not command.envelope)
    coding = choose(compressor, command, page.batch)
    found = responses.paged(page, command.if_none_match, before=last.before, coding=coding, envelope=command.envelope)
    return await coded(compressor, coding, found)


def streamed(compressor: Compressor, coding: str, head: Answer, read: CatchUpRead) -> Streamed:
    """A catch-up read that comes in pieces, as they are or in the coding that `choose` gave."""
    length, pieces = read.length, read.pieces()
    if coding:
        length, pieces = None, coded_pieces(compressor, coding, pieces)
    headers = [*head.headers, *responses.coding_headers(coding, varies=bool(compressor.offered))]
    if length is not None:
        headers.append((names.CONTENT_LENGTH, b"%d" % length))
    return Streamed(Answer(head.status, headers), length, pieces, read.path)
