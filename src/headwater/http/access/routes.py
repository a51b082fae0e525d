"""Every route, and what must be granted for it. docs/reference/access.md is written from this table.

Rule: a route that is served has a line here, or a test fails. What is asked is decided elsewhere (`protocol.asks`,
      `introspection.asks_of_route`, the operations of a WebSocket); tests hold both against each other on every lane.
"""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.protocol.asks import Operation

_READ, _APPEND, _CLOSE = (Operation.READ,), (Operation.APPEND,), (Operation.CLOSE,)
_CREATE, _LIST, _REVOKE = (Operation.CREATE,), (Operation.LIST,), (Operation.REVOKE,)
_PRESENCE, _SIGNAL, _DELETE = (Operation.PRESENCE,), (Operation.SIGNAL,), (Operation.DELETE,)


class Route(msgspec.Struct, frozen=True):
    """One route.

    Attributes:
        name: for tests and logs.
        request: as documentation says it.
        operations: all that must be granted; none: everybody may.
        on: of what.
    """

    name: str
    request: str
    operations: tuple[Operation, ...]
    on: str = "the stream"


ROUTES: Final = (
    Route("read", "`GET {path}`, whole or from an offset, with conditions, `last`, `before`", _READ),
    Route("head", "`HEAD {path}`", _READ),
    Route("live", "`GET {path}` that goes on: `live=sse`, `live=long-poll`, event stream, NDJSON", _READ),
    Route("live with presence", "the same with `presence=1` or `presence=join`", _READ + _PRESENCE),
    Route("append", "`POST {path}` with a body", _APPEND),
    Route("close", "`POST {path}` with `Stream-Closed` or `Stream-Failure`, without a body", _CLOSE),
    Route("append and close", "the same with a body", _APPEND + _CLOSE),
    Route("append that creates", "`POST {path}` with `Stream-Create`", _APPEND + _CREATE),
    Route("create", "`PUT {path}`", _CREATE),
    Route("fork", "`PUT {path}` with `Stream-Forked-From`", _CREATE + _READ, "the stream; `read` of the source"),
    Route("delete", "`DELETE {path}`", _DELETE),
    Route("preflight", "`OPTIONS`, of anything", ()),
    Route("signal", "`POST {path}/-/signal`", _SIGNAL),
    Route("presence", "`GET {path}/-/presence`, and `POST` to be there", _PRESENCE),
    Route("schema", "`GET {path}/-/schema`", _READ),
    Route("many", "`GET` or `POST` `-/many`", _READ, "each stream by itself; of a pattern each that matches"),
    Route("together", "POST `-/append`", _APPEND, "each stream, as for an append of its own"),
    Route("revoke", "POST `-/revoke`", _REVOKE, "everything: `**`"),
    Route("kick", "POST `-/kick`", _REVOKE, "everything: `**`"),
    Route("session", "`GET`, `POST` and `DELETE` `-/session`", (), "a token's own session; `headwater serve` alone"),
    Route("ticket", "`POST` `-/ticket`", (), "what the ticket is to be worth, which one grant of who asks covers"),
    Route("connect", "WebSocket `-/connect`", (), "each message, as below"),
    Route("single", "WebSocket `{path}`", _READ, "the stream; `append` for each message"),
    Route("streams", "`GET /-/streams`", _LIST, "what the prefix begins"),
    Route("readers", "`GET /-/readers`", _LIST, "what the path begins"),
    Route("stats", "`GET /-/stats`", _LIST, "everything: `**`"),
    Route("overview", "`GET /-/overview`", _LIST, "everything: `**`"),
    Route("metrics", "`GET /-/metrics`", _LIST, "everything: `**`"),
    Route("health", "`GET /-/health`", ()),
    Route("ready", "`GET /-/ready`", ()),
    Route("version", "`GET /-/version`", ()),
    Route("page", "`GET /`, and the page's files", ()),
)

#: Messages of `-/connect` (docs/reference/websocket-messages.md), by their names.
MESSAGES: Final = (
    Route("sub", "`sub`", _READ, "the stream, with `presence` for who is there; of a pattern each that matches"),
    Route("append", "`append`", _APPEND, "the stream, with `close` and `create` where it asks for them"),
    Route("close", "`close`", _CLOSE),
    Route("fail", "`fail`", _CLOSE),
    Route("create", "`create`", _CREATE, "the stream; `read` of a fork's source"),
    Route("head", "`head`", _READ),
    Route("read", "`read`", _READ),
    Route("delete", "`delete`", _DELETE),
    Route("signal", "`signal`", _SIGNAL),
    Route("here", "`here`", _PRESENCE),
    Route("hello", "`hello`, `auth`, `unsub`, `ack`, `ping`, `pong`", (), "nothing"),
)

#: Routes of `headwater.llm` (`llm.http.access`): where an application's own `owner` says whose a request is, no grant
#: is asked for. A run that has an owner is that owner's in any case.
RUNS: Final = (
    Route("chat begin", "`POST {chats}` with the chat's id in its body", _CREATE, "`chats/{chat}`"),
    Route("chat watch", "`GET {chats}/{chat}/stream`", _READ, "`chats/{chat}`"),
    Route("chat state", "`GET {chats}/{chat}`, with what is running", _READ, "`chats/{chat}`"),
    Route("chat stop", "`POST {chats}/{chat}/stop`", _CLOSE, "`chats/{chat}`"),
    Route("run state", "`GET {runs}/{run}`", _READ, "`runs/{run}`"),
    Route("run watch", "`GET {runs}/{run}/stream`", _READ, "`runs/{run}`"),
    Route("run stop", "`POST {runs}/{run}/stop`", _CLOSE, "`runs/{run}`"),
    Route("proxy", "all of `headwater llm proxy`", (), "one of its clients' keys, if it has any; a run is its key's"),
)
