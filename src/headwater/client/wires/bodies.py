"""Bodies that hold what there is of a stream: catch-up, pages and long-poll (protocol sections 5.6 and 5.7).

Rule: the body has no offsets inside, so the records of one have the offset where it begins, but for the last, which has
the one behind it.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from headwater.client.codec import Codec, make_item
from headwater.client.errors import BadAnswer, BadRecord
from headwater.client.items import Batch, Item
from headwater.client.told import Bad, Told
from headwater.errors import HeadwaterError
from headwater.protocol.framing import keeps_records, split_body

T = TypeVar("T")


def split_page(codec: Codec[T], body: bytes, begin: str, end: str, skip: int = 0) -> list[Told]:
    """The records of a body.

    Args:
        codec: makes values of records.
        body: the bytes.
        begin: offset where it begins.
        end: offset behind it.
        skip: so many records were given before; of a type that does not keep them apart, bytes.

    Raises:
        BadAnswer: it is not what a stream of the type has.
    """
    records = _records(codec, body, skip)
    told: list[Told] = []
    items: list[Item[Any]] = []
    last = len(records) - 1
    for number, raw in enumerate(records):
        try:
            items.append(make_item(codec, raw, end if number == last else begin))
        except BadRecord as error:
            if items:
                told.append(Batch(items, begin))
            told.append(Bad(error))
            items = []
    if items or records:
        told.append(Batch(items, end))
    return told


def together(codec: Codec[T], bodies: list[bytes]) -> bytes:
    """Several bodies as one.

    Raises:
        BadAnswer: one is not what a stream of the type has.
    """
    if len(bodies) < 2 or not codec.is_json:
        return b"".join(bodies)
    return codec.joined([record for body in bodies for record in _records(codec, body, 0)])


def size_of(codec: Codec[T], body: bytes, told: list[Told]) -> int:
    """How much a body holds that was split into this, as `skip` counts it."""
    if not keeps_records(codec.content_type):
        return len(body)
    return sum(len(each.items) if isinstance(each, Batch) else 1 for each in told)


def _records(codec: Codec[T], body: bytes, skip: int) -> list[bytes]:
    if codec.is_json:
        try:
            return [bytes(each) for each in msgspec.json.decode(body, type=list[msgspec.Raw])][skip:]
        except msgspec.DecodeError:
            pass  # halves of surrogate pairs, or no JSON
    if not body:
        return []
    if not keeps_records(codec.content_type):
        return [body[skip:]] if len(body) > skip else []
    try:
        return list(split_body(codec.content_type, body))[skip:]
    except HeadwaterError:
        raise BadAnswer(f"the server's answer is not {codec.content_type}") from None
