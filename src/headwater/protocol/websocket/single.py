"""The URL of a stream as a WebSocket: what its query asks for."""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.errors import BadRequest
from headwater.protocol import names
from headwater.protocol.commands import Read
from headwater.protocol.given import MAX_ID
from headwater.protocol.many import Names
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.query import parse_query
from headwater.protocol.requests import parse_request

#: As NDJSON is asked for over HTTP: the same lines, and the same parameters.
_AS_LINES: Final = {names.ACCEPT: JsonLines.media_type}


class AskedSingle(msgspec.Struct, frozen=True):
    """One of them.

    Attributes:
        command: the read, as that of NDJSON.
        raw: messages are the records alone.
        producer: as which the client's messages are appended, counted from 0; None: as nobody.
    """

    command: Read
    raw: bool
    producer: str | None


def parse_single(path: str, query: bytes, names_allowed: Names) -> AskedSingle:
    """What a URL asks for.

    Args:
        path: of the stream.
        query: as sent.
        names_allowed: what a path may be.

    Raises:
        BadRequest and its kinds, PathTooLong, StreamPrivate, RouteNotFound: it is malformed, or nothing is there.
    """
    command = parse_request(
        "GET",
        path,
        query,
        _AS_LINES,
        max_path_bytes=names_allowed.max_path_bytes,
        private=names_allowed.private,
    )
    if not isinstance(command, Read) or names.QUERY_LIVE in (fields := parse_query(query)):
        raise BadRequest("a WebSocket is live; it takes no ?live=")
    raw, producer = fields.get(names.QUERY_RAW), fields.get(names.QUERY_PRODUCER)
    if raw not in (None, "1"):
        raise BadRequest(f"?raw= takes 1, not {raw[:40]!r}")
    if raw and (command.envelope or command.signals or command.presence):
        raise BadRequest("raw records come alone: without envelope, signals and presence")
    if command.joins is not None:
        raise BadRequest("a WebSocket does not join: POST to the word presence below the stream does")
    if producer is not None and not (0 < len(producer) <= MAX_ID and producer.isprintable()):
        raise BadRequest(f"?producer= takes 1 to {MAX_ID} printable characters")
    return AskedSingle(command, raw is not None, producer)
