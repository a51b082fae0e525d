"""A run over HTTP: its log in a dialect, live, to one more reader.

Rule: it is a live read like any other. Readers of one run in one dialect share each encoded batch, a slow one reads the
log again, and its connection becomes the reader's where the driver can (`Exchange.push`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

from msgspec import structs

from headwater.errors import Gone, InvalidOffset, RunNotFound, StreamNotFound
from headwater.http.exchange import Exchange
from headwater.http.http1 import LAST_CHUNK, chunk
from headwater.http.live import opening
from headwater.hub import Engine, Peer
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.peers import address_of
from headwater.llm.encoder import RunEncoder
from headwater.llm.providers.registry import dialect
from headwater.model import BEGINNING
from headwater.protocol import names
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.offsets import check_offset
from headwater.protocol.responses import HeaderList


def run_format(
    name: str, resume_at: str | None = None, *, has_earlier: bool = False, left_out: Counter[str] | None = None
) -> WireFormat:
    """The wire format of a dialect.

    Args:
        name: of the dialect.
        resume_at: the offset up to which this reader was told already, in the same dialect.
        has_earlier: it has the message with which the run goes on.
        left_out: see `RunEncoder`.

    Raises:
        UnknownDialect: there is none of this name.
    """
    dialect(name)
    encoder: Callable[[str], RunEncoder] = partial(_encoder, name, resume_at, has_earlier, left_out)
    return WireFormat(("run", name), encoder, chunk, LAST_CHUNK)


def _encoder(
    name: str, resume_at: str | None, has_earlier: bool, left_out: Counter[str] | None, content_type: str
) -> RunEncoder:
    return RunEncoder(dialect(name), resume_at, has_earlier=has_earlier, left_out=left_out)


async def tell_run(
    exchange: Exchange,
    hub: Engine,
    path: str,
    run: str,
    name: str,
    *,
    access: Access = ANYBODY,
    resume_at: str | None = None,
    has_earlier: bool = False,
    headers: HeaderList | None = None,
) -> None:
    """Tell a run from its start, or from where the reader was, until it ends or the reader goes.

    Args:
        exchange: the reader's.
        hub: where the log is.
        path: of the log.
        run: its id.
        name: of the dialect.
        access: with which it may be read.
        resume_at: an offset that this run gave in this dialect.
        has_earlier: the reader has the message with which the run goes on, if it does.
        headers: further headers for the response's head.

    Raises:
        UnknownDialect, RunNotFound, InvalidOffset, LimitReached, StoreUnavailable, ShuttingDown: nothing was sent.
    """
    form = run_format(name, resume_at, has_earlier=has_earlier, left_out=hub.stats.left_out)
    peer = Peer(name, None, address_of(exchange.client), access)
    try:
        if resume_at is not None:
            await _check(hub, path, resume_at)
        with await hub.live.open(path, BEGINNING, peer=peer) as arrival:
            begun = opening(arrival, form, None, None, hub.limits.heartbeat_seconds, varies=False)
            more = ((names.HEADWATER_RUN, run.encode()), *dialect(name).headers, *(headers or []))
            work = exchange.push(structs.replace(begun, head=structs.replace(begun.head, more=more)))
            if work is not None:
                await work
    except (StreamNotFound, Gone):
        raise RunNotFound(f"there is no run {run!r}") from None


async def _check(hub: Engine, path: str, offset: str) -> None:
    """An offset of another log would be waited for in silence."""
    check_offset(offset)
    if offset != BEGINNING and (await hub.store.read(path, offset, limit=1)).offset != offset:
        raise InvalidOffset(f"the offset {offset!r} is not of this run")
