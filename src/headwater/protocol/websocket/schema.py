"""The one schema of all subprotocols: the structs of the messages, and the numbers of their fields in Protobuf.

`docs/reference/websocket.proto` is written from it.

Rule 1: a number is for ever. A new field is put at the end of its line, a new message at the end of its table; a field
        that goes leaves a `-` behind.
Rule 2: where JSON has a value, the binary subprotocols have its text as bytes. Records that are told are always `b`, so
        `r` of what the server tells has no number.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final, get_args, get_origin, get_type_hints

import msgspec

from headwater.model import Principal
from headwater.protocol.given import GivenConfig
from headwater.protocol.websocket import messages as m


class Producer(msgspec.Struct):
    """An idempotent producer.

    Attributes:
        id: its name.
        epoch: its life; the newest one fences off the older ones.
        seq: of the append, counted from 0.
    """

    id: str = ""
    epoch: int = 0
    seq: int = 0


class Members(msgspec.Struct):
    """All members of a stream.

    Attributes:
        member: each.
        many: there are too many for a list.
    """

    member: list[msgspec.Raw] = []
    many: bool = False


class Kind(Enum):
    """What a field holds."""

    TEXT = "text"
    INTEGER = "whole number of 64 bits"
    NUMBER = "number"
    FLAG = "true or false"
    BYTES = "bytes"
    VALUE = "a JSON value, as its text"
    FACTS = "a JSON object of any fields, as its text"
    COUNTS = "whole numbers by names"
    PRODUCER = "an idempotent producer"
    PRINCIPAL = "a principal"
    MEMBERS = "all members, or that there are too many"
    CONFIG = "with what a stream is made; nothing in it: as it comes"


class Field(msgspec.Struct, frozen=True):
    """One of a message.

    Attributes:
        name: of the struct's attribute.
        told: its name in all subprotocols.
        number: in Protobuf.
        kind: what it holds.
        is_list: any number of these.
        is_optional: it may be there or not; else nothing is the same as an empty text, 0 and false.
    """

    name: str
    told: str
    number: int
    kind: Kind
    is_list: bool
    is_optional: bool


#: The fields of each message, by their numbers from 1 on.
_NUMBERS: Final[dict[type[msgspec.Struct], str]] = {
    m.Hello: "token name",
    m.Sub: "id path from last last_bytes window slow missing envelope signals presence",
    m.Unsub: "id s path",
    m.Ack: "s o",
    m.Append: "id path s r b type p seq close create match",
    m.Close: "id path s p",
    m.Fail: "id path s code message",
    m.Create: "id path type ttl expires_at retention slow r b closed exclusive",
    m.Head: "id path s",
    m.Read: "id path s from bytes last last_bytes before envelope",
    m.Delete: "id path s match",
    m.Auth: "token id",
    m.Ping: "id",
    m.Pong: "",
    m.SendSignal: "id path s data b from to topic keep",
    m.Here: "id path s state key member connection",
    m.Welcome: "server heartbeat window limits",
    m.Subscribed: "id s path type from tail earliest",
    m.Waiting: "id path o",
    m.Data: "s o e b at by",
    m.Live: "s o",
    m.Gap: "s from to why o",
    m.End: "s o why code message after",
    m.Ok: "id o dup closed created told",
    m.Info: "id path type tail earliest closed code message ttl expires_at retention slow",
    m.Page: "id from o e b at live earlier closed code message by",
    m.Problem: "code status detail advice id s path after facts",
    m.Expiring: "seconds",
    m.Drain: "after",
    m.Beat: "",
    m.Answer: "id",
    m.Signal: "s data b from to topic keep by",
    m.Presence: "s version count members joined changed left",
    m.Attending: "id member key count",
    Producer: "id epoch seq",
    Members: "member many",
    Principal: "subject issuer",
    GivenConfig: "ttl expires_at retention slow",
}

#: What a client may send, by its number in `ClientMessage`.
CLIENT_NUMBERS: Final[Mapping[int, type[msgspec.Struct]]] = dict(
    enumerate(
        (
            *(m.Hello, m.Sub, m.Unsub, m.Ack, m.Append, m.Close, m.Fail, m.Create, m.Head, m.Read, m.Delete, m.Auth),
            *(m.Ping, m.Pong, m.SendSignal, m.Here),
        ),
        1,
    )
)
#: What the server may send, by its number in `ServerMessage`.
SERVER_NUMBERS: Final[Mapping[int, type[msgspec.Struct]]] = dict(
    enumerate(
        (
            *(m.Data, m.Welcome, m.Subscribed, m.Waiting, m.Live, m.Gap, m.End, m.Ok, m.Info, m.Page, m.Problem),
            *(m.Expiring, m.Drain, m.Beat, m.Answer, m.Signal, m.Presence, m.Attending),
        ),
        1,
    )
)

_ABSENT: Final = (types.NoneType, msgspec.UnsetType)
_SCALARS: Final[dict[Any, Kind]] = {
    str: Kind.TEXT,
    int: Kind.INTEGER,
    float: Kind.NUMBER,
    bool: Kind.FLAG,
    bytes: Kind.BYTES,
    msgspec.Raw: Kind.VALUE,
    dict[str, int]: Kind.COUNTS,
    dict[str, Any]: Kind.FACTS,
    bool | GivenConfig: Kind.CONFIG,
    Principal: Kind.PRINCIPAL,
    Principal | None: Kind.PRINCIPAL,
}


def _field(cls: type[msgspec.Struct], told: str, number: int) -> Field:
    found = next(field for field in msgspec.structs.fields(cls) if field.encode_name == told)
    type_ = get_type_hints(cls)[found.name]
    if cls is m.Presence and told == "members":
        return Field(found.name, told, number, Kind.MEMBERS, is_list=False, is_optional=True)
    is_optional = False
    if isinstance(type_, types.UnionType) and (given := [each for each in type_.__args__ if each not in _ABSENT]):
        is_optional = len(given) < len(type_.__args__)
        type_ = given[0] if is_optional else type_
    if get_origin(type_) is tuple:
        return Field(found.name, told, number, Kind.PRODUCER, is_list=False, is_optional=True)
    is_list = get_origin(type_) is list
    kind = _SCALARS[get_args(type_)[0] if is_list else type_]
    is_optional = not is_list and (is_optional or kind in (Kind.VALUE, Kind.CONFIG))
    return Field(found.name, told, number, kind, is_list=is_list, is_optional=is_optional)


#: The fields of each message, in the order of their numbers.
FIELDS: Final[Mapping[type[msgspec.Struct], tuple[Field, ...]]] = {
    cls: tuple(_field(cls, told, number) for number, told in enumerate(line.split(), 1) if told != "-")
    for cls, line in _NUMBERS.items()
}
