"""Every header, query parameter and event name, in one place."""

from __future__ import annotations

from typing import Final

# Request and response headers of the protocol, lower case as ASGI has them (sections 4, 5, 10).
STREAM_NEXT_OFFSET: Final = b"stream-next-offset"
#: Of a page that was asked for from behind: where it begins, if records before it are kept.
STREAM_PREVIOUS_OFFSET: Final = b"stream-previous-offset"
STREAM_UP_TO_DATE: Final = b"stream-up-to-date"
STREAM_CLOSED: Final = b"stream-closed"
STREAM_CURSOR: Final = b"stream-cursor"
STREAM_TTL: Final = b"stream-ttl"
STREAM_EXPIRES_AT: Final = b"stream-expires-at"
STREAM_SEQ: Final = b"stream-seq"
STREAM_FORKED_FROM: Final = b"stream-forked-from"
STREAM_FORK_OFFSET: Final = b"stream-fork-offset"
STREAM_FORK_SUB_OFFSET: Final = b"stream-fork-sub-offset"
STREAM_SSE_DATA_ENCODING: Final = b"stream-sse-data-encoding"
PRODUCER_ID: Final = b"producer-id"
PRODUCER_EPOCH: Final = b"producer-epoch"
PRODUCER_SEQ: Final = b"producer-seq"
PRODUCER_EXPECTED_SEQ: Final = b"producer-expected-seq"
PRODUCER_RECEIVED_SEQ: Final = b"producer-received-seq"

# Ours, beyond the protocol.
#: Retention of a stream, on create: `age=SECONDS, size=BYTES, count=RECORDS`, each optional.
STREAM_RETENTION: Final = b"stream-retention"
#: `true`, on append: create the stream in the same step if it is not there, as PUT would.
STREAM_CREATE: Final = b"stream-create"
#: What a stream's slow readers get, on create: `replay`, `latest`, `conflate:KEY`, `disconnect`.
STREAM_SLOW: Final = b"stream-slow"
#: Ours, of a live response: seconds of silence after which it has a heartbeat.
STREAM_HEARTBEAT: Final = b"stream-heartbeat"
#: Ours: how the stream can be read live, by the names of `transports`.
STREAM_TRANSPORTS: Final = b"stream-transports"
#: Ours: seconds for which an idle producer is known at least.
STREAM_PRODUCER_AGE: Final = b"stream-producer-age"
#: Offset of the first record still kept, in answers to HEAD.
STREAM_EARLIEST_OFFSET: Final = b"stream-earliest-offset"

#: Beside `Stream-Closed`: the stream is closed and not complete; a code for programs.
STREAM_FAILURE: Final = b"stream-failure"
#: Beside `Stream-Failure`: a line for people, UTF-8, percent-encoded.
STREAM_FAILURE_MESSAGE: Final = b"stream-failure-message"

#: The run that an answer tells of, in the answers of `headwater.llm`.
HEADWATER_RUN: Final = b"headwater-run"

# Of HTTP itself.
ACCEPT: Final = b"accept"
ACCEPT_ENCODING: Final = b"accept-encoding"
ALLOW: Final = b"allow"
CACHE_CONTROL: Final = b"cache-control"
CONTENT_ENCODING: Final = b"content-encoding"
CONTENT_LENGTH: Final = b"content-length"
CONTENT_TYPE: Final = b"content-type"
ETAG: Final = b"etag"
AUTHORIZATION: Final = b"authorization"
COOKIE: Final = b"cookie"
EXPECT: Final = b"expect"
HOST: Final = b"host"
IF_MATCH: Final = b"if-match"
IF_NONE_MATCH: Final = b"if-none-match"
LAST_EVENT_ID: Final = b"last-event-id"
LINK: Final = b"link"
LOCATION: Final = b"location"
ORIGIN: Final = b"origin"
RETRY_AFTER: Final = b"retry-after"
SEC_FETCH_SITE: Final = b"sec-fetch-site"
SET_COOKIE: Final = b"set-cookie"
TRANSFER_ENCODING: Final = b"transfer-encoding"
UPGRADE: Final = b"upgrade"
VARY: Final = b"vary"
X_FORWARDED_FOR: Final = b"x-forwarded-for"
X_FORWARDED_PROTO: Final = b"x-forwarded-proto"
WWW_AUTHENTICATE: Final = b"www-authenticate"

# Of WebSocket (RFC 6455 section 11.3).
SEC_WEBSOCKET_ACCEPT: Final = b"sec-websocket-accept"
SEC_WEBSOCKET_EXTENSIONS: Final = b"sec-websocket-extensions"
SEC_WEBSOCKET_KEY: Final = b"sec-websocket-key"
SEC_WEBSOCKET_PROTOCOL: Final = b"sec-websocket-protocol"
SEC_WEBSOCKET_VERSION: Final = b"sec-websocket-version"

# Query parameters.
#: Runs: the dialect in which one is told.
QUERY_DIALECT: Final = "dialect"
#: What a page shows of who it is for, once, where it can send no header.
QUERY_TICKET: Final = "ticket"
QUERY_OFFSET: Final = "offset"
QUERY_LIVE: Final = "live"
#: In place of an offset: so many of the newest records, where they are kept apart, or bytes, of every other stream.
QUERY_LAST: Final = "last"
QUERY_LAST_BYTES: Final = "last_bytes"
#: With one of the two, of a read that is not live: the offset before which they are counted.
QUERY_BEFORE: Final = "before"
QUERY_CURSOR: Final = "cursor"
#: In place of `Last-Event-ID`, of polyfills of `EventSource`, which keep a page's headers simple.
QUERY_LAST_EVENT_ID: Final = "lastEventId"
QUERY_LAST_EVENT_ID_TOO: Final = "last-event-id"
#: Plain SSE: the key of a JSON record whose value names the event.
QUERY_EVENT: Final = "event"
#: Plain SSE: `json`: the data of each event is a JSON value, and nothing of it is replaced.
QUERY_DATA: Final = "data"
#: Plain SSE, NDJSON and long-poll: `wait`: a stream that is not there is waited for.
QUERY_MISSING: Final = "missing"
#: Plain SSE and NDJSON: `1`: each record comes with its offset and its time.
QUERY_ENVELOPE: Final = "envelope"
#: The word `schema`: of what: `record` or `signal`.
QUERY_KIND: Final = "kind"
#: Live reads: what a reader gets that was too slow: `replay`, `latest`, `conflate:KEY`, `disconnect`.
QUERY_SLOW: Final = "slow"
#: Live reads: what the client calls itself, for those who look at the readers.
QUERY_READER: Final = "reader"
#: A stream's URL as a WebSocket: `1`: messages are the records alone.
QUERY_RAW: Final = "raw"
#: A stream's URL as a WebSocket: the producer as which its messages are appended, counted from 0.
QUERY_PRODUCER: Final = "producer"
#: Live reads: seconds of silence after which they are told something, in place of the server's own.
QUERY_HEARTBEAT: Final = "heartbeat"
#: Plain SSE, NDJSON and reads of many streams: `1`: signals are told, too.
QUERY_SIGNALS: Final = "signals"

#: Plain SSE, NDJSON and reads of many streams: `1`: who is there is told, too; `join`: and the reader is there.
QUERY_PRESENCE: Final = "presence"
#: With `presence=join`: the member that the reader is, its key, the name of its connection, and its state.
QUERY_MEMBER: Final = "member"
QUERY_MEMBER_KEY: Final = "member_key"
QUERY_MEMBER_CONNECTION: Final = "member_connection"
QUERY_MEMBER_STATE: Final = "member_state"

# Named events of plain SSE; `onmessage` never sees them, only who listens for the name does.
EVENT_WAITING: Final = b"stream-waiting"
EVENT_CREATED: Final = b"stream-created"
EVENT_CLOSED: Final = b"stream-closed"
EVENT_FAILED: Final = b"stream-failed"
EVENT_ERROR: Final = b"stream-error"
EVENT_DETACHED: Final = b"stream-detached"
EVENT_GAP: Final = b"stream-gap"
EVENT_REPLACED: Final = b"stream-replaced"
#: Of a read of many streams: where it stands.
EVENT_CURSOR: Final = b"stream-cursor"
#: A signal: told to who asked for signals, and stored nowhere.
EVENT_SIGNAL: Final = b"stream-signal"
#: Who is there: told to who asked for it.
EVENT_PRESENCE: Final = b"stream-presence"
RESERVED_EVENTS: Final = frozenset(
    {
        "stream-waiting",
        "stream-created",
        "stream-closed",
        "stream-failed",
        "stream-error",
        "stream-detached",
        "stream-gap",
        "stream-replaced",
        "stream-cursor",
        "stream-signal",
        "stream-presence",
        "error",
        "open",
    }
)

#: Request headers a page from another origin may send.
CORS_REQUEST_HEADERS: Final = (
    ACCEPT,
    b"authorization",
    CONTENT_TYPE,
    IF_MATCH,
    IF_NONE_MATCH,
    LAST_EVENT_ID,
    STREAM_SEQ,
    STREAM_CREATE,
    STREAM_TTL,
    STREAM_EXPIRES_AT,
    STREAM_CLOSED,
    STREAM_FAILURE,
    STREAM_FAILURE_MESSAGE,
    STREAM_RETENTION,
    STREAM_SLOW,
    STREAM_FORKED_FROM,
    STREAM_FORK_OFFSET,
    STREAM_FORK_SUB_OFFSET,
    PRODUCER_ID,
    PRODUCER_EPOCH,
    PRODUCER_SEQ,
    # Not ours: what libraries for requests, tracing and event streams add by themselves.
    CACHE_CONTROL,
    b"pragma",
    b"idempotency-key",
    b"x-requested-with",
    b"x-request-id",
    b"x-correlation-id",
    b"traceparent",
    b"tracestate",
    b"baggage",
    b"sentry-trace",
)
#: Response headers such a page may read.
CORS_RESPONSE_HEADERS: Final = (
    CONTENT_TYPE,
    ETAG,
    LOCATION,
    WWW_AUTHENTICATE,
    RETRY_AFTER,
    STREAM_NEXT_OFFSET,
    STREAM_PREVIOUS_OFFSET,
    STREAM_UP_TO_DATE,
    STREAM_CLOSED,
    STREAM_FAILURE,
    STREAM_FAILURE_MESSAGE,
    STREAM_CURSOR,
    STREAM_TTL,
    STREAM_EXPIRES_AT,
    STREAM_RETENTION,
    STREAM_SLOW,
    STREAM_HEARTBEAT,
    STREAM_TRANSPORTS,
    STREAM_PRODUCER_AGE,
    STREAM_EARLIEST_OFFSET,
    STREAM_SSE_DATA_ENCODING,
    PRODUCER_EPOCH,
    PRODUCER_SEQ,
    PRODUCER_EXPECTED_SEQ,
    PRODUCER_RECEIVED_SEQ,
)
