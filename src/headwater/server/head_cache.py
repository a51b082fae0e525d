"""Request heads: parsed by httptools, and remembered.

Rule 1: clients send the same head again and again. The same bytes are the same request, so what was made of them once
        holds for the next time. Nothing here decides about a request.
Rule 2: many heads differ in their targets only. Where both are plain paths, what follows from the rest holds for both;
        such a target is one that the parser takes as it is, so that nothing here reads HTTP by itself.
Rule 3: the heads of one client's WebSockets differ in their keys only, which are random. They are one head without its
        key; the key is each request's own.
"""

from __future__ import annotations

import re
from binascii import Error as BinasciiError
from binascii import a2b_base64
from collections import OrderedDict
from copy import copy
from typing import Final

import httptools

from headwater.errors import BadRequest, HeadwaterError
from headwater.http.request import Request, decoded, take_headers
from headwater.protocol import names
from headwater.protocol.headers import collect
from headwater.protocol.http1 import check_head, check_target, unparsable, unread
from headwater.protocol.responses import HeaderList

#: Heads remembered, the last ones used, and the size of one: together at most 2 MiB with what is made of them.
MAX_HEADS: Final = 512
MAX_HEAD_BYTES: Final = 2048
#: Heads of which one is remembered for those that differ in their targets only, the newest ones.
MAX_KINDS: Final = 64
_KEY: Final = names.SEC_WEBSOCKET_KEY
#: With one of these a head is another one each time: a producer's and a sequence's numbers, a condition, a random key.
_NUMBERED: Final = frozenset({names.PRODUCER_ID, names.STREAM_SEQ, names.IF_MATCH, _KEY})
#: A request line whose target is a path and a query of RFC 3986, and nothing else.
_PLAIN_LINE: Final = re.compile(
    rb"([A-Z]+ )(/[\w.~!$&'()*+,;=:@/%-]*)(?:\?([\w.~!$&'()*+,;=:@/?%-]*))?( HTTP/1\.[01]\r\n)"
)
#: A WebSocket's key, sixteen bytes in base64, the line with it in a head, and what every head with one has besides.
_KEY_FORM: Final = re.compile(rb"[A-Za-z0-9+/]{21}[AQgw]==")
_KEY_BYTES: Final = 24
_KEY_SIZE: Final = 16
#: Its last letter has four bits of the key and no other.
_KEY_LAST_AT: Final = 21
_KEY_LAST: Final = b"AQgw"
_KEY_LINE: Final = re.compile(rb"\r\n(?i:sec-websocket-key): ?(" + _KEY_FORM.pattern + rb")\r\n")
_UPGRADE: Final = b"pgrade"
#: Lines that say whose page sends a head, whole ones.
_PAGE_LINES: Final = {
    name: re.compile(rb"\r\n(?i:%b):[ \t]*([\x21-\x7e]+)[ \t]*(?=\r\n)" % name) for name in (names.HOST, names.ORIGIN)
}
#: What the parser takes for HTTP as well, and is none.
_OTHERS: Final = (b"RTSP/", b"ICE/")


class Head(Request):
    """The head of a request of HTTP/1.

    Attributes:
        length: bytes of the body; None: it comes in chunks.
        keep_alive: the client goes on behind it (RFC 9112 section 9.3).
        expects: the client waits for a word before it sends its body.
        data: its bytes; empty: it is not remembered.
        is_used: it came again since one was last forgotten before it.
        is_keyed: a WebSocket's key was in its lines, and stands beside it.
    """

    length: int | None = 0
    keep_alive: bool = True
    expects: bool = False
    data: bytes = b""
    is_used: bool = False
    is_keyed: bool = False

    @property
    def may_have_body(self) -> bool:
        """See `Request.may_have_body`."""
        return self.length != 0


class Probe:
    """Feeds a parser with a head that has not come to its end, to find out soon that it is none."""

    __slots__ = ("_fed", "_parser")

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(_Nothing())
        self._fed = 0

    def look(self, data: bytes) -> None:
        """Look at what has come.

        Args:
            data: from the head's start on, each time.

        Raises:
            HeadwaterError: no head begins like this.
        """
        new, self._fed = data[self._fed :], len(data)
        try:
            self._parser.feed_data(new)
        except httptools.HttpParserUpgrade:
            pass
        except httptools.HttpParserError as error:
            raise unparsable(str(error)) from None


class _Nothing:
    """Callbacks of a parser that is only to find errors."""


class _Collector:
    """Callbacks of a parser that reads one head."""

    def __init__(self) -> None:
        self.url = b""
        self.fields: HeaderList = []
        self.is_complete = False
        self.keep_alive = False
        self.parser = httptools.HttpRequestParser(self)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.is_complete = True
        self.keep_alive = self.parser.should_keep_alive()


def parse_head(data: bytes) -> Head:
    """The head that these bytes are, with its empty line at the end.

    What is wrong with it is its `fault`, `unread`; the lines in front of that are there, and may tell whose page it is.
    """
    found = _Collector()
    parser = found.parser
    fault: HeadwaterError | None = None
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        pass  # never taken: it is a request like others (RFC 9110 section 7.8)
    except httptools.HttpParserError as error:
        fault = unparsable(str(error))
    else:
        # Of HTTP/2's preface, the parser waits for the rest.
        fault = None if found.is_complete else unparsable(f"{parser.get_method().decode('latin-1')} has no end")
    if fault is None and data[: data.find(b"\r\n")].rpartition(b" ")[2].startswith(_OTHERS):
        fault = unparsable("another protocol")
    method, version = parser.get_method().decode("latin-1"), parser.get_http_version()
    head = Head(method, found.url.decode("latin-1"), "", b"", {}, version, found.fields)
    # In HTTP/1.0 the end of the connection is the end of a response (RFC 9112 section 9.3 lets a server choose).
    head.keep_alive = found.keep_alive and version == "1.1"
    # They hold each other.
    del found.parser
    try:
        take_headers(head, collect(head.fields))
        if fault is None:
            _read(head, found.url)
    except HeadwaterError as error:
        fault = fault or unread(error)
    if fault is not None:
        take_headers(head, {**head.headers, **_page_of(data)})
        head.fault = fault
    return head


def _page_of(data: bytes) -> dict[bytes, bytes]:
    """Whose page sends a head that is refused, as far as its own lines say: the parser told none that came to nothing.

    Read by what a response says of origins alone. Of two lines of one name neither counts.
    """
    found: dict[bytes, bytes] = {}
    end = data.find(b"\r\n\r\n") + 2
    for name, line in _PAGE_LINES.items():
        lines = line.findall(data, 0, end if end > 1 else len(data))
        if len(lines) == 1:
            found[name] = lines[0]
    return found


def _read(head: Head, url: bytes) -> None:
    """Fill in what follows from the lines of a head."""
    headers = head.headers
    check_head(head.method, head.version, headers)
    check_target(url)
    authority, path, head.query = _split(url)
    head.is_origin_form = url.startswith(b"/")
    if authority is not None:
        if names.HOST not in headers and head.version == "1.1":
            raise BadRequest("HTTP/1.1 needs a Host header with a name")
        take_headers(head, {**headers, names.HOST: authority})
    head.raw_path = path.decode("latin-1")
    head.path = decoded(path)
    if names.TRANSFER_ENCODING in headers:
        head.length = None
    else:
        head.length = int(headers.get(names.CONTENT_LENGTH, b"0"))
    head.expects = head.version == "1.1" and names.EXPECT in headers


def _split(url: bytes) -> tuple[bytes | None, bytes, bytes]:
    """A request target: its authority, None if it has none; its path; its query (RFC 9112 section 3.2)."""
    if not url.isascii():
        raise BadRequest("the request target has characters that are not ASCII")
    authority: bytes | None = None
    if not url.startswith(b"/") and url != b"*":
        scheme, mark, rest = url.partition(b"://")
        if not mark or scheme.lower() not in (b"http", b"https"):
            raise BadRequest("the request target is neither a path nor a URL of http or https")
        end = min((at for at in (rest.find(b"/"), rest.find(b"?")) if at >= 0), default=len(rest))
        authority, url = rest[:end], rest[end:]
        if not authority or b"@" in authority:
            raise BadRequest("the authority of the request target is no host with an optional port")
        url = url if url.startswith(b"/") else b"/" + url
    path, _, query = url.partition(b"?")
    return authority, path, query


class Handshakes:
    """The heads of WebSockets that differ in their keys only.

    Args:
        head: of all of them, without the key.
        before: the bytes in front of the key.
        behind: those behind it.

    Attributes:
        head: as given.
    """

    __slots__ = ("_before", "_behind", "_size", "head")

    def __init__(self, head: Head, before: bytes, behind: bytes) -> None:
        self.head: Final = head
        self._before: Final = before
        self._behind: Final = behind
        self._size: Final = len(before) + _KEY_BYTES + len(behind)

    def key_in(self, data: bytes) -> bytes:
        """The key in a head of these; empty: it is none of them."""
        if len(data) != self._size or not data.startswith(self._before) or not data.endswith(self._behind):
            return b""
        begin = len(self._before)
        key = data[begin : begin + _KEY_BYTES]
        try:  # the same as `_KEY_FORM`, which takes twice as much
            is_key = key[_KEY_LAST_AT] in _KEY_LAST and len(a2b_base64(key, strict_mode=True)) == _KEY_SIZE
        except BinasciiError:
            return b""
        return key if is_key else b""


class HeadCache:
    """The heads that came last, by their bytes, and one of each kind that differs in its targets or keys only.

    Which are the last ones is known roughly: one that came again stays for another round. To note that costs a request
    nothing.

    Attributes:
        known: those that are remembered; `get` finds the others.
        handshakes: the kind of the last WebSocket's; None: there was none.
        key: of the head that was given last, where that `is_keyed`.
    """

    def __init__(self) -> None:
        self.known: dict[bytes, Head] = {}
        self.handshakes: Handshakes | None = None
        self.key = b""
        self._alike: OrderedDict[tuple[bytes, bytes], Head] = OrderedDict()
        self._keyed: OrderedDict[tuple[bytes, bytes], Handshakes] = OrderedDict()

    def get(self, data: bytes) -> Head:
        """The head that these bytes are; see `parse_head`."""
        found = self.known.get(data)
        if found is not None:
            if not found.is_used:
                found.is_used = True
            return found
        key = _KEY_LINE.search(data) if _UPGRADE in data else None
        return self._other(data) if key is None else self._with_key(data, key)

    def _with_key(self, data: bytes, key: re.Match[bytes]) -> Head:
        """The head of a handshake: that of its kind."""
        kind = data[: key.start(1)], data[key.end(1) :]
        found = self._keyed.get(kind)
        if found is None:
            head = parse_head(data)
            headers = head.headers
            # Of two keys neither is it; where there is no version, having a key says what the request wants.
            if head.fault or headers[_KEY] != key[1] or names.SEC_WEBSOCKET_VERSION not in headers:
                return head
            if len(data) > MAX_HEAD_BYTES:
                return head
            head.is_keyed = True
            head.fields.remove((_KEY, key[1]))
            head.headers = {name: value for name, value in headers.items() if name != _KEY}
            found = self._keyed[kind] = Handshakes(head, *kind)
            if len(self._keyed) > MAX_KINDS:
                self._keyed.popitem(last=False)
        else:
            self._keyed.move_to_end(kind)
        self.handshakes, self.key = found, key[1]
        return found.head

    def _other(self, data: bytes) -> Head:
        line = _PLAIN_LINE.match(data)
        kind = None if line is None else (line[1], data[line.start(4) :])
        alike = self._alike.get(kind) if kind is not None else None
        if line is None or alike is None:
            head = parse_head(data)
            head.alike = {}
        else:
            head = copy(alike)
            head.raw_path, head.query, head.memo, head.data = line[2].decode(), line[3] or b"", None, b""
            head.is_used = False
            head.path = decoded(line[2]) if "%" in head.raw_path else head.raw_path
        if len(data) <= MAX_HEAD_BYTES and head.fault is None and _NUMBERED.isdisjoint(head.headers):
            self.known[data], head.data = head, data
            if len(self.known) > MAX_HEADS:
                self._forget_one()
            if kind is not None and alike is None:
                self._alike[kind] = head
                if len(self._alike) > MAX_KINDS:
                    self._alike.popitem(last=False)
        return head

    def _forget_one(self) -> None:
        known = self.known
        while (head := known.pop(next(iter(known)))).is_used:
            head.is_used = False
            known[head.data] = head

    def __len__(self) -> int:
        return len(self.known)
