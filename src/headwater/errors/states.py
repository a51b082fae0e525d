"""Requests that do not fit the state of what they are for."""

from __future__ import annotations

from headwater.errors.base import HeadwaterError


class Conflict(HeadwaterError):
    """The request conflicts with the stream's state."""

    code, status, ws_close = "conflict", 409, 4409
    advice = "Read the stream's state with HEAD before trying again."


class StreamExists(Conflict):
    """A stream with another configuration is at this path."""

    code = "stream-exists"
    advice = "Use the same content type, expiry, retention, policy, closure and fork as the stream's, or another path."


class RunExists(Conflict):
    """Another run has this id."""

    code = "run-exists"
    advice = "Leave the id out, or use another; the same idempotency key always gives the same run."


class AlreadySubscribed(Conflict):
    """The connection reads this stream already."""

    code = "already-subscribed"
    advice = "Use the subscription that there is, by its number; or end it with unsub first."


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
    advice = "Send the Content-Type that HEAD returns for the stream; curl -d sends a form's unless told with -H."


class SequenceRegression(Conflict):
    """Sequence conflict: Stream-Seq is not greater than the last one."""

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


class ForkTooDeep(Conflict):
    """The fork would have records of too many other streams."""

    code = "fork-too-deep"
    advice = "Copy the records into a stream of its own, and fork that one."


class PreconditionFailed(HeadwaterError):
    """The stream is not as the request's condition says."""

    code, status, ws_close = "precondition-failed", 412, 4412
    advice = "Read on to Stream-Next-Offset and decide again; with If-None-Match: * the stream exists already."


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
