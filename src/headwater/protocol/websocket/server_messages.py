"""What the server sends on a WebSocket connection; see `messages`."""

from __future__ import annotations

from typing import Any

import msgspec

from headwater.model import Principal


class ServerStruct(msgspec.Struct, tag_field="t", rename={"from_": "from"}, omit_defaults=True):
    """What the server sends."""


class Welcome(ServerStruct, tag="welcome"):
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


class Subscribed(ServerStruct, tag="sub"):
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


class Waiting(ServerStruct, tag="waiting"):
    """To `sub` with `missing`: there is no stream yet; `sub` follows when there is.

    Attributes:
        id: of the `sub`.
        path: the stream.
        o: where to come back: what is made meanwhile is told from its first record on.
    """

    id: int
    path: str
    o: str


class Data(ServerStruct, tag="data"):
    """Records. The same bytes for all who read the stream live in this subprotocol.

    Attributes:
        s: the stream's number.
        o: the offset behind the last record.
        e: the offsets behind the others, each without the characters that it has in common with `o`: `e` in place of
            as many characters at the end of `o`. Not there, if there is one record.
        r: the records: JSON values, or strings of a text.
        b: in its place, records as bytes.
        at: when they were appended, in seconds since the Unix epoch; only with `envelope`.
        by: who appended each; only with `envelope`, and where that is known of one at least. Where it is not known of
            one, null stands for it, and in Protobuf a principal without a subject.
    """

    s: int
    o: str
    e: list[str] | None = None
    r: list[msgspec.Raw] | None = None
    b: list[bytes] | None = None
    at: list[float] | None = None
    by: list[Principal | None] | None = None


class Live(ServerStruct, tag="live"):
    """The reader has everything there is; what follows comes as it is written.

    Attributes:
        s: the stream's number.
        o: where it stands.
    """

    s: int
    o: str


class Gap(ServerStruct, tag="gap"):
    """Records are left out.

    Attributes:
        s: the stream's number.
        from_: they lie behind this offset; a read from here fetches them, if they are kept.
        to: and before this one.
        o: where it goes on: at `to`, or at `from` where some of what lies between is kept and comes next, as with
            `conflate`. Whoever comes back with it misses nothing that would have come.
        why: `slow`, `retention` or `recreated`.
    """

    s: int
    from_: str
    to: str
    o: str
    why: str = "slow"


class Signal(ServerStruct, tag="signal"):
    """A signal, for those who asked for signals. The same bytes for all of these.

    Attributes:
        s: the stream's number.
        from_: whose it is.
        to: the only one who is told.
        topic: what it is about.
        keep: it is the sender's state in the topic, for so many seconds; 0: it is over.
        data: what is told, a value.
        b: in its place, bytes.
        by: who sent it, where that is proven; `from` is the subject of it then.
    """

    s: int
    from_: str | None = None
    to: str | None = None
    topic: str | None = None
    keep: int | None = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    b: bytes | None = None
    by: Principal | None = None


class Presence(ServerStruct, tag="presence"):
    """Who is there, for those who asked; with the fields that this has on other wires.

    Attributes:
        s: the stream's number.
        version: grows with each change.
        count: how many are there.
        members: the list, whatever was there before; null: there are too many for a list.
        joined: members to put into the list by their ids.
        changed: the same, of those whose state is another one.
        left: ids to take out.
    """

    s: int
    version: int
    count: int
    members: list[msgspec.Raw] | msgspec.UnsetType | None = msgspec.UNSET
    joined: list[msgspec.Raw] | None = None
    changed: list[msgspec.Raw] | None = None
    left: list[str] | None = None


class Attending(ServerStruct, tag="here"):
    """The answer to `here`: who the client is.

    Attributes:
        id: of the message.
        member: the member's id.
        key: by which the member is held; it comes back with it, also on other connections.
        count: of all members.
    """

    id: int
    member: str
    key: str
    count: int


class End(ServerStruct, tag="end"):
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


class Ok(ServerStruct, tag="ok"):
    """It is done.

    Attributes:
        id: of the message.
        o: the stream's tail behind it.
        dup: an idempotent producer sent it before; nothing was written.
        closed: the stream is closed.
        created: the stream was made.
        told: how many readers were told a signal.
    """

    id: int
    o: str = ""
    dup: bool = False
    closed: bool = False
    created: bool = False
    told: int | None = None


class Info(ServerStruct, tag="info"):
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


class Page(ServerStruct, tag="page"):
    """The answer to `read`.

    Attributes:
        id: of the message.
        from_: where the page begins.
        o: where it ends; the next one begins there.
        e: see `data`.
        r: see `data`.
        b: see `data`.
        at: see `data`.
        by: see `data`.
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
    by: list[Principal | None] | None = None
    live: bool = False
    earlier: bool = False
    closed: bool = False
    code: str = ""
    message: str = ""


class Problem(ServerStruct, tag="err"):
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


class Expiring(ServerStruct, tag="expiring"):
    """The access of this connection ends soon; `auth` goes on with another token.

    Attributes:
        seconds: until then.
    """

    seconds: float


class Drain(ServerStruct, tag="drain"):
    """The server stops: what is under way is answered, then the connection closes with 1012.

    Attributes:
        after: seconds after which to come back; each connection has its own.
    """

    after: float


class Beat(ServerStruct, tag="ping"):
    """The server is there, and asks the client the same; `pong` or any other message answers."""


class Answer(ServerStruct, tag="pong"):
    """The answer to `ping`.

    Attributes:
        id: of the message, if it had one.
    """

    id: int | None = None
