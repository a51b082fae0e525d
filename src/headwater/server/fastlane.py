"""The fast lane: small appends answered from uvicorn's protocol, without an ASGI scope, cycle and task.

Rule 1: it decides nothing. `protocol.requests` reads the request, the hub writes, `protocol.responses` answers, as
        for every other request; what is not plain goes the usual way through ASGI.
Rule 2: while an append waits for its commit, uvicorn sees a request under way: what a client pipelines behind it waits.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from headwater.asgi.streams import append_body
from headwater.errors import HeadwaterError
from headwater.hub import Engine
from headwater.protocol import names
from headwater.protocol.cors import ANY, HostPolicy
from headwater.protocol.requests import Headers, Write, parse_request
from headwater.protocol.responses import Answer, failed

#: Bodies of this size arrive with their head, in one or two reads; larger ones gain nothing here.
MAX_BODY_BYTES: Final = 64 * 1024

_log: Final = logging.getLogger("headwater")

#: With one of these a request is not plain: it asks for something before its body, or is a page's.
_NOT_PLAIN: Final = (b"expect", b"transfer-encoding", b"upgrade", b"connection", names.ORIGIN)


class Pending:
    """Stands for uvicorn's request cycle while an append is under way.

    Attributes:
        response_complete: the answer is written.
        disconnected: the client is gone.
        body: what has arrived of it.
        keep_alive: the connection may go on; a stop of the server clears it.
        message_event: set when the connection is lost; nobody waits for it.
    """

    __slots__ = ("body", "disconnected", "headers", "keep_alive", "message_event", "path", "response_complete")

    def __init__(self, path: str, headers: Headers) -> None:
        self.path = path
        self.headers = headers
        self.body = b""
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = True
        self.message_event = _NOBODY


class _Nobody:
    def set(self) -> None:
        """Nobody waits."""


_NOBODY: Final = _Nobody()


class FastLane:
    """What the connections of a server share.

    Args:
        hub: where appends go.
        prefix: where streams begin in URLs.
        allowed_hosts: names the server answers to.
    """

    def __init__(self, hub: Engine, prefix: str, allowed_hosts: tuple[str, ...] = (ANY,)) -> None:
        self._hosts = HostPolicy(allowed_hosts)
        self._hub = hub
        self._prefix = prefix.encode()
        self._limit = min(MAX_BODY_BYTES, hub.limits.max_body_bytes)

    def admit(self, method: bytes, url: bytes, headers: list[tuple[bytes, bytes]]) -> Pending | None:
        """The request, if it is a plain append; None: the usual way.

        Args:
            method: as sent.
            url: as sent; encoded characters and query strings go the usual way.
            headers: names in lower case.
        """
        if method != b"POST" or not url.startswith(self._prefix) or b"%" in url or b"?" in url or not url.isascii():
            return None
        found = dict(headers)
        length = found.get(names.CONTENT_LENGTH)
        if length is None or not length.isdigit() or len(length) > 6 or int(length) > self._limit:
            return None
        if any(name in found for name in _NOT_PLAIN) or not self._hub.is_open:
            return None
        if not self._hosts.allows(found.get(names.HOST, b"")):
            return None
        return Pending(url[len(self._prefix) :].decode(), found)

    async def append(self, pending: Pending) -> Answer:
        """The answer to an admitted request whose body is there."""
        try:
            command = parse_request(
                "POST", pending.path, b"", pending.headers, max_path_bytes=self._hub.limits.max_path_bytes
            )
            assert isinstance(command, Write)
            return await append_body(self._hub, command, pending.body)
        except HeadwaterError as error:
            return self._refused(error)
        except Exception:
            _log.exception("POST %s", pending.path)
            return self._refused(HeadwaterError("the server made an error; its log has the details"))

    def _refused(self, error: HeadwaterError) -> Answer:
        self._hub.stats.errors[error.code] += 1
        return failed(error)


def to_bytes(answer: Answer, default_headers: list[tuple[bytes, bytes]], *, keep_alive: bool) -> bytes:
    """A whole answer in HTTP/1.1."""
    parts: list[Any] = [STATUS_LINE[answer.status]]
    for name, value in (*default_headers, *answer.headers):
        parts += (name, b": ", value, b"\r\n")
    if answer.status != 204:
        parts.append(b"content-length: %d\r\n" % len(answer.body))
    if not keep_alive:
        parts.append(b"connection: close\r\n")
    parts += (b"\r\n", answer.body)
    return b"".join(parts)
