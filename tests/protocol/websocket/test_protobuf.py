"""Messages as Protobuf, against its own library: what it writes is read, and the other way round."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.proto import classes

from headwater.errors import InvalidMessage
from headwater.model import Principal, Record
from headwater.protocol.given import GivenConfig
from headwater.protocol.offsets import Segment
from headwater.protocol.spans import Span
from headwater.protocol.websocket import frames
from headwater.protocol.websocket import messages as m
from headwater.protocol.websocket.codecs import CODECS
from headwater.protocol.websocket.protobuf import Malformed, decode, encode, fields, varint
from headwater.protocol.websocket.schema import CLIENT_NUMBERS, FIELDS, SERVER_NUMBERS, Field, Kind

CODEC = CODECS["headwater.v1+protobuf"]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
whole = st.integers(-(2**63), 2**63 - 1)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
raws = values.map(lambda value: msgspec.Raw(json.dumps(value).encode()))
configs = st.builds(
    GivenConfig,
    ttl=st.none() | whole,
    expires_at=st.none() | texts,
    retention=st.none() | texts,
    slow=st.none() | texts,
)
_KINDS: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.TEXT: texts,
    Kind.INTEGER: whole,
    Kind.NUMBER: st.floats(allow_nan=False, allow_infinity=False),
    Kind.FLAG: st.booleans(),
    Kind.BYTES: st.binary(max_size=300),
    Kind.VALUE: raws,
    Kind.FACTS: st.dictionaries(texts, values, max_size=3),
    Kind.COUNTS: st.dictionaries(texts, whole, max_size=3),
    Kind.PRODUCER: st.tuples(texts, whole, whole),
    Kind.PRINCIPAL: st.builds(Principal, texts.filter(bool), texts),
    Kind.CONFIG: st.booleans() | configs,
    Kind.MEMBERS: st.none() | st.just(msgspec.UNSET) | st.lists(raws, max_size=3),
}


def value_of(field: Field) -> st.SearchStrategy[Any]:
    one = _KINDS[field.kind]
    if field.is_list and field.kind is Kind.PRINCIPAL:
        one |= st.none()
    if field.is_list:
        one = st.lists(one, max_size=4)
    if field.kind in (Kind.CONFIG, Kind.MEMBERS):
        return one
    nothing = msgspec.UNSET if field.kind is Kind.VALUE else None
    return one | st.just(nothing) if field.is_optional else one


def message_of(cls: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    return st.builds(cls, **{field.name: value_of(field) for field in FIELDS[cls]})


def plain(cls: type[msgspec.Struct], message: msgspec.Struct) -> dict[str, Any]:
    """The fields of a message that are there, as the library has them."""
    found: dict[str, Any] = {}
    for field in FIELDS[cls]:
        value = getattr(message, field.name)
        if field.kind is Kind.MEMBERS:
            if value is not msgspec.UNSET:
                entries = [bytes(each) for each in value or ()]
                found[field.told] = {"many": True} if value is None else {"member": entries} if entries else {}
            continue
        if value is None or value is msgspec.UNSET or value is False or (not value and not field.is_optional):
            continue
        if field.kind is Kind.VALUE:
            value = [bytes(each) for each in value] if field.is_list else bytes(value)
        elif field.kind is Kind.FACTS:
            value = msgspec.json.encode(value)
        elif field.kind is Kind.PRODUCER:
            value = {name: each for name, each in zip(("id", "epoch", "seq"), value, strict=True) if each}
        elif field.kind is Kind.PRINCIPAL:
            value = [_principal(each) for each in value] if field.is_list else _principal(value)
        elif field.kind is Kind.CONFIG:
            value = {} if value is True else plain(GivenConfig, value)
        if value is not False:
            found[field.told] = value
    return found


def _principal(by: Principal | None) -> dict[str, str]:
    return {} if by is None else {"subject": by.subject, **({"issuer": by.issuer} if by.issuer else {})}


def as_dict(message: Any) -> dict[str, Any]:
    """The same of a message of the library."""
    found: dict[str, Any] = {}
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            value = dict(value)
        elif field.message_type is not None:
            value = [as_dict(each) for each in value] if field.is_repeated else as_dict(value)
        elif field.is_repeated:
            value = list(value)
        if value is not False:
            found[field.name] = value
    return found


@pytest.mark.parametrize("side", ["ClientMessage", "ServerMessage"])
def test_the_file_has_every_message(side: str) -> None:
    """Each of the tables, by its number and its tag, with every field but the records that are values."""
    table, every = (CLIENT_NUMBERS, m.CLIENT) if side == "ClientMessage" else (SERVER_NUMBERS, m.SERVER)
    assert set(table.values()) == set(every)
    told = classes()[side].DESCRIPTOR
    assert {field.number: field.name for field in told.fields} == {
        number: cls.__struct_config__.tag for number, cls in table.items()
    }
    for cls in every:
        names = {field.name: field.number for field in classes()[cls.__name__].DESCRIPTOR.fields}
        assert names == {field.told: field.number for field in FIELDS[cls]}
        missing = set(cls.__struct_encode_fields__) - set(names)
        assert missing == ({"r"} if cls in (m.Data, m.Page) else set())


@given(st.data())
def test_what_the_server_tells_the_library_reads(data: st.DataObject) -> None:
    """Every message, whatever is in it."""
    number = data.draw(st.sampled_from(sorted(SERVER_NUMBERS)))
    cls = SERVER_NUMBERS[number]
    message = data.draw(message_of(cls))
    ((first, payload),) = frames.split(CODEC.encode(message))
    assert first == frames.BINARY
    found = classes()["ServerMessage"].FromString(payload)
    tag = str(cls.__struct_config__.tag)
    assert found.WhichOneof("message") == tag
    expected = plain(cls, message)
    if "facts" in expected:
        assert json.loads(getattr(found, tag).facts) == message.facts
    assert as_dict(getattr(found, tag)) == expected


@given(st.data())
def test_what_a_client_says_by_the_library_is_read(data: st.DataObject) -> None:
    """Every message, whatever is in it; and what is not known beside it is let through."""
    number = data.draw(st.sampled_from(sorted(CLIENT_NUMBERS)))
    cls = CLIENT_NUMBERS[number]
    message = data.draw(message_of(cls))
    tag = str(cls.__struct_config__.tag)
    sent = classes()["ClientMessage"](**{tag: {}})
    inner = getattr(sent, tag)
    inner.SetInParent()
    for name, value in plain(cls, message).items():
        if isinstance(value, dict):
            part = getattr(inner, name)
            part.SetInParent()
            for key, each in value.items():
                setattr(part, key, each)
        elif isinstance(value, list):
            getattr(inner, name).extend(value)
        else:
            setattr(inner, name, value)
    body = sent.SerializeToString()
    unknown = b"\xa2\x06\x01x" if data.draw(st.booleans()) else b""
    found = CODEC.decode(unknown + body)
    assert type(found) is cls
    assert plain(cls, found) == plain(cls, message)


@given(st.data())
def test_a_message_comes_back(data: st.DataObject) -> None:
    """As it was, also with numbers of ours in other wire types, groups, and parts that come twice."""
    cls = data.draw(st.sampled_from([*CLIENT_NUMBERS.values()]))
    message = data.draw(message_of(cls))
    body = encode(message)
    noise = data.draw(
        st.sampled_from([b"", b"\x0d\x01\x02\x03\x04", b"\xa3\x06\x08\x01\xa4\x06", b"\xa1\x06" + bytes(8)])
    )
    assert plain(cls, decode(cls, noise + body)) == plain(cls, message)


@given(st.binary(max_size=200))
def test_bytes_of_any_kind(data: bytes) -> None:
    """A message, or a refusal; what the library does not read is not read here."""
    try:
        CODEC.decode(data)
    except InvalidMessage:
        return
    classes()["ClientMessage"].FromString(data)


SUB = b"\x12\x05\x08\x07\x12\x01a"


@pytest.mark.parametrize(
    ("sent", "detail", "id"),
    [
        (b"", "none of ClientMessage", None),
        (b"\x08\x01", "none of ClientMessage", None),
        (b"\xa2\x06\x01x", "none of ClientMessage", None),
        (b"{}", "", None),
        (b"\x12\x05\x08\x07", "field 2 has 5 bytes, and 2 are there", None),
        (b"\x12\x04\x08\x07\x12\x05", "field 2 has 5 bytes, and 0 are there", 7),
        (b"\x12\x05\x08\x07\x12\x01\xff", "a text is no UTF-8", 7),
        (b"\x12\x04\x08\x07\x02\x00", "the number 0", 7),
        (b"\x12\x03\x08\x07\x16", "no wire type 6", 7),
        (b"\x12\x03\x08\x07\x14", "ends that did not begin", 7),
        (b"\x12\x03\x08\x07\x13", "does not end", 7),
        (b"\x12\x0c\x08" + b"\x80" * 10 + b"\x01", "varint has no end", None),
        (b"\x12\x02\x08\x80", "varint has no end", None),
        (b"\x2a\x07\x08\x09\x22\x03a,b", "text of one JSON value", 9),
        (b"\x2a\x07\x08\x09\x22\x031,2", "text of one JSON value", 9),
        (b"\x2a\x04\x08\x09\x22\x00", "text of one JSON value", 9),
    ],
)
def test_what_is_no_message_is_refused(sent: bytes, detail: str, id: int | None) -> None:
    """With the id, where it was read before."""
    with pytest.raises(InvalidMessage) as caught:
        CODEC.decode(sent)
    assert detail in caught.value.message
    assert caught.value.details.get("id") == id


def test_a_message_cut_anywhere_is_refused_or_another_one() -> None:
    """No cut is read as the whole."""
    whole_one = CODEC.decode(SUB)
    assert (type(whole_one), whole_one.id, whole_one.path) == (m.Sub, 7, "a")  # type: ignore[union-attr]
    for at in range(len(SUB)):
        with pytest.raises(InvalidMessage):
            CODEC.decode(SUB[:at])


def test_what_comes_twice() -> None:
    """The last value counts, parts of one message are put together, and of two messages the last one is read."""
    found = CODEC.decode(SUB + b"\x12\x02\x08\x08")
    assert (type(found), found.id, found.path) == (m.Sub, 8, "a")  # type: ignore[union-attr]
    assert type(CODEC.decode(SUB + b"\x6a\x00")) is m.Ping
    # id, the producer "p" with its epoch, and then its sequence.
    found = decode(m.Append, b"\x08\x01\x3a\x05\x0a\x01p\x10\x02\x3a\x02\x18\x03")
    assert found.p == ("p", 2, 3)
    # A part is whole by itself: what lacks in one is not in the next.
    for first, second in ((b"\xc1\xbe\x4d1234", b"5678"), (b"\x13", b"\x14"), (b"\x12\x02a", b"b")):
        with pytest.raises(InvalidMessage):
            CODEC.decode(b"".join(b"\x12" + varint(len(part)) + part for part in (first, second)))
    # Of two messages the first is one as well.
    with pytest.raises(InvalidMessage):
        CODEC.decode(b"\x12\x01\x08\x6a\x00")
    assert decode(m.Append, b"\x52\x00").create is True
    assert decode(m.Append, b"\x52\x02\x08\x05").create == GivenConfig(ttl=5)


@given(st.integers(-(2**63), 2**64 - 1))
def test_numbers(value: int) -> None:
    """Of 64 bits, with ten bytes at most, and no more than the library writes."""
    data = varint(value)
    assert [(1, 0, value & (2**64 - 1))] == list(fields(b"\x08" + data))
    assert len(data) <= 10
    if value < 2**63:
        assert classes()["Ack"](s=value).SerializeToString() == (b"\x08" + data if value else b"")


def test_a_varint_of_too_many_bytes() -> None:
    with pytest.raises(Malformed):
        list(fields(b"\x08" + b"\xff" * 11))


def span(*data: bytes) -> Span:
    return Span((Segment(1, 0),), 0, list(data), [1500] * len(data))


@pytest.mark.parametrize("envelope", [False, True])
@pytest.mark.parametrize("count", [1, 2, 100])
def test_records_are_bytes_as_they_are_stored(count: int, envelope: bool) -> None:
    """Whatever the stream's type; a page has its own fields before them."""
    data = [b'{"n":%d}' % number for number in range(count)]
    ((_, payload),) = frames.split(CODEC.data(7, "application/json", span(*data), envelope=envelope))
    told = classes()["ServerMessage"].FromString(payload).data
    last = told.o
    offsets = [last[: len(last) - len(end)] + end for end in told.e] + [last]
    assert (told.s, list(told.b), offsets) == (7, data, [record.offset for record in span(*data)])
    assert list(told.at) == ([1.5] * count if envelope else [])
    page = m.Page(3, "x", last, live=True)
    ((_, payload),) = frames.split(CODEC.page(page, "text/plain", span(*data), envelope=envelope))
    told = classes()["ServerMessage"].FromString(payload).page
    assert (told.id, told.live, list(told.b), len(told.e)) == (3, True, data, count - 1)
    ((_, payload),) = frames.split(CODEC.page(page, "text/plain", (), envelope=envelope))
    assert not classes()["ServerMessage"].FromString(payload).page.b


def test_who_appended_each() -> None:
    """Where nobody is named, a principal without a subject; where nobody is named at all, nothing."""
    by = [None, Principal("u1"), Principal("u1", "https://app.example")]
    records = [Record("x", b"1", 1.5, each) for each in by]
    ((_, payload),) = frames.split(CODEC.data(7, "application/json", records, envelope=True))
    found = classes()["ServerMessage"].FromString(payload).data.by
    assert [as_dict(each) for each in found] == [_principal(each) for each in by]
    for each, envelope in (([*records], False), (records[:1], True)):
        ((_, payload),) = frames.split(CODEC.data(7, "application/json", each, envelope=envelope))
        assert not classes()["ServerMessage"].FromString(payload).data.by


def test_delimited_messages_come_without_their_length() -> None:
    kind = "application/x-protobuf; encoding=delimited"
    ((_, payload),) = frames.split(CODEC.data(7, kind, [Record("x", b"\x02ab", 0.0)], envelope=False))
    assert list(classes()["ServerMessage"].FromString(payload).data.b) == [b"ab"]


#: What is told for ever: bytes of a message, whatever the code becomes.
VECTORS: list[tuple[m.ServerMessage, str]] = [
    (m.Live(4, "0_1"), "2a0708041203305f31"),
    (m.Ok(7, "0_1", dup=True), "42090807120330 5f311801".replace(" ", "")),
    (m.End(1, "x", "failed", "boom", "", 2.5), "3a1c08011201781a066661696c65642204626f6f6d310000000000000440"),
    (m.Signal(2, keep=0, data=msgspec.Raw(b"null")), "82010a080212046e756c6c3800"),
    (m.Beat(), "7200"),
]


@pytest.mark.parametrize(("message", "expected"), VECTORS, ids=lambda value: type(value).__name__)
def test_vectors(message: m.ServerMessage, expected: str) -> None:
    ((_, payload),) = frames.split(CODEC.encode(message))
    assert payload.hex() == expected
