"""A request's head, as the service sees it, whoever carries it."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import msgspec

from headwater.errors import HeadwaterError
from headwater.protocol import names
from headwater.protocol.headers import Headers
from headwater.protocol.http1 import body_length
from headwater.protocol.responses import HeaderList


class Request(msgspec.Struct):
    """One request, complete but for its body.

    Attributes:
        method: upper case.
        raw_path: as sent, percent-encoded, without the query; what clients know of it, with what a proxy took away.
        path: decoded, below the application; empty, or with a leading slash.
        query: as sent.
        headers: as `headers.collect` gives them.
        version: of HTTP, such as `1.1`.
        fields: the header lines, in their order, names in lower case.
        host: what the client calls the server; empty: it did not say.
        origin: where the page is from that makes it; None: it is no page's.
        root: the part of the URL before the application, decoded, without a slash at its end.
        raw_root: the same as it stands in `raw_path`.
        is_origin_form: the target was a path, and no URL or asterisk (RFC 9112 section 3.2).
        memo: what a handler made of the head. It follows from the head's bytes alone, and holds for every request with
            the same ones; a decision never stands here.
        extra: further headers of every response, once the service has let the request in; they follow from the head
            without its target and the service's settings, and so does that it was let in.
        alike: what a handler made of the head, by the query: what follows from everything but the path. Shared by heads
            that differ in their targets only; None: its driver remembers none.
        fault: what its driver found wrong with it; the service refuses it.
    """

    method: str
    raw_path: str
    path: str
    query: bytes
    headers: Headers
    version: str
    fields: HeaderList
    host: bytes = b""
    origin: bytes | None = None
    root: str = ""
    raw_root: str = ""
    is_origin_form: bool = True
    memo: Any = None
    extra: HeaderList | None = None
    alike: dict[bytes, Any] | None = None
    fault: HeadwaterError | None = None

    @property
    def is_http1(self) -> bool:
        """Whether a response may close its connection; in HTTP/2 a request has no connection of its own."""
        return self.version in ("1.0", "1.1")

    @property
    def may_have_body(self) -> bool:
        """Whether a body of at least one byte is announced, or one whose length is not known.

        HTTP/2 announces none with its head.
        """
        return not self.is_http1 or names.TRANSFER_ENCODING in self.headers or bool(body_length(self.headers))

    @property
    def target(self) -> str:
        """Path and query as sent, for logs."""
        return f"{self.raw_path}?{self.query.decode('latin-1')}" if self.query else self.raw_path


def take_headers(request: Request, headers: Headers) -> None:
    """Set the headers of a request, and what is asked of each."""
    request.headers = headers
    request.host = headers.get(names.HOST, b"")
    request.origin = headers.get(names.ORIGIN)


def decoded(raw_path: bytes) -> str:
    """A path as applications see it: percent-decoded, as UTF-8; what is none becomes U+FFFD.

    Args:
        raw_path: as sent, ASCII.
    """
    text = raw_path.decode("ascii")
    return unquote(text) if "%" in text else text
