"""What concerns several streams: the words below the root, `-/many`, `-/append` and `-/connect`.

Rule: a guard by path, in front of the server or around a mounted hub, does not see which streams such a request names.
So they are served only where the hub was told to, or asks an application about each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec

from headwater.errors import MultiStreamClosed, RouteNotFound
from headwater.http import many, revocation, sessions, tickets, together
from headwater.http.access.ambient import OwnPages
from headwater.http.exchange import Exchange, Work, body_of
from headwater.http.permission import Permission
from headwater.http.request import Request
from headwater.http.websocket import door
from headwater.http.writes import weight_of
from headwater.hub import Engine
from headwater.protocol import responses
from headwater.protocol.cors import preflight_headers
from headwater.protocol.many import Names
from headwater.protocol.paths import PrivatePaths
from headwater.protocol.together import parse_lines


class Word(msgspec.Struct, frozen=True):
    """A word below the root.

    Attributes:
        check: refuses what cannot be such a request, by its head.
        serve: does what it asks for.
        where: a request names its streams.
    """

    check: Callable[[Request], None]
    serve: Callable[[Exchange], Work]
    where: str


class SeveralStreams:
    """Serves them.

    Args:
        hub: whose streams they are.
        root: where streams begin.
        private: streams that are not served.
        permission: asked about each stream.
        websockets: of the same hub.
        pages: that may begin a session.
        multi: serve them also where nobody is asked.

    Attributes:
        words: by the paths below which they are.
        is_open: what names many streams is served.
        transports: by which a stream can be read live; a WebSocket connection may name many.
    """

    def __init__(
        self,
        hub: Engine,
        root: str,
        private: PrivatePaths,
        permission: Permission,
        websockets: door.WebSockets,
        pages: OwnPages,
        *,
        multi: bool,
    ) -> None:
        self._websockets: Final = websockets
        self._hub: Final = hub
        self._private: Final = private
        self._permission: Final = permission
        self.is_open: Final = multi or not permission.is_open
        self.transports: Final = responses.TRANSPORTS + (b", websocket" if self.is_open else b"")
        self.words: Final[dict[str, Word]] = {
            root + together.WORD: Word(together.check_head, self._append, together.WHERE),
            root + many.WORD: Word(many.check_head, self._read, many.WHERE),
            root + door.WORD: Word(door.check_head, self._nothing, door.WHERE),
        }
        if not permission.is_open:  # who may do everything may not end everybody's readers
            for word in (revocation.REVOKE, revocation.KICK):
                self.words[root + word] = Word(revocation.check_head, partial(self._take_back, word), "")
            route = tickets.TicketRoute(permission, pages, hub.limits.max_path_bytes, private)
            self.words[root + tickets.WORD] = Word(tickets.check_head, route.serve, "")
        if permission.tokens is not None:  # an application has its own sessions
            serve = sessions.SessionRoute(permission, permission.tokens, pages).serve
            self.words[root + sessions.WORD] = Word(sessions.check_head, serve, "")

    def serve(self, exchange: Exchange) -> Work | None:
        """Do what a request asks for; its path is one of these.

        Raises:
            MultiStreamClosed: they are not served here.
            HeadwaterError: refused.
        """
        word = self.words[exchange.request.path]
        if exchange.request.method == "OPTIONS":
            exchange.respond(responses.allowed(preflight_headers()))
            return None
        if not self._permission.is_open:
            self._permission.credential(exchange)  # which pages may come, before a body is read
        word.check(exchange.request)
        self._check_open(word.where)
        return word.serve(exchange)

    def connect(self, exchange: Exchange) -> Work | None:
        """Do what a WebSocket asks for; its path is one of these.

        Raises:
            RouteNotFound: the word is none of a WebSocket.
            MultiStreamClosed: they are not served here.
            HeadwaterError: refused.
        """
        word = self.words[exchange.request.path]
        if word.where is not door.WHERE:
            raise RouteNotFound(f"there is no WebSocket at {exchange.request.path[:80]!r}; there is one at {door.WORD}")
        self._check_open(word.where)
        return self._websockets.connect(exchange)

    def _check_open(self, where: str) -> None:
        if not self.is_open:
            raise MultiStreamClosed(f"{where}, where whatever guards the paths of URLs does not see them")
        self._hub.runtime.gate.check()

    async def _nothing(self, exchange: Exchange) -> None:
        """A connection is served as a WebSocket alone."""

    async def _take_back(self, word: str, exchange: Exchange) -> None:
        go = partial(revocation.serve, self._hub, exchange, word, self._permission.check)
        work = self._permission.then(exchange, revocation.ASKS, go)
        if work is not None:
            await work

    def _read(self, exchange: Exchange) -> Work:
        names = Names(self._hub.limits.max_path_bytes, self._private)
        return many.ManyReads(self._hub, names, self._permission).serve(exchange)

    async def _append(self, exchange: Exchange) -> None:
        body, limit = await body_of(exchange), self._hub.limits.max_path_bytes
        await self._hub.runtime.bulk.come(weight_of(body))
        appends = parse_lines(body, max_path_bytes=limit, private=self._private)
        asks = together.asks_of_appends(appends)
        go = partial(together.write, self._hub, exchange, appends, self._permission)
        work = self._permission.then(exchange, asks, go)
        if work is not None:
            await work
