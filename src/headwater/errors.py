"""Every error Headwater raises, and the one table of their codes.

Rule 1: an error is a class here, with a stable ``code``. Nothing else invents a status or a code.
Rule 2: the docstring's first line is the title that users see; ``advice`` says what to do about it.

::

    HeadwaterError                     500 internal
    ├── BadRequest                     400 bad-request
    │   ├── InvalidPath                400 invalid-path
    │   ├── InvalidOffset              400 invalid-offset
    │   ├── InvalidBody                400 invalid-body
    │   ├── InvalidProducer            400 invalid-producer
    │   └── UnknownDialect             400 unknown-dialect
    ├── NotAuthorized                  401 not-authorized
    ├── Refused                        403 refused
    │   ├── HostNotAllowed             403 host-not-allowed
    │   ├── OriginNotAllowed           403 origin-not-allowed
    │   └── ProducerFenced             403 producer-fenced
    ├── StreamNotFound                 404 stream-not-found
    ├── RunNotFound                    404 run-not-found
    ├── RouteNotFound                  404 route-not-found
    ├── MethodNotAllowed               405 method-not-allowed
    ├── NotAcceptable                  406 not-acceptable
    ├── RequestTimeout                 408 request-timeout
    ├── Conflict                       409 conflict
    │   ├── StreamExists               409 stream-exists
    │   ├── RunExists                  409 run-exists
    │   ├── StreamClosed               409 stream-closed
    │   ├── StreamFailed               409 stream-failed
    │   ├── ContentTypeMismatch        409 content-type-mismatch
    │   ├── SequenceRegression         409 sequence-regression
    │   ├── ProducerGap                409 producer-gap
    │   └── SourceGone                 409 source-gone
    ├── Gone                           410 gone
    │   ├── StreamGone                 410 stream-gone
    │   └── OffsetGone                 410 offset-gone
    ├── TooLarge                       413 too-large
    │   ├── PathTooLong                414 path-too-long
    │   └── HeadersTooLarge            431 headers-too-large
    ├── UnsupportedCoding              415 unsupported-coding
    ├── LimitReached                   429 limit-reached
    ├── Unavailable                    503 unavailable
    │   ├── StoreUnavailable           503 store-unavailable
    │   ├── TooManyConnections         503 too-many-connections
    │   └── ShuttingDown               503 shutting-down
    ├── SourceFailed                   502 source-failed
    │   └── UnknownItem                502 unknown-item
    ├── UpstreamUnreachable            502 upstream-unreachable
    └── MissingExtra                   501 missing-extra
"""

from __future__ import annotations

from typing import ClassVar, Final

__all__ = [
    "BadRequest",
    "Conflict",
    "ContentTypeMismatch",
    "Gone",
    "HeadersTooLarge",
    "HeadwaterError",
    "HostNotAllowed",
    "InvalidBody",
    "InvalidOffset",
    "InvalidPath",
    "InvalidProducer",
    "LimitReached",
    "MethodNotAllowed",
    "MissingExtra",
    "NotAcceptable",
    "NotAuthorized",
    "OffsetGone",
    "OriginNotAllowed",
    "PathTooLong",
    "ProducerFenced",
    "ProducerGap",
    "Refused",
    "RequestTimeout",
    "RouteNotFound",
    "RunExists",
    "RunNotFound",
    "SequenceRegression",
    "ShuttingDown",
    "SourceFailed",
    "SourceGone",
    "StoreUnavailable",
    "StreamClosed",
    "StreamExists",
    "StreamFailed",
    "StreamGone",
    "StreamNotFound",
    "TooLarge",
    "TooManyConnections",
    "Unavailable",
    "UnknownDialect",
    "UnknownItem",
    "UnsupportedCoding",
    "UpstreamUnreachable",
    "error_table",
]


class HeadwaterError(Exception):
    """Something went wrong inside the server.

    Args:
        message: what happened, for this one case.
        **details: facts a program may need, such as an offset; they become fields of the JSON body.

    Attributes:
        message: what happened; the class title when none was given.
        details: the facts, by field name.
    """

    #: Stable name of the error, the same on every transport.
    code: ClassVar[str] = "internal"
    #: HTTP status code (RFC 9110 section 15).
    status: ClassVar[int] = 500
    #: WebSocket close code (RFC 6455 section 7.4; 4000-4999 are ours).
    ws_close: ClassVar[int] = 1011
    #: What the client should do about it.
    advice: ClassVar[str] = "Try again; if it stays, read the server's log."
    #: Seconds after which a retry makes sense, sent as ``Retry-After``; None: a retry does not help.
    retry_after: ClassVar[int | None] = None

    def __init__(self, message: str = "", **details: str | int | bool) -> None:
        self.message = message or self.title()
        self.details: Final = details
        super().__init__(self.message)

    @classmethod
    def title(cls) -> str:
        """The first line of the class docstring, without its full stop."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")


class BadRequest(HeadwaterError):
    """The request is malformed."""

    code, status, ws_close = "bad-request", 400, 4400
    advice = "Correct the request; sending it again unchanged will fail again."


class InvalidPath(BadRequest):
    """The stream path is not allowed."""

    code = "invalid-path"
    advice = "Use printable segments between single slashes; none of them '.' or '..', and the first one not '-'."


class InvalidOffset(BadRequest):
    """The offset is not one this stream gave out."""

    code = "invalid-offset"
    advice = "Use -1, now, or an offset from Stream-Next-Offset or an event id of this stream."


class InvalidBody(BadRequest):
    """The body does not fit the stream's content type."""

    code = "invalid-body"
    advice = "Send one JSON value, or an array of values with at least one element, in UTF-8."


class InvalidProducer(BadRequest):
    """The producer headers are not valid."""

    code = "invalid-producer"
    advice = "Send Producer-Id, Producer-Epoch and Producer-Seq together; a new epoch starts at sequence 0."


class UnknownDialect(BadRequest):
    """There is no dialect of this name."""

    code = "unknown-dialect"
    advice = "Use one of the names in the message."


class NotAuthorized(HeadwaterError):
    """The request does not say who makes it, or not credibly."""

    code, status, ws_close = "not-authorized", 401, 4401
    advice = "Send a key that the server knows."


class Refused(HeadwaterError):
    """The server refuses the request."""

    code, status, ws_close = "refused", 403, 4403
    advice = "Do not retry; ask for the right to do this."


class HostNotAllowed(Refused):
    """The server is not called by this name."""

    code = "host-not-allowed"
    advice = "Use the server's own address, or add the name to the allowed_hosts setting."


class OriginNotAllowed(Refused):
    """The page's origin may not use this server."""

    code = "origin-not-allowed"
    advice = "Add the origin to the cors_origins setting of the server."


class ProducerFenced(Refused):
    """A newer epoch of this producer is active."""

    code, ws_close = "producer-fenced", 4409
    advice = "Stop this producer; or claim the id again with an epoch above the one in Producer-Epoch, from sequence 0."


class StreamNotFound(HeadwaterError):
    """There is no stream at this path."""

    code, status, ws_close = "stream-not-found", 404, 4404
    advice = "Create it with PUT, or check the path; an expired stream is gone as if deleted."


class RunNotFound(HeadwaterError):
    """There is no such run, or it is somebody else's."""

    code, status, ws_close = "run-not-found", 404, 4404
    advice = "Check the id, and that the request is made for the one who started the run."


class RouteNotFound(HeadwaterError):
    """There is nothing at this URL."""

    code, status, ws_close = "route-not-found", 404, 4404
    advice = "Streams live under the server's prefix, introspection under /-/."


class MethodNotAllowed(HeadwaterError):
    """The method is not one this URL answers."""

    code, status, ws_close = "method-not-allowed", 405, 4405
    advice = "Use one of the methods in the Allow header."


class NotAcceptable(HeadwaterError):
    """The server has no form of the answer that the client accepts."""

    code, status, ws_close = "not-acceptable", 406, 4406
    advice = "Accept identity, or one of the codings in the message."


class RequestTimeout(HeadwaterError):
    """The request took too long to arrive."""

    code, status, ws_close = "request-timeout", 408, 4408
    advice = "Send the head and the body without long pauses."


class Conflict(HeadwaterError):
    """The request conflicts with the stream's state."""

    code, status, ws_close = "conflict", 409, 4409
    advice = "Read the stream's state with HEAD before trying again."


class StreamExists(Conflict):
    """A stream with another configuration is at this path."""

    code = "stream-exists"
    advice = "Use the same content type, expiry, closure and fork as the existing stream, or another path."


class RunExists(Conflict):
    """Another run has this id."""

    code = "run-exists"
    advice = "Leave the id out, or use another; the same idempotency key always gives the same run."


class StreamClosed(Conflict):
    """The stream is closed and takes no more records."""

    code = "stream-closed"
    advice = "Stop appending; Stream-Next-Offset is the stream's final offset."


class StreamFailed(Conflict):
    """The stream ended before it was complete."""

    code = "stream-failed"
    advice = "What was read is all there is; start what writes it again, in another stream."


class ContentTypeMismatch(Conflict):
    """The content type is not the stream's."""

    code = "content-type-mismatch"
    advice = "Send the content type that HEAD returns for the stream."


class SequenceRegression(Conflict):
    """Stream-Seq is not greater than the last one."""

    code = "sequence-regression"
    advice = "Send values that grow in byte order, such as zero-padded numbers; the scope is the stream."


class ProducerGap(Conflict):
    """A producer sequence number is missing."""

    code = "producer-gap"
    advice = "Send the requests again from Producer-Expected-Seq."


class SourceGone(Conflict):
    """The stream to fork from was deleted."""

    code = "source-gone"
    advice = "Fork from a stream that still exists."


class Gone(HeadwaterError):
    """What was asked for is gone for good."""

    code, status, ws_close = "gone", 410, 4410
    advice = "Do not retry."


class StreamGone(Gone):
    """The stream was deleted, and kept only for its forks."""

    code = "stream-gone"
    advice = "Read one of its forks; the path is free again when the last fork is deleted."


class OffsetGone(Gone):
    """The records at this offset are no longer kept."""

    code = "offset-gone"
    advice = "Read from the 'earliest' offset in the body, or from -1; what lay before is lost."


class TooLarge(HeadwaterError):
    """The body is larger than the server takes."""

    code, status, ws_close = "too-large", 413, 1009
    advice = "Split the data into several appends, or raise max_body_bytes."


class PathTooLong(TooLarge):
    """The URL is longer than the server takes."""

    code, status = "path-too-long", 414
    advice = "Use a shorter stream path or query, or raise max_path_bytes."


class HeadersTooLarge(TooLarge):
    """The headers are larger than the server takes."""

    code, status = "headers-too-large", 431
    advice = "Send fewer or shorter headers, or raise max_header_bytes."


class UnsupportedCoding(HeadwaterError):
    """The server does not decode bodies."""

    code, status, ws_close = "unsupported-coding", 415, 4415
    advice = "Send the body as it is, without Content-Encoding."


class LimitReached(HeadwaterError):
    """A limit of the server is reached."""

    code, status, ws_close, retry_after = "limit-reached", 429, 4429, 5
    advice = "Wait for Retry-After, then try again; the message names the setting."


class Unavailable(HeadwaterError):
    """The server cannot do this now."""

    code, status, ws_close, retry_after = "unavailable", 503, 1013, 1
    advice = "Try again after Retry-After; nothing was written."


class StoreUnavailable(Unavailable):
    """The store cannot write now."""

    code, retry_after = "store-unavailable", 1


class TooManyConnections(Unavailable):
    """The server has as many connections as it takes."""

    code, retry_after = "too-many-connections", 5
    advice = "Try again after Retry-After, or raise max_connections."


class ShuttingDown(Unavailable):
    """The server is shutting down."""

    code, ws_close = "shutting-down", 1012
    advice = "Connect again after Retry-After; another process or the restarted one will answer."


class SourceFailed(HeadwaterError):
    """The source of a run failed."""

    code, status, ws_close = "source-failed", 502, 1011
    advice = "Read the message; what the source gave before is kept. Start another run to try again."


class UnknownItem(SourceFailed):
    """The source gave an item that nothing recognises."""

    code = "unknown-item"
    advice = "Yield text, bytes, parts, or the events of a known SDK from the source."


class UpstreamUnreachable(HeadwaterError):
    """The provider did not answer, or its answer broke off."""

    code, status, ws_close, retry_after = "upstream-unreachable", 502, 1014, 1
    advice = "Try again; if it stays, check the upstream's URL and state."


class MissingExtra(HeadwaterError, ImportError):
    """An optional part of Headwater is not installed."""

    code, status = "missing-extra", 501
    advice = "Install it where the server runs, then start the server again."

    @classmethod
    def of(cls, what: str, extra: str) -> MissingExtra:
        """The error that says how to install an extra.

        Args:
            what: what needs it, as the message begins.
            extra: its name in `headwater[...]`.
        """
        return cls(f"{what} needs an optional part. Install it with: pip install 'headwater[{extra}]'")


def error_table() -> list[type[HeadwaterError]]:
    """Every error class a client can meet, in the order of the tree above; the source of the docs' table."""

    def walk(cls: type[HeadwaterError]) -> list[type[HeadwaterError]]:
        return [cls, *(found for sub in cls.__subclasses__() for found in walk(sub))]

    return [cls for cls in walk(HeadwaterError) if cls.__module__ == __name__]
