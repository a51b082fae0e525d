"""What a request of HTTP/1 must be before anybody asks what it wants (RFC 9112, and RFC 9110 for `Expect`).

Rule 1: whatever leaves it open where a request ends is refused, and the connection closes: nothing behind it may be
        taken for a request.
Rule 2: parsers check the syntax of lines; what they let through is decided here, for every server.
"""

from __future__ import annotations

from typing import Final, TypeVar

from headwater.errors import (
    BadRequest,
    CodingNotSupported,
    ExpectationFailed,
    HeadwaterError,
    MethodNotAllowed,
    VersionNotSupported,
)
from headwater.protocol import names
from headwater.protocol.headers import Headers

E = TypeVar("E", bound=HeadwaterError)

#: Digits of a `Content-Length`; what is longer is no size of anything.
MAX_LENGTH_DIGITS: Final = 18

_VERSIONS: Final = ("1.0", "1.1")


def check_head(method: str, version: str, headers: Headers) -> None:
    """Refuse a head that cannot be taken.

    Args:
        method: as sent.
        version: such as `1.1`.
        headers: as `headers.collect` gives them.

    Raises:
        VersionNotSupported: neither HTTP/1.0 nor 1.1.
        MethodNotAllowed: CONNECT, behind which there are no requests.
        BadRequest: it is not clear where its body ends (RFC 9112 section 6.3).
        CodingNotSupported: a transfer coding other than `chunked` (section 6.1).
        ExpectationFailed: an expectation other than `100-continue` (RFC 9110 section 10.1.1).
    """
    if version not in _VERSIONS:
        raise unread(VersionNotSupported(f"HTTP/{version} is not spoken here"))
    if method == "CONNECT":
        raise unread(MethodNotAllowed("this server is no proxy", allow="GET, HEAD, POST, PUT, DELETE, OPTIONS"))
    length = body_length(headers)
    if (codings := headers.get(names.TRANSFER_ENCODING)) is not None:
        _check_codings(codings, version, has_length=length is not None)
    if version == "1.1" and (expected := headers.get(names.EXPECT)) is not None:
        _check_expectations(expected)


def check_target(target: bytes) -> None:
    """Refuse a request target with a fragment, which clients keep to themselves (section 3.2).

    Raises:
        BadRequest: it has one.
    """
    if b"#" in target:
        raise unread(BadRequest("the request target has a fragment"))


def body_length(headers: Headers) -> int | None:
    """The length of a body, as its head has it; None: it says nothing.

    Raises:
        BadRequest: it is no number.
    """
    value = headers.get(names.CONTENT_LENGTH)
    if value is None:
        return None
    if not value.isdigit() or len(value) > MAX_LENGTH_DIGITS:
        raise unread(BadRequest("Content-Length is not a number of bytes"))
    return int(value)


def _check_codings(value: bytes, version: str, *, has_length: bool) -> None:
    if version != "1.1":
        raise unread(BadRequest("Transfer-Encoding needs HTTP/1.1"))
    if has_length:
        raise unread(BadRequest("Content-Length and Transfer-Encoding must not be sent together"))
    codings = _tokens(value)
    if not codings or codings[-1] != b"chunked" or codings.count(b"chunked") > 1:
        raise unread(BadRequest("Transfer-Encoding must end with chunked, once"))
    if len(codings) > 1:
        raise unread(CodingNotSupported(f"there is no transfer coding {codings[0][:40].decode('latin-1')!r} here"))


def _check_expectations(value: bytes) -> None:
    for expected in _tokens(value):
        if expected != b"100-continue":
            raise unread(ExpectationFailed(f"{expected[:40].decode('latin-1')!r} cannot be met"))


def expects_continue(version: str, headers: Headers) -> bool:
    """Whether the client waits for a word before it sends its body."""
    return version == "1.1" and b"100-continue" in _tokens(headers.get(names.EXPECT, b""))


def offers_upgrade(headers: Headers) -> bool:
    """Whether the client would go on in another protocol (RFC 9110 section 7.8)."""
    return b"upgrade" in headers and b"upgrade" in _tokens(headers.get(b"connection", b""))


def may_have_body(headers: Headers) -> bool:
    """Whether a body of at least one byte is announced, or one whose length is not known."""
    return names.TRANSFER_ENCODING in headers or bool(body_length(headers))


def _tokens(value: bytes) -> list[bytes]:
    """The members of a list, in lower case, empty ones left out (RFC 9110 section 5.6.1)."""
    return [token for part in value.lower().split(b",") if (token := part.strip(b" \t"))]


def unparsable(reason: str) -> HeadwaterError:
    """The refusal of bytes that are no request.

    Args:
        reason: the parser's (llhttp 9).
    """
    if "HTTP version" in reason or "PRI" in reason:
        return unread(VersionNotSupported("the request is not HTTP/1.0 or HTTP/1.1"))
    return unread(BadRequest(f"the request is not valid HTTP/1.1: {reason}"))


def unread(error: E) -> E:
    """The same error, behind which the connection closes."""
    error.unread = True
    return error
