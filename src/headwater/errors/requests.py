"""Requests that cannot be answered as they are: malformed, refused, for something that is not there, too large."""

from __future__ import annotations

from headwater.errors.base import HeadwaterError


class BadRequest(HeadwaterError):
    """The request is malformed."""

    code, status, ws_close = "bad-request", 400, 4400
    advice = "Correct the request; sending it again unchanged will fail again."


class InvalidPath(BadRequest):
    """The stream path is not allowed."""

    code = "invalid-path"
    advice = (
        "Use printable segments between single slashes, none of them '.', '..' or '-', not beginning with '__ds'; NFC; "
        "no '*', '{' or '}'."
    )


class InvalidOffset(BadRequest):
    """The offset is not one this stream gave out."""

    code = "invalid-offset"
    advice = "Use -1, now, or an offset from Stream-Next-Offset or an event id of this stream."


class TooManyStreams(BadRequest):
    """One read has more streams than the server gives at once."""

    code = "too-many-streams"
    advice = "Read some of them in another request, or with a narrower pattern."


class InvalidBody(BadRequest):
    """The body does not fit the stream's content type."""

    code = "invalid-body"
    advice = (
        "Send what the stream's type has: JSON in UTF-8, one value or an array of at least one; MessagePack values one "
        "behind the other; or Protobuf messages, each with its length in front."
    )


class InvalidMessage(BadRequest):
    """The message is not one of the protocol, or not now."""

    code = "invalid-message"
    advice = "Correct the message; the connection goes on."


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
    challenge = "Bearer"
    advice = "Send a credential that the server knows: a key, a token or a session's cookie."


class TokenRefused(NotAuthorized):
    """The credential that was shown is none."""

    code = "token-refused"
    challenge = 'Bearer error="invalid_token"'
    advice = "Get another one, and ask again with that; the server's log says why."


class Refused(HeadwaterError):
    """The server refuses the request."""

    code, status, ws_close = "refused", 403, 4403
    advice = "Do not retry; ask for the right to do this."


class NotGranted(Refused):
    """Who asks may not do this."""

    code = "not-granted"
    challenge = 'Bearer error="insufficient_scope"'
    advice = "Ask whoever gives out tokens for the right to do this; a retry does not help."


class HostNotAllowed(Refused):
    """The server is not called by this name."""

    code = "host-not-allowed"
    advice = "Use the server's own address, or add the name to the allowed_hosts setting."


class OriginNotAllowed(Refused):
    """The page's origin may not use this server."""

    code = "origin-not-allowed"
    advice = "Add the origin to the cors_origins setting of the server."


class MultiStreamClosed(Refused):
    """What names several streams is not served here."""

    code = "multi-stream-closed"
    advice = "Ask for one stream at a time; or, where no guard by path is in front: Hub(multi=True), or authorize."


class StreamPrivate(Refused):
    """The stream is not served over HTTP."""

    code = "stream-private"
    advice = "Read a run by the routes of the application that runs it; or serve private streams with serve_private."


class MemberTaken(Refused):
    """Somebody else is here by this id."""

    code = "member-taken"
    advice = "Send the key that the member's first join gave or brought; or join with another id."


class ProducerFenced(Refused):
    """A newer epoch of this producer is active."""

    code, ws_close = "producer-fenced", 4409
    advice = "Stop this producer; or claim the id again with an epoch above the one in Producer-Epoch, from sequence 0."


class StreamNotFound(HeadwaterError):
    """There is no stream at this path."""

    code, status, ws_close = "stream-not-found", 404, 4404
    advice = "Create it with PUT, or POST with Stream-Create: true; or check the path. Expired streams are gone."


class StreamAwaited(StreamNotFound):
    """There is no stream at this path yet."""

    code, retry_after = "stream-awaited", 0
    advice = "Ask again at once; the stream was waited for."


class SchemaNotFound(HeadwaterError):
    """The stream has no schema that can be told."""

    code, status, ws_close = "schema-not-found", 404, 4404
    advice = "Append what the stream's type says; no more is asked."


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


class SubprotocolNotSupported(NotAcceptable):
    """The server speaks none of the WebSocket subprotocols that the client offers."""

    code = "subprotocol-not-supported"
    advice = "Offer one of those in the message; without any, a stream's own URL is a WebSocket too."


class UpgradeRequired(HeadwaterError):
    """The URL is served as a WebSocket."""

    code, status, ws_close = "upgrade-required", 426, 4426
    advice = "Connect with a WebSocket client; over plain HTTP each stream has its own URL."


class WebSocketVersionNotSupported(UpgradeRequired):
    """The server speaks another version of WebSocket."""

    code = "websocket-version-not-supported"
    advice = "Use version 13 (RFC 6455), the only one that browsers and libraries have."


class RequestTimeout(HeadwaterError):
    """The request took too long to arrive."""

    code, status, ws_close = "request-timeout", 408, 4408
    advice = "Send the head and the body without long pauses."


class TooLarge(HeadwaterError):
    """The body is larger than the server takes."""

    code, status, ws_close = "too-large", 413, 1009
    advice = "Split the data into several appends, or raise max_body_bytes."


class MessageTooLarge(TooLarge):
    """The message is larger than the server takes."""

    code = "message-too-large"
    advice = "Send smaller messages, or raise max_body_bytes."


class TooManyRecords(TooLarge):
    """The body has more records than the server takes at once."""

    code = "too-many-records"
    advice = "Split the array over several appends, or raise max_append_records."


class StateTooLarge(TooLarge):
    """The state is larger than the server takes."""

    code = "state-too-large"
    advice = "Keep what others must see at once in the state, and the rest in a stream."


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


class SchemaMismatch(HeadwaterError):
    """A record does not fit the schema of its stream."""

    code, status, ws_close = "schema-mismatch", 422, 4422
    advice = "Send what the schema says; GET the stream's URL with /-/schema behind it for the schema."


class ExpectationFailed(HeadwaterError):
    """The request expects something that the server does not do."""

    code, status, ws_close = "expectation-failed", 417, 4417
    advice = "Send the request without Expect, or with 100-continue alone."


class CodingNotSupported(HeadwaterError):
    """The body has a transfer coding that the server does not know."""

    code, status, ws_close = "coding-not-supported", 501, 4501
    advice = "Send the body with Content-Length, or with Transfer-Encoding: chunked alone."


class VersionNotSupported(HeadwaterError):
    """The server does not speak this version of HTTP."""

    code, status, ws_close = "version-not-supported", 505, 4505
    advice = "Use HTTP/1.1; a proxy in front may speak others."
