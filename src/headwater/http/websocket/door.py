"""The requests that become WebSockets: the handshake checked, the application asked, and what takes the connection."""

from __future__ import annotations

from functools import partial
from threading import get_ident
from typing import Final

from headwater.errors import MethodNotAllowed, RouteNotFound
from headwater.http.authorize import Credential
from headwater.http.duplex import Duplex, Receiver
from headwater.http.exchange import Exchange, Upgrade, Work
from headwater.http.permission import Permission
from headwater.http.plan import Plan
from headwater.http.request import Request
from headwater.http.websocket.operations import OPERATIONS
from headwater.http.websocket.session import Session
from headwater.http.websocket.shared import door_of
from headwater.http.websocket.single import Single
from headwater.http.websocket.subprotocol import Subprotocol
from headwater.http.websocket.wires import Wires
from headwater.hub import Engine
from headwater.hub.peers import Peer, address_of
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.asks import asks_of
from headwater.protocol.cors import CorsPolicy
from headwater.protocol.many import Names
from headwater.protocol.paths import check_encoding
from headwater.protocol.websocket import handshake
from headwater.protocol.websocket.agreed import Deflate
from headwater.protocol.websocket.codecs import CODECS
from headwater.protocol.websocket.single import AskedSingle, parse_single

#: Below the root.
WORD: Final = "-/connect"
#: Who has come by a connection of our own, as far as that is known by then.
_DIRECT: Final = Peer("websocket")
#: Where a client names its streams.
WHERE: Final = "a connection of many streams names them in its messages"


def check_head(request: Request) -> None:
    """Refuse a request for a connection that is no handshake; what is one comes otherwise.

    Raises:
        MethodNotAllowed: it is no GET.
        UpgradeRequired: it is none.
    """
    if request.method != "GET":
        raise MethodNotAllowed(f"{request.method[:20]!r} is not a method of {WORD}", allow="GET, OPTIONS")
    raise handshake.required()


class WebSockets:
    """Serves them.

    Args:
        hub: behind it.
        permission: asked about each stream.
        stream_names: what a name may be.
        cors: whose pages may connect.
        wires: how connections are told.
    """

    def __init__(
        self, hub: Engine, permission: Permission, stream_names: Names, cors: CorsPolicy, wires: Wires
    ) -> None:
        self._hub: Final = hub
        self._permission: Final = permission
        self._cors: Final = cors
        self._names: Final = stream_names
        self._wires: Final = wires
        self._door: Final = door_of(hub, permission, stream_names, OPERATIONS)
        #: Of connections whose messages may be compressed.
        self._compressed: Final[dict[tuple[str, int], Subprotocol]] = {}

    def connect(self, exchange: Exchange) -> Work | None:
        """Serve `-/connect`.

        Args:
            exchange: the request.

        Raises:
            HeadwaterError: refused.
        """
        accept, request = self.check(exchange), exchange.request
        name = handshake.choose(handshake.offered(request.headers), CODECS)
        deflate = self._wires.agree(request.headers)
        session = partial(self._session, self._spoken(name, deflate), deflate, exchange.is_forwarded)
        upgrade = Upgrade(name, session, self._hub.limits.max_body_bytes, deflate)
        request.memo = Plan(upgrade, self._connect_again)
        if self._permission.bounds is not None:
            self._permission.count_connect(ANYBODY, exchange)
        return exchange.upgrade(upgrade, accept)

    def _connect_again(self, exchange: Exchange, upgrade: Upgrade, access: Access) -> Work | None:
        """The same for a head that was seen before, but for its key."""
        gate, permission = self._hub.runtime.gate, self._permission
        if get_ident() != gate.thread:
            raise gate.refusal()
        if not permission.is_free:
            permission.credential(exchange)
        if permission.bounds is not None:
            permission.count_connect(ANYBODY, exchange)
        return exchange.upgrade(upgrade, handshake.accept_of(exchange.websocket_key))

    def read_one(self, exchange: Exchange, path: str, prefix: str) -> Work | None:
        """Serve a stream at its own URL.

        Args:
            exchange: the request.
            path: of the URL, decoded.
            prefix: where streams begin.

        Raises:
            HeadwaterError: refused.
        """
        request, hub = exchange.request, self._hub
        if not path.startswith(prefix):
            raise RouteNotFound(f"there is no WebSocket at {path[:80]!r}; streams are under {prefix}")
        accept = self.check(exchange)
        handshake.check_none(handshake.offered(request.headers))
        hub.runtime.gate.check()
        check_encoding(request.raw_path.encode("latin-1"))
        asked = parse_single(path[len(prefix) :], request.query, self._names)
        return self._permission.then(exchange, asks_of(asked.command), partial(self._one, exchange, accept, asked))

    def _one(self, exchange: Exchange, accept: bytes, asked: AskedSingle, access: Access) -> Work | None:
        self._permission.count_connect(access, exchange)
        single, most = partial(self._single, asked, access), self._hub.limits.max_body_bytes
        return exchange.upgrade(Upgrade("", single, most, self._wires.agree(exchange.request.headers)), accept)

    def _single(
        self, asked: AskedSingle, access: Access, exchange: Exchange, sink: Duplex, deflate: Deflate | None
    ) -> Receiver:
        client, form = exchange.client, self._wires.single(asked, deflate)
        peer = Peer("websocket", asked.command.reader, address_of(client), access)
        credential, warned = self._credential(exchange), self._door.warned
        return Single(self._hub, self._permission, sink, asked, form, peer, credential, client, warned)

    def _credential(self, exchange: Exchange) -> Credential | None:
        return None if self._permission.is_free else self._permission.credential(exchange)

    def check(self, exchange: Exchange) -> bytes:
        """What the response says of the key; empty where the request came without one.

        Raises:
            HeadwaterError: it is no handshake, or from a page that may not connect.
        """
        request = exchange.request
        if request.origin is not None:
            handshake.check_page(self._cors, request.origin, request.host)
        if not self._permission.is_free:
            self._permission.credential(exchange)
        return handshake.check_key(request.headers, exchange.websocket_key) if exchange.has_key else b""

    def _session(
        self,
        spoken: Subprotocol,
        agreed: Deflate | None,
        is_forwarded: bool,
        exchange: Exchange,
        sink: Duplex,
        deflate: Deflate | None,
    ) -> Receiver:
        if deflate is not agreed:  # a server that makes the frames itself compresses them itself
            spoken = self._spoken(spoken.codec.name, deflate)
        # A connection of our own tells its client's address when somebody asks.
        if self._permission.is_free:
            return Session(self._door, spoken, sink, None, self._peer(exchange) if is_forwarded else _DIRECT)
        return Session(self._door, spoken, sink, self._permission.credential(exchange), self._peer(exchange))

    def _peer(self, exchange: Exchange) -> Peer:
        return Peer("websocket", None, address_of(exchange.client))

    def _spoken(self, name: str, deflate: Deflate | None) -> Subprotocol:
        plain = self._door.subprotocols[name]
        if deflate is None:
            return plain
        found = self._compressed.get((name, deflate.window))
        if found is None:
            codec, telling = self._wires.of(name, deflate)
            found = Subprotocol(codec, telling, plain.welcome, self._hub.live, self._names)
            self._compressed[name, deflate.window] = found
        return found
