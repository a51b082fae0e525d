"""A run over HTTP: its log in a dialect, live, to one more reader.

Rule: it is a live read like any other. Readers of one run in one dialect share each encoded batch, a slow one reads the
log again, and a server that lets go of its connections is left behind (`asgi.live`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from headwater.asgi.handover import LAST_CHUNK, chunk
from headwater.asgi.live import answer_live
from headwater.asgi.types import Receive, Scope, Send
from headwater.errors import Gone, InvalidOffset, RunNotFound, StreamNotFound
from headwater.hub import Engine, Peer
from headwater.hub.describing import address_of
from headwater.hub.feeds import Format
from headwater.llm.dialects import dialect
from headwater.llm.encoding import RunEncoder
from headwater.model import BEGINNING
from headwater.protocol import names
from headwater.protocol.offsets import check_offset
from headwater.protocol.responses import HeaderList


def run_format(name: str, resume_at: str | None = None) -> Format:
    """The wire format of a dialect.

    Args:
        name: of the dialect.
        resume_at: the offset up to which this reader was told already, in the same dialect.

    Raises:
        UnknownDialect: there is none of this name.
    """
    dialect(name)
    encoder: Callable[[str], RunEncoder] = partial(_encoder, name, resume_at)
    return Format(("run", name), encoder, chunk, LAST_CHUNK)


def _encoder(name: str, resume_at: str | None, content_type: str) -> RunEncoder:
    return RunEncoder(dialect(name), resume_at)


async def answer_run(
    hub: Engine,
    path: str,
    run: str,
    name: str,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    resume_at: str | None = None,
    headers: HeaderList | None = None,
) -> None:
    """Tell a run from its start, or from where the reader was, until it ends or the reader goes.

    Args:
        hub: where the log is.
        path: of the log.
        run: its id.
        name: of the dialect.
        scope: of the request.
        receive: of the request.
        send: of the request.
        resume_at: an offset that this run gave in this dialect.
        headers: further headers for the answer's head.

    Raises:
        UnknownDialect, RunNotFound, InvalidOffset, LimitReached, StoreUnavailable, ShuttingDown: nothing was sent.
    """
    form = run_format(name, resume_at)
    peer = Peer(name, None, address_of(scope.get("client")))
    try:
        if resume_at is not None:
            await _check(hub, path, resume_at)
        with await hub.audience.open_reader(path, BEGINNING, peer=peer) as reader:
            told = dialect(name).headers
            more: HeaderList = [(names.HEADWATER_RUN, run.encode()), *told, *(headers or [])]
            await answer_live(hub.audience, reader, form, receive, send, more, lifetime=None)
    except (StreamNotFound, Gone):
        raise RunNotFound(f"there is no run {run!r}") from None


async def _check(hub: Engine, path: str, offset: str) -> None:
    """An offset of another log would be waited for in silence."""
    check_offset(offset)
    if offset != BEGINNING and (await hub.store.read(path, offset, limit=1)).offset != offset:
        raise InvalidOffset(f"the offset {offset!r} is not of this run")
