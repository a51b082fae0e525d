"""POST `{path}/-/signal`: something told to the live readers of a stream, and stored nowhere."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial

from msgspec.structs import replace

from headwater.errors import Refused
from headwater.http.exchange import Exchange, Work, body_of
from headwater.http.presence import check_stream
from headwater.hub import Engine
from headwater.hub.peers import address_of, client_of
from headwater.protocol import responses
from headwater.protocol.access.identity import Access
from headwater.protocol.commands import SendSignal
from headwater.protocol.signals import Addressed, Signal, make_signal


def serve(
    hub: Engine, exchange: Exchange, command: SendSignal, access: Access, check: Callable[[Access, Exchange], None]
) -> Work | None:
    """Send a signal; without a task, where its body is there and its stream has live readers.

    Args:
        hub: whose stream it is.
        exchange: the request.
        command: what it says.
        access: with which it was allowed.
        check: looks at that again, when the body is whole.

    Raises:
        HeadwaterError: refused.
    """
    addressed, by = sent_by(command.addressed, access), client_of(access, address_of(exchange.client))
    hub.signal_sender.check(by, addressed, command.size)
    body = exchange.whole_body()
    if body is None:
        return _read(hub, exchange, command, addressed, by, partial(check, access, exchange))
    signal = _signal(hub, command, addressed, body)
    if hub.signal_sender.send_at_once(command.path, signal, by) is None:
        return _send(hub, exchange, command.path, signal, by)
    exchange.respond(responses.nothing())
    return None


def sent_by(addressed: Addressed, access: Access) -> Addressed:
    """The same, with its sender as it is known: nobody sends in the name of another one.

    Args:
        addressed: as asked for.
        access: of who asks. Without a subject the sender may say who it is.

    Raises:
        Refused: it says that it is somebody else.
    """
    if access.principal is None:
        return addressed
    if addressed.sender not in (None, access.subject):
        raise Refused("from is not who the request's credential is of; leave it out")
    return replace(addressed, sender=access.subject, by=access.principal)


def _signal(hub: Engine, command: SendSignal, addressed: Addressed, body: bytes) -> Signal:
    hub.signal_sender.check_size(len(body))
    return make_signal(addressed, command.content_type, body)


async def _read(
    hub: Engine,
    exchange: Exchange,
    command: SendSignal,
    addressed: Addressed,
    by: Hashable,
    check: Callable[[], None],
) -> None:
    if not exchange.is_asked:
        await check_stream(hub, command.path)
    signal = _signal(hub, command, addressed, await body_of(exchange))
    check()
    await _send(hub, exchange, command.path, signal, by)


async def _send(hub: Engine, exchange: Exchange, path: str, signal: Signal, by: Hashable) -> None:
    await hub.signal_sender.send(path, signal, by)
    exchange.respond(responses.nothing())
