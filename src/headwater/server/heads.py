"""Request heads: parsed by httptools, and remembered.

Clients send the same head again and again. The same bytes at the start of a message are the same request, so what
was made of them once holds for the next time. Nothing here reads HTTP by itself.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import httptools
import msgspec

T = TypeVar("T")

#: Heads remembered, the last ones used, and the size of one: together at most 2 MiB with what is made of them.
MAX_HEADS: Final = 512
MAX_HEAD_BYTES: Final = 2048


class Head(msgspec.Struct, frozen=True, gc=False):
    """A request's head.

    Attributes:
        method: as sent.
        url: as sent.
        headers: names in lower case; of a repeated header, the last one.
    """

    method: bytes
    url: bytes
    headers: dict[bytes, bytes]


class _Collector:
    """Receives the callbacks of httptools."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: dict[bytes, bytes] = {}
        self.is_complete = False
        self.has_more = False

    def on_message_begin(self) -> None:
        self.has_more = self.is_complete

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self.is_complete = True

    def on_body(self, body: bytes) -> None:
        self.has_more = True


def parse_head(data: bytes) -> Head | None:
    """The head that these bytes are, all of them; None: they are none, or one of another version than HTTP/1.1."""
    found = _Collector()
    parser = httptools.HttpRequestParser(found)
    try:
        parser.feed_data(data)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        return None
    # Bytes after the head's end would have been taken for its body or another request.
    if not found.is_complete or found.has_more or parser.get_http_version() != "1.1":
        return None
    return Head(parser.get_method(), found.url, found.headers)


class Heads(Generic[T]):
    """What heads mean, by their bytes.

    Args:
        understand: what a head means, and whether that may be remembered.
    """

    def __init__(self, understand: Callable[[Head], tuple[T | None, bool]]) -> None:
        self._understand = understand
        self._known: OrderedDict[bytes, T | None] = OrderedDict()

    def meaning(self, data: bytes) -> T | None:
        """What is meant by a head with its empty line at the end; None: nothing."""
        try:
            found = self._known[data]
        except KeyError:
            return self._learn(data)
        self._known.move_to_end(data)
        return found

    def _learn(self, data: bytes) -> T | None:
        if len(data) > MAX_HEAD_BYTES:
            return None
        head = parse_head(data)
        if head is None:
            return None
        found, keep = self._understand(head)
        if keep:
            self._known[data] = found
            if len(self._known) > MAX_HEADS:
                self._known.popitem(last=False)
        return found

    def __len__(self) -> int:
        return len(self._known)
