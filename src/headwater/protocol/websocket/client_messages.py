"""What a client sends on a WebSocket connection; see `messages`."""

from __future__ import annotations

import msgspec

from headwater.protocol.given import GivenConfig


class ClientStruct(msgspec.Struct, tag_field="t", rename={"from_": "from"}, omit_defaults=True):
    """What a client sends."""


class Hello(ClientStruct, tag="hello"):
    """First: who is there. Others may follow at once.

    Attributes:
        token: says who it is, where no header does; given to the application as a bearer token.
        name: what the client calls itself, for those who look at the readers.
    """

    token: str | None = None
    name: str | None = None


class Sub(ClientStruct, tag="sub"):
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
        signals: signals are told, too.
        presence: who is there is told, too.
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
    signals: bool = False
    presence: bool = False


class Unsub(ClientStruct, tag="unsub"):
    """Read a stream no more; with a pattern, none of those that match.

    Attributes:
        id: of this message; without, only `end` tells that it is done.
        s: the stream's number.
        path: in its place: the path or the pattern of the `sub`.
    """

    id: int | None = None
    s: int | None = None
    path: str | None = None


class Ack(ClientStruct, tag="ack"):
    """All up to an offset is done with: so much more may be sent.

    Attributes:
        s: the stream's number.
        o: an offset that was told.
    """

    s: int
    o: str


class Append(ClientStruct, tag="append"):
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


class Close(ClientStruct, tag="close"):
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


class Fail(ClientStruct, tag="fail"):
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


class Create(ClientStruct, tag="create"):
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


class Head(ClientStruct, tag="head"):
    """Ask for a stream's state.

    Attributes:
        id: of this message.
        path: the stream.
        s: in its place: its number.
    """

    id: int
    path: str | None = None
    s: int | None = None


class Read(ClientStruct, tag="read"):
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


class Delete(ClientStruct, tag="delete"):
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


class SendSignal(ClientStruct, tag="signal"):
    """Tell something to the live readers of a stream who asked for signals; it is stored nowhere.

    Attributes:
        id: of this message; without, only a refusal is told.
        path: the stream.
        s: in its place: its number.
        data: what is told, a value.
        b: in its place, bytes.
        from_: whose signal it is; without, the subject of the access, or else the name in `hello`.
        to: only those readers are told who are this subject, or have this name.
        topic: what it is about.
        keep: seconds for which it is the sender's state in the topic; 0 ends it.
    """

    id: int | None = None
    path: str | None = None
    s: int | None = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    b: bytes | None = None
    from_: str | None = None
    to: str | None = None
    topic: str | None = None
    keep: int | None = None


class Here(ClientStruct, tag="here"):
    """Be at a stream as a member, with a state; leave with the state null. Who is cut off is kept for `presence_grace`.

    Attributes:
        id: of this message; without, only a refusal is told.
        path: the stream.
        s: in its place: its number.
        state: of the member, any value; null: leave. Without: as it was.
        key: by which the member is held; without, one is made, and told with the answer.
        member: its id; without, the subject of the access, or else the name in `hello`.
        connection: a name for this device or tab.
    """

    id: int | None = None
    path: str | None = None
    s: int | None = None
    state: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    key: str | None = None
    member: str | None = None
    connection: str | None = None


class Auth(ClientStruct, tag="auth"):
    """Show another token; what is read is checked again with it.

    Attributes:
        token: in place of the one before.
        id: of this message.
    """

    token: str
    id: int | None = None


class Ping(ClientStruct, tag="ping"):
    """Ask whether the server is there.

    Attributes:
        id: of this message.
    """

    id: int | None = None


class Pong(ClientStruct, tag="pong"):
    """The answer to the server's `ping`; any other message does as well."""
