"""The messages of a WebSocket connection: one table, whatever the subprotocol encodes them with.

A message is an object whose `t` says what it is. Offsets are those of HTTP; paths are those of URLs, decoded.

Rule 1: what is not known is let through: a client may send fields that a later server reads, and the other way round.
        A `t` that is not known is refused by itself.
Rule 2: records are never coded again. `r` has JSON values as they are stored, or strings of a text; `b` has bytes.
Rule 3: what every live reader of a stream is told is the same for all: `data` has the server's number of the stream and
        nothing of a connection.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from headwater.protocol.given import GivenConfig


class _Client(msgspec.Struct, tag_field="t", rename={"from_": "from"}):
    """What a client sends."""


class Hello(_Client, tag="hello"):
    """First: who is there. Others may follow at once.

    Attributes:
        token: says who it is, where no header does; given to the application as a bearer token.
        name: what the client calls itself, for who looks at the readers.
    """

    token: str | None = None
    name: str | None = None


class Sub(_Client, tag="sub"):
    """Read a stream, or all that match a pattern, and go on live.

    Attributes:
        id: of this message, given back in the answer.
        path: the stream, or a pattern: `rooms/*`, `jobs/**`.
        from_: an offset, `-1` or `now`; without, from the start.
        last: in its place: so many of the newest records of a JSON stream.
        last_bytes: in its place: so many of the newest bytes of any other stream.
        window: bytes of records that may be sent and not acknowledged; 0: no limit. Without: as `welcome` says.
        slow: what the reader gets when it was slow: `replay`, `latest`, `conflate:KEY`, `disconnect`.
        missing: `wait`: a stream that is not there is waited for.
        envelope: records come with the time of their append.
    """

    id: int
    path: str
    from_: str | None = None
    last: int | None = None
    last_bytes: int | None = None
    window: int | None = None
    slow: str | None = None
    missing: str | None = None
    envelope: bool = False


class Unsub(_Client, tag="unsub"):
    """Read a stream no more; with a pattern, none of those that match.

    Attributes:
        id: of this message; without, only `end` tells that it is done.
        s: the stream's number.
        path: in its place: the path or the pattern of the `sub`.
    """

    id: int | None = None
    s: int | None = None
    path: str | None = None


class Ack(_Client, tag="ack"):
    """All up to an offset is done with: so much more may be sent.

    Attributes:
        s: the stream's number.
        o: an offset that was told.
    """

    s: int
    o: str


class Append(_Client, tag="append"):
    """Append to a stream.

    Attributes:
        id: of this message.
        path: the stream.
        s: in its place: its number, of one that is read.
        r: records: values of a JSON stream, or one string of a text.
        b: in its place, records as bytes; of JSON the text of values.
        type: the content type; checked, if it is given.
        p: an idempotent producer: its id, epoch and sequence; the sequence counts appends.
        seq: must grow with every append that has one, as `Stream-Seq`.
        close: close the stream with these records.
        create: make the stream, if there is none: `true`, or an object with `ttl`, `expires_at`, `retention`, `slow`.
        match: append only if the tail is at this offset.
    """

    id: int
    path: str | None = None
    s: int | None = None
    r: list[msgspec.Raw] | None = None
    b: list[bytes] | None = None
    type: str | None = None
    p: tuple[str, int, int] | None = None
    seq: str | None = None
    close: bool = False
    create: bool | GivenConfig = False
    match: str | None = None


class Close(_Client, tag="close"):
    """Close a stream: it is complete.

    Attributes:
        id: of this message.
        path: the stream.
        s: in its place: its number.
        p: an idempotent producer, as in `append`.
    """

    id: int
    path: str | None = None
    s: int | None = None
    p: tuple[str, int, int] | None = None


class Fail(_Client, tag="fail"):
    """Close a stream that is not complete.

    Attributes:
        id: of this message.
        path: the stream.
        s: in its place: its number.
        code: for programs: lower-case letters, digits and hyphens.
        message: for people.
    """

    id: int
    code: str
    message: str = ""
    path: str | None = None
    s: int | None = None


class Create(_Client, tag="create"):
    """Make a stream, or confirm that the same one is there.

    Attributes:
        id: of this message.
        path: the stream.
        type: its content type.
        ttl: seconds of idleness after which it expires.
        expires_at: when it expires in any case, as a date of RFC 3339.
        retention: how much of it is kept, as `Stream-Retention`.
        slow: what its slow readers get that do not choose for themselves.
        r: first records, as in `append`.
        b: in its place, as bytes.
        closed: with these as all it will ever hold.
        exclusive: refuse when there is a stream already, also the same one.
    """

    id: int
    path: str
    type: str | None = None
    ttl: int | None = None
    expires_at: str | None = None
    retention: str | None = None
    slow: str | None = None
    r: list[msgspec.Raw] | None = None
    b: list[bytes] | None = None
    closed: bool = False
    exclusive: bool = False


class Head(_Client, tag="head"):
    """Ask for a stream's state.

    Attributes:
        id: of this message.
        path: the stream.
        s: in its place: its number.
    """

    id: int
    path: str | None = None
    s: int | None = None


class Read(_Client, tag="read"):
    """Ask for one page of a stream, without reading it live.

    Attributes:
        id: of this message.
        path: the stream.
        s: in its place: its number.
        from_: where the page begins; without this and without `last`, at the start.
        bytes: of records, at most; one record in any case.
        last: so many of the newest records of a JSON stream.
        last_bytes: so many of the newest bytes of any other stream.
        before: with one of these: the offset before which they are counted.
        envelope: records come with the time of their append.
    """

    id: int
    path: str | None = None
    s: int | None = None
    from_: str | None = None
    bytes: int | None = None
    last: int | None = None
    last_bytes: int | None = None
    before: str | None = None
    envelope: bool = False


class Delete(_Client, tag="delete"):
    """Delete a stream.

    Attributes:
        id: of this message.
        path: the stream.
        s: in its place: its number.
        match: only if the tail is at this offset.
    """

    id: int
    path: str | None = None
    s: int | None = None
    match: str | None = None


class Auth(_Client, tag="auth"):
    """Show another token; what is read is checked again with it.

    Attributes:
        token: in place of the one before.
        id: of this message.
    """

    token: str
    id: int | None = None


class Ping(_Client, tag="ping"):
    """Ask whether the server is there.

    Attributes:
        id: of this message.
    """

    id: int | None = None


class Pong(_Client, tag="pong"):
    """The answer to the server's `ping`; any other message does as well."""


#: All that a client may send.
CLIENT: Final[tuple[type[_Client], ...]] = (
    Hello,
    Sub,
    Unsub,
    Ack,
    Append,
    Close,
    Fail,
    Create,
    Head,
    Read,
    Delete,
    Auth,
    Ping,
    Pong,
)
ClientMessage = Hello | Sub | Unsub | Ack | Append | Close | Fail | Create | Head | Read | Delete | Auth | Ping | Pong


class _Server(msgspec.Struct, tag_field="t", rename={"from_": "from"}, omit_defaults=True):
    """What the server sends."""


class Welcome(_Server, tag="welcome"):
    """The answer to `hello`.

    Attributes:
        server: name and version.
        heartbeat: seconds of silence after which the server sends `ping`; a client that hears nothing for two and a
            half of them may take the connection for dead. So does the server.
        window: bytes of a subscription's window, unless it says otherwise.
        limits: of this connection, by the names of their settings.
    """

    server: str
    heartbeat: float
    window: int
    limits: dict[str, int]


class Subscribed(_Server, tag="sub"):
    """The answer to `sub`: a stream is read from now on. For a pattern, one for each stream that matches.

    Attributes:
        id: of the `sub`.
        s: the stream's number, by which all that follows calls it. A stream that is deleted and made again has another.
        path: the stream.
        type: its content type.
        from_: where its records begin.
        tail: its end, now.
        earliest: the first record that is kept.
    """

    id: int
    s: int
    path: str
    type: str
    from_: str
    tail: str
    earliest: str


class Waiting(_Server, tag="waiting"):
    """To `sub` with `missing`: there is no stream yet; `sub` follows when there is.

    Attributes:
        id: of the `sub`.
        path: the stream.
    """

    id: int
    path: str


class Data(_Server, tag="data"):
    """Records. The same bytes for all who read the stream live in this subprotocol.

    Attributes:
        s: the stream's number.
        o: the offset behind the last record.
        e: the offsets behind the others, each without the characters that it has in common with `o`: `e` in place of
            as many characters at the end of `o`. Not there, if there is one record.
        r: the records: JSON values, or strings of a text.
        b: in its place, records as bytes.
        at: when they were appended, in seconds since the Unix epoch; only with `envelope`.
    """

    s: int
    o: str
    e: list[str] | None = None
    r: list[msgspec.Raw] | None = None
    b: list[bytes] | None = None
    at: list[float] | None = None


class Live(_Server, tag="live"):
    """The reader has everything there is; what follows comes as it is written.

    Attributes:
        s: the stream's number.
        o: where it stands.
    """

    s: int
    o: str


class Gap(_Server, tag="gap"):
    """Records are left out.

    Attributes:
        s: the stream's number.
        from_: they lie behind this offset; a read from here fetches them, if they are kept.
        to: and before this one.
        why: `slow`, `retention` or `recreated`.
    """

    s: int
    from_: str
    to: str
    why: str = "slow"


class End(_Server, tag="end"):
    """A stream is not read any more on this connection.

    Attributes:
        s: its number.
        o: where the reader stands.
        why: `closed`: it is complete; `failed`: it ended before that; `deleted`; `forbidden`; `detached`: the server
            let the reader go, who may come back; `left`: the client asked for it; `error`: it cannot be read.
        code: of the failure or the error.
        message: of the same.
        after: seconds after which to come back, of `detached`.
    """

    s: int
    o: str
    why: str
    code: str = ""
    message: str = ""
    after: float = 0.0


class Ok(_Server, tag="ok"):
    """It is done.

    Attributes:
        id: of the message.
        o: the stream's tail behind it.
        dup: an idempotent producer sent it before; nothing was written.
        closed: the stream is closed.
        created: the stream was made.
    """

    id: int
    o: str = ""
    dup: bool = False
    closed: bool = False
    created: bool = False


class Info(_Server, tag="info"):
    """The answer to `head`.

    Attributes:
        id: of the message.
        path: the stream.
        type: its content type.
        tail: its end.
        earliest: the first record that is kept.
        closed: it takes no more records.
        code: why it was closed before it was complete.
        message: of the same.
        ttl: seconds of idleness after which it expires.
        expires_at: when it expires in any case.
        retention: how much of it is kept.
        slow: what its slow readers get that do not choose for themselves.
    """

    id: int
    path: str
    type: str
    tail: str
    earliest: str
    closed: bool = False
    code: str = ""
    message: str = ""
    ttl: int | None = None
    expires_at: str | None = None
    retention: str = ""
    slow: str = "replay"


class Page(_Server, tag="page"):
    """The answer to `read`.

    Attributes:
        id: of the message.
        from_: where the page begins.
        o: where it ends; the next one begins there.
        e: see `data`.
        r: see `data`.
        b: see `data`.
        at: see `data`.
        live: it ends at the stream's tail.
        earlier: records before it are kept; of a page that was asked for from behind.
        closed: the stream is closed, and the page ends at its last record.
        code: why it was closed before it was complete.
        message: of the same.
    """

    id: int
    from_: str
    o: str
    e: list[str] | None = None
    r: list[msgspec.Raw] | None = None
    b: list[bytes] | None = None
    at: list[float] | None = None
    live: bool = False
    earlier: bool = False
    closed: bool = False
    code: str = ""
    message: str = ""


class Problem(_Server, tag="err"):
    """Something was refused, with the error of the one table. Nothing of it was done, and the connection goes on.

    Attributes:
        code: of the error.
        status: as over HTTP.
        detail: what happened.
        advice: what to do.
        id: of the message, if it had one.
        s: the stream's number, of a message that has no `id`.
        path: the stream that cannot be read, of those that match a pattern.
        after: seconds after which to try again.
        facts: what a program may need, such as `next_offset`.
    """

    code: str
    status: int
    detail: str
    advice: str
    id: int | None = None
    s: int | None = None
    path: str | None = None
    after: int | None = None
    facts: dict[str, Any] = {}


class Expiring(_Server, tag="expiring"):
    """The access of this connection ends soon; `auth` goes on with another token.

    Attributes:
        seconds: until then.
    """

    seconds: float


class Drain(_Server, tag="drain"):
    """The server stops: what is under way is answered, then the connection closes with 1012.

    Attributes:
        after: seconds after which to come back; each connection has its own.
    """

    after: float


class Beat(_Server, tag="ping"):
    """The server is there, and asks the client the same; `pong` or any other message answers."""


class Answer(_Server, tag="pong"):
    """The answer to `ping`.

    Attributes:
        id: of the message, if it had one.
    """

    id: int | None = None


#: All that the server may send.
SERVER: Final[tuple[type[_Server], ...]] = (
    Welcome,
    Subscribed,
    Waiting,
    Data,
    Live,
    Gap,
    End,
    Ok,
    Info,
    Page,
    Problem,
    Expiring,
    Drain,
    Beat,
    Answer,
)
ServerMessage = (
    Welcome
    | Subscribed
    | Waiting
    | Data
    | Live
    | Gap
    | End
    | Ok
    | Info
    | Page
    | Problem
    | Expiring
    | Drain
    | Beat
    | Answer
)
