"""POST `-/revoke` and `-/kick`: what a server takes back, and whose connections it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from headwater.errors import BadRequest
from headwater.http.exchange import Exchange, body_of
from headwater.http.request import Request
from headwater.hub import Engine
from headwater.protocol import responses
from headwater.protocol.access.identity import Access
from headwater.protocol.asks import Ask, Operation
from headwater.protocol.preconditions import check_unconditional
from headwater.protocol.requests import check_coding
from headwater.protocol.words import check_method

#: Below the root.
REVOKE: Final = "-/revoke"
KICK: Final = "-/kick"
#: What is asked; it concerns all streams.
ASKS: Final = (Ask(Operation.REVOKE, "-"),)
#: Bytes of a body.
_MAX_BODY: Final = 16 * 1024


class Revoke(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `-/revoke`: a subject or a token."""

    subject: str | None = None
    issuer: str = ""
    token_id: str | None = None
    before: float | None = None


class Kick(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of `-/kick`."""

    subject: str
    issuer: str = ""
    retry_after: float = 1.0


def check_head(request: Request) -> None:
    """Refuse what cannot be such a request, before its body is read.

    Raises:
        MethodNotAllowed: it is no POST.
        BadRequest: it has a condition.
        UnsupportedCoding: its body is coded.
    """
    word = f"-/{request.path.rpartition('/')[2]}"
    check_method(request.method, word, "POST, OPTIONS")
    check_unconditional(request.headers, word)
    check_coding(request.headers)


async def serve(
    hub: Engine, exchange: Exchange, word: str, check: Callable[[Access, Exchange], None], access: Access
) -> None:
    """Do what the body says, and tell how many ended.

    Args:
        hub: whose readers they are.
        exchange: the request; it may do this.
        word: `REVOKE` or `KICK`.
        check: looks at the access again, when the body is whole.
        access: with which it was allowed.

    Raises:
        BadRequest: the body is none of these.
        StoreUnavailable: it is not kept.
    """
    body = await body_of(exchange)
    check(access, exchange)
    if len(body) > _MAX_BODY:
        raise BadRequest(f"the body has more than {_MAX_BODY} bytes")
    found: Any
    try:
        found = msgspec.json.decode(body, type=Revoke if word == REVOKE else Kick)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"the body of {word} is none: {error}") from None
    if isinstance(found, Revoke):
        ended = await hub.revoke(found.subject, issuer=found.issuer, token_id=found.token_id, before=found.before)
    else:
        ended = hub.kick(found.subject, issuer=found.issuer, retry_after=min(max(found.retry_after, 0.0), 3600.0))
    exchange.respond(responses.json_answer({"ended": ended}))
