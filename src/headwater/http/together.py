"""POST `-/append`: several appends that are one step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from headwater.errors import BadRequest
from headwater.http.exchange import Exchange
from headwater.http.permission import Permission
from headwater.http.request import Request
from headwater.hub import Engine
from headwater.model import Appended, Mode
from headwater.protocol import names, responses
from headwater.protocol.accept import NAMES
from headwater.protocol.access.identity import Access
from headwater.protocol.asks import Ask, asks_of
from headwater.protocol.framing import media_type
from headwater.protocol.ledger import Append
from headwater.protocol.preconditions import check_unconditional
from headwater.protocol.requests import check_coding
from headwater.protocol.together import attributed, writes_of
from headwater.protocol.words import check_method

#: Below the root.
WORD: Final = "-/append"
#: Where a request names its streams.
WHERE: Final = "an append to several streams names them in its body"
_METHODS: Final = "POST, OPTIONS"
#: What POST of a stream heeds. To pass it over would be to write twice, or to leave open what should be closed.
_OF_ONE_STREAM: Final = (
    names.PRODUCER_ID,
    names.PRODUCER_EPOCH,
    names.PRODUCER_SEQ,
    names.STREAM_SEQ,
    names.STREAM_CLOSED,
    names.STREAM_FAILURE,
    names.STREAM_CREATE,
)


def check_head(request: Request) -> None:
    """Refuse what cannot be such a request, before its body is read.

    Raises:
        MethodNotAllowed: it is no POST.
        BadRequest: its body has another type, or a header says what is of one stream.
        UnsupportedCoding: its body is coded.
    """
    check_method(request.method, WORD, _METHODS)
    check_unconditional(request.headers, WORD)
    for name in _OF_ONE_STREAM:
        if name in request.headers:
            raise BadRequest(f"{WORD} takes no {name.decode()} header: each line says that of its own stream")
    kind = request.headers.get(names.CONTENT_TYPE, b"").decode("latin-1")
    if NAMES.get(media_type(kind)) is not Mode.NDJSON:
        raise BadRequest(f"{WORD} takes application/x-ndjson, a JSON object a line; not {kind[:80]!r}")
    check_coding(request.headers)


def asks_of_appends(appends: Sequence[tuple[str, Append]]) -> tuple[Ask, ...]:
    """What they ask for, each once."""
    asks = (ask for write, has_body in writes_of(appends) for ask in asks_of(write, has_body=has_body))
    return tuple(dict.fromkeys(asks))


async def write(
    hub: Engine, exchange: Exchange, appends: Sequence[tuple[str, Append]], permission: Permission, access: Access
) -> None:
    """Write all of them, and respond with a line for each.

    Args:
        hub: whose streams they are.
        exchange: the request.
        appends: what it says.
        permission: counts.
        access: with which it was allowed.
    """
    permission.count_body(sum([len(append.body) for _, append in appends]), access, exchange)
    answers: list[Appended] = await hub.write_all(attributed(appends, access.principal), access.principal)
    exchange.respond(responses.appended_together(answers))
