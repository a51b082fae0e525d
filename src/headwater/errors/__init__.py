"""Every error Headwater raises, and the one table of their codes.

Rule 1: an error is a class of this package, with a stable ``code``. Nothing else invents a status or a code.
Rule 2: the docstring's first line is the title that users see; ``advice`` says what to do about it.

::

    HeadwaterError                     500 internal
    ├── BadRequest                     400 bad-request
    │   ├── InvalidPath                400 invalid-path
    │   ├── InvalidOffset              400 invalid-offset
    │   ├── TooManyStreams             400 too-many-streams
    │   ├── InvalidBody                400 invalid-body
    │   ├── InvalidMessage             400 invalid-message
    │   ├── InvalidProducer            400 invalid-producer
    │   └── UnknownDialect             400 unknown-dialect
    ├── NotAuthorized                  401 not-authorized
    │   └── TokenRefused               401 token-refused
    ├── Refused                        403 refused
    │   ├── NotGranted                 403 not-granted
    │   ├── HostNotAllowed             403 host-not-allowed
    │   ├── OriginNotAllowed           403 origin-not-allowed
    │   ├── MultiStreamClosed          403 multi-stream-closed
    │   ├── StreamPrivate              403 stream-private
    │   ├── MemberTaken                403 member-taken
    │   └── ProducerFenced             403 producer-fenced
    ├── StreamNotFound                 404 stream-not-found
    │   └── StreamAwaited              404 stream-awaited
    ├── SchemaNotFound                 404 schema-not-found
    ├── RunNotFound                    404 run-not-found
    ├── RouteNotFound                  404 route-not-found
    ├── MethodNotAllowed               405 method-not-allowed
    ├── NotAcceptable                  406 not-acceptable
    │   └── SubprotocolNotSupported    406 subprotocol-not-supported
    ├── UpgradeRequired                426 upgrade-required
    │   └── WebSocketVersionNotSupported 426 websocket-version-not-supported
    ├── RequestTimeout                 408 request-timeout
    ├── TooLarge                       413 too-large
    │   ├── MessageTooLarge            413 message-too-large
    │   ├── TooManyRecords             413 too-many-records
    │   ├── StateTooLarge              413 state-too-large
    │   ├── PathTooLong                414 path-too-long
    │   └── HeadersTooLarge            431 headers-too-large
    ├── UnsupportedCoding              415 unsupported-coding
    ├── SchemaMismatch                 422 schema-mismatch
    ├── ExpectationFailed              417 expectation-failed
    ├── CodingNotSupported             501 coding-not-supported
    ├── VersionNotSupported            505 version-not-supported
    ├── LimitReached                   429 limit-reached
    │   └── RateLimited                429 rate-limited
    ├── Unavailable                    503 unavailable
    │   ├── StoreUnavailable           503 store-unavailable
    │   │   └── HubNotOpen             503 hub-not-open
    │   ├── TooManyConnections         503 too-many-connections
    │   ├── TooManyBodies              503 too-many-bodies
    │   ├── ShuttingDown               503 shutting-down
    │   ├── KeysUnavailable            503 keys-unavailable
    │   └── AccessUnknown              503 access-unknown
    ├── SourceFailed                   502 source-failed
    │   └── UnknownItem                502 unknown-item
    ├── UpstreamUnreachable            502 upstream-unreachable
    ├── NotAtomic                      501 not-atomic
    ├── MissingExtra                   501 missing-extra
    ├── WrongLoop                      500 wrong-loop
    ├── Conflict                       409 conflict
    │   ├── StreamExists               409 stream-exists
    │   ├── RunExists                  409 run-exists
    │   ├── AlreadySubscribed          409 already-subscribed
    │   ├── StreamClosed               409 stream-closed
    │   ├── StreamFailed               409 stream-failed
    │   ├── ContentTypeMismatch        409 content-type-mismatch
    │   ├── SequenceRegression         409 sequence-regression
    │   ├── ProducerGap                409 producer-gap
    │   ├── SourceGone                 409 source-gone
    │   └── ForkTooDeep                409 fork-too-deep
    ├── PreconditionFailed             412 precondition-failed
    └── Gone                           410 gone
        ├── StreamGone                 410 stream-gone
        └── OffsetGone                 410 offset-gone
"""

from __future__ import annotations

from headwater.errors.base import (
    HeadwaterError,
)
from headwater.errors.requests import (
    BadRequest,
    CodingNotSupported,
    ExpectationFailed,
    HeadersTooLarge,
    HostNotAllowed,
    InvalidBody,
    InvalidMessage,
    InvalidOffset,
    InvalidPath,
    InvalidProducer,
    MemberTaken,
    MessageTooLarge,
    MethodNotAllowed,
    MultiStreamClosed,
    NotAcceptable,
    NotAuthorized,
    NotGranted,
    OriginNotAllowed,
    PathTooLong,
    ProducerFenced,
    Refused,
    RequestTimeout,
    RouteNotFound,
    RunNotFound,
    SchemaMismatch,
    SchemaNotFound,
    StateTooLarge,
    StreamAwaited,
    StreamNotFound,
    StreamPrivate,
    SubprotocolNotSupported,
    TokenRefused,
    TooLarge,
    TooManyRecords,
    TooManyStreams,
    UnknownDialect,
    UnsupportedCoding,
    UpgradeRequired,
    VersionNotSupported,
    WebSocketVersionNotSupported,
)
from headwater.errors.servers import (
    AccessUnknown,
    HubNotOpen,
    KeysUnavailable,
    LimitReached,
    MissingExtra,
    NotAtomic,
    RateLimited,
    ShuttingDown,
    SourceFailed,
    StoreUnavailable,
    TooManyBodies,
    TooManyConnections,
    Unavailable,
    UnknownItem,
    UpstreamUnreachable,
    WrongLoop,
)
from headwater.errors.states import (
    AlreadySubscribed,
    Conflict,
    ContentTypeMismatch,
    ForkTooDeep,
    Gone,
    OffsetGone,
    PreconditionFailed,
    ProducerGap,
    RunExists,
    SequenceRegression,
    SourceGone,
    StreamClosed,
    StreamExists,
    StreamFailed,
    StreamGone,
)

__all__ = [
    "AccessUnknown",
    "AlreadySubscribed",
    "BadRequest",
    "CodingNotSupported",
    "Conflict",
    "ContentTypeMismatch",
    "ExpectationFailed",
    "ForkTooDeep",
    "Gone",
    "HeadersTooLarge",
    "HeadwaterError",
    "HostNotAllowed",
    "HubNotOpen",
    "InvalidBody",
    "InvalidMessage",
    "InvalidOffset",
    "InvalidPath",
    "InvalidProducer",
    "KeysUnavailable",
    "LimitReached",
    "MemberTaken",
    "MessageTooLarge",
    "MethodNotAllowed",
    "MissingExtra",
    "MultiStreamClosed",
    "NotAcceptable",
    "NotAtomic",
    "NotAuthorized",
    "NotGranted",
    "OffsetGone",
    "OriginNotAllowed",
    "PathTooLong",
    "PreconditionFailed",
    "ProducerFenced",
    "ProducerGap",
    "RateLimited",
    "Refused",
    "RequestTimeout",
    "RouteNotFound",
    "RunExists",
    "RunNotFound",
    "SchemaMismatch",
    "SchemaNotFound",
    "SequenceRegression",
    "ShuttingDown",
    "SourceFailed",
    "SourceGone",
    "StateTooLarge",
    "StoreUnavailable",
    "StreamAwaited",
    "StreamClosed",
    "StreamExists",
    "StreamFailed",
    "StreamGone",
    "StreamNotFound",
    "StreamPrivate",
    "SubprotocolNotSupported",
    "TokenRefused",
    "TooLarge",
    "TooManyBodies",
    "TooManyConnections",
    "TooManyRecords",
    "TooManyStreams",
    "Unavailable",
    "UnknownDialect",
    "UnknownItem",
    "UnsupportedCoding",
    "UpgradeRequired",
    "UpstreamUnreachable",
    "VersionNotSupported",
    "WebSocketVersionNotSupported",
    "WrongLoop",
    "error_table",
]

# One public home, whatever file a class is in.
for _name in __all__[:-1]:
    globals()[_name].__module__ = __name__


def error_table() -> list[type[HeadwaterError]]:
    """Every error class a client can meet, in the order of the tree above; the source of the docs' table."""

    def walk(cls: type[HeadwaterError]) -> list[type[HeadwaterError]]:
        return [cls, *(found for sub in cls.__subclasses__() for found in walk(sub))]

    return [cls for cls in walk(HeadwaterError) if cls.__module__ == __name__]
