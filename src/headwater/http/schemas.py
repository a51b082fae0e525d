"""GET `{path}/-/schema`: what the records of a stream must be."""

from __future__ import annotations

from headwater.http.request import Request
from headwater.hub import Engine
from headwater.protocol import names, responses
from headwater.protocol.commands import Describe
from headwater.protocol.requests import text
from headwater.protocol.responses import Answer
from headwater.protocol.urls import BELOW_STREAM


def respond(hub: Engine, request: Request, command: Describe) -> Answer:
    """Tell the schema; whether there is a stream at the path yet is not asked.

    Raises:
        SchemaNotFound: it has none.
    """
    document = hub.schemas.described(command.path, command.kind)
    return responses.schema(document, text(request.headers, names.IF_NONE_MATCH))


def link(hub: Engine, request: Request, path: str) -> bytes:
    """The URL path of a stream's schema; empty: it has none.

    Args:
        hub: whose stream it is.
        request: to the stream itself.
        path: of the stream.
    """
    if not hub.schemas.records or hub.schemas.records.of(path) is None:
        return b""
    return (request.raw_path + BELOW_STREAM + "schema").encode("latin-1")
