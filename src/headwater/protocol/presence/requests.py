"""What a request asks of a room.

::

    POST {root}rooms/7/-/presence   {"id": "ada", "key": "0.…", "state": {"typing": true}}      join, change, be heard
    POST {root}rooms/7/-/presence   {"id": "ada", "key": "0.…", "leave": true}                  leave
    GET  {root}rooms/7/-/presence?after=ada&limit=100                                            who is there
    GET  {root}rooms/7?presence=join&member=ada&member_key=0.…                                   a member while it reads

Rule 1: one kind of request does everything, so that a page which is closed can send it as a beacon.
Rule 2: a state is any JSON value, kept as it came; null is none.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Final

import msgspec

from headwater.errors import BadRequest, InvalidBody, Refused
from headwater.model import JSON, Principal
from headwater.protocol import names
from headwater.protocol.commands import Joins
from headwater.protocol.expiry import parse_integer
from headwater.protocol.framing import split_value
from headwater.protocol.presence.claim import Claim
from headwater.protocol.presence.keys import check_key
from headwater.protocol.presence.members import check_connection, check_id
from headwater.protocol.query import named_fields
from headwater.surrogates import json_value, mended

#: Members on a page of the list, unless told otherwise; and at most.
DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000
#: Bytes of a body beside the state.
MAX_OTHER_BYTES: Final = 4096
#: Of the parameter `presence`: the reader is a member.
JOIN: Final = "join"
_MEMBER: Final = (
    names.QUERY_MEMBER,
    names.QUERY_MEMBER_KEY,
    names.QUERY_MEMBER_CONNECTION,
    names.QUERY_MEMBER_STATE,
)
_NO_MEMBER: Final = Joins()
_NULL: Final = b"null"


class Entering(msgspec.Struct, frozen=True, gc=False):
    """A member's connection that comes, or is heard.

    Attributes:
        claim: who it is.
        connection: its name.
        state: the member's, JSON in one line, empty for none; None: as it is.
        is_first: the state is that of a member that is not there yet; one that is keeps its own. A browser that comes
            back sends the same URL, and what was true when it was made.
        by: who enters, as the server knows it; None: the program itself.
    """

    claim: Claim
    connection: str = ""
    state: bytes | None = None
    is_first: bool = False
    by: Hashable = None


class Leaving(msgspec.Struct, frozen=True, gc=False):
    """A member that leaves.

    Attributes:
        claim: who it is.
        connection: the only one that leaves; None: all.
    """

    claim: Claim
    connection: str | None = None


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str | None = None
    key: str | None = None
    connection: str | None = None
    state: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    leave: bool = False


_decode: Final = msgspec.json.Decoder(_Body).decode


def parse_post(body: bytes, principal: Principal | None) -> Entering | Leaving:
    """What the body of a request asks for.

    Args:
        body: as it came.
        principal: who the request is proven to be of; None: of anybody.

    Raises:
        BadRequest: it is not as it should be.
        InvalidBody: the state is no JSON.
        Refused: it is of another one than its member.
    """
    try:
        given = _given(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"the body must be an object with id, key, connection, state, leave: {error}") from None
    claim = claim_of(given.id, given.key, principal)
    if given.leave:
        if given.state is not msgspec.UNSET:
            raise BadRequest("who leaves has no state")
        return Leaving(claim, None if given.connection is None else check_connection(given.connection))
    state = None if isinstance(given.state, msgspec.UnsetType) else state_of(bytes(given.state))
    return Entering(claim, check_connection(given.connection or ""), state)


def _given(body: bytes) -> _Body:
    """A body; a half of a surrogate pair, such as an emoji that was cut, is U+FFFD."""
    try:
        return _decode(body)
    except msgspec.DecodeError:
        whole = mended(body)
        if whole is body:
            raise
        return _decode(whole)


def parse_join(joins: Joins, principal: Principal | None) -> Entering:
    """A live reader that is a member while it reads.

    Args:
        joins: as asked for.
        principal: see `parse_post`.

    Raises:
        BadRequest, InvalidBody, Refused: see `parse_post`; or it has no key, without which it could not come back.
    """
    claim = claim_of(joins.member, joins.key, principal)
    if claim.key is None and not claim.proven:
        raise BadRequest(
            "a reader that joins needs member_key, with which it comes back: '0.' and a UUID without its hyphens, or "
            "the key that a POST gave"
        )
    state = None if joins.state is None else state_of(joins.state.encode())
    return Entering(claim, check_connection(joins.connection or ""), state, is_first=True)


def claim_of(id: str | None, key: str | None, principal: Principal | None) -> Claim:
    """Who a request is of: its subject, if it has one, else who it says to be.

    Raises:
        BadRequest: it says nothing, or no id, or no key.
        Refused: it says to be another one than its subject.
    """
    if principal is not None:
        issuer, subject = principal.issuer, principal.subject
        if id is not None and id != subject:
            raise Refused("the member is not who the request's credential is of; leave its id out")
        return Claim(check_id(subject), None if key is None else check_key(key), proven=True, issuer=issuer)
    if id is None:
        raise BadRequest("a member needs an id")
    return Claim(check_id(id), None if key is None else check_key(key))


def state_of(text: bytes) -> bytes:
    """A state as it is kept: in one line; empty for null.

    Raises:
        InvalidBody: it is not one JSON value, or one that not every reader could have, such as 1e999.
    """
    found = split_value(JSON, text)
    if not found:
        raise InvalidBody("a state is a JSON value; null is none")
    try:
        json_value(found[0])
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidBody(f"the state is a JSON value that not every reader can have: {error}") from None
    return b"" if found[0] == _NULL else found[0]


def wants_presence(value: str | None, *, has_place: bool, may_join: bool = True) -> bool:
    """Whether a read asks to be told who is there.

    Args:
        value: of its query parameter; None: not sent.
        has_place: the read is in a form that can tell it.
        may_join: the reader may be a member while it reads.

    Raises:
        BadRequest: the value means nothing, or there is no place for it.
    """
    if value is None:
        return False
    if value == JOIN and not may_join:
        raise BadRequest("?presence= of many streams takes 1; join each by POST, or read one stream with presence=join")
    if value not in ("1", JOIN):
        raise BadRequest(f"?presence= takes 1 or {JOIN}, not {value[:40]!r}")
    if not has_place:
        raise BadRequest(
            "?presence= is for plain SSE and NDJSON, for which Accept asks, and for -/many; live=sse, long-poll and "
            "reads that end have no place for it"
        )
    return True


def joins_of(fields: Mapping[str, str]) -> Joins | None:
    """The member that a reader is; None: it is none.

    Args:
        fields: of its query.

    Raises:
        BadRequest: there is something of a member, and the reader does not join.
    """
    found = Joins(*[fields.get(name) for name in _MEMBER])
    if fields.get(names.QUERY_PRESENCE) == JOIN:
        return found
    if found != _NO_MEMBER:
        raise BadRequest(f"member and what belongs to it need ?presence={JOIN}")
    return None


def parse_page(query: bytes) -> tuple[str, int]:
    """The last id of the page before, empty for none, and how many members are wanted.

    Args:
        query: with `after` and `limit`.

    Raises:
        BadRequest: one is not as it should be.
    """
    fields = named_fields(query, ("after", "limit"))
    limit = fields.get("limit")
    if limit is None:
        return fields.get("after", ""), DEFAULT_LIMIT
    return fields.get("after", ""), max(1, parse_integer(limit, name="limit", maximum=MAX_LIMIT))
