"""Idempotent producers: accept, duplicate, gap or fenced (protocol section 5.2.1, after Kafka's KIP-98).

Rule: one producer state per (stream, producer id); the store keeps it in the same transaction as the records.
"""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.errors import InvalidProducer, ProducerFenced, ProducerGap
from headwater.model import Producer

#: Largest epoch and sequence: integers that JavaScript can hold.
MAX_INTEGER: Final = 2**53 - 1


class ProducerState(msgspec.Struct, frozen=True, gc=False):
    """The newest epoch of a producer and the last sequence accepted in it."""

    epoch: int
    seq: int


def advance(state: ProducerState | None, producer: Producer) -> ProducerState | None:
    """The producer's state after accepting this request; None when the request is a duplicate.

    Raises:
        InvalidProducer: a new producer or epoch does not start at sequence 0.
        ProducerFenced: the epoch is older than the newest one; carries the newest epoch.
        ProducerGap: sequences are missing; carries the expected and the received one.
    """
    if state is None:
        return _start(producer, expected=0)
    if producer.epoch < state.epoch:
        raise ProducerFenced(
            f"epoch {producer.epoch} of producer {producer.id!r} is older than its epoch {state.epoch}",
            epoch=state.epoch,
        )
    if producer.epoch > state.epoch:
        if producer.seq != 0:
            raise InvalidProducer(f"epoch {producer.epoch} is new, so it starts at sequence 0, not {producer.seq}")
        return ProducerState(producer.epoch, 0)
    if producer.seq <= state.seq:
        return None
    if producer.seq != state.seq + 1:
        raise _gap(producer, expected=state.seq + 1)
    return ProducerState(producer.epoch, producer.seq)


def _start(producer: Producer, *, expected: int) -> ProducerState:
    if producer.seq != expected:
        raise _gap(producer, expected=expected)
    return ProducerState(producer.epoch, producer.seq)


def _gap(producer: Producer, *, expected: int) -> ProducerGap:
    return ProducerGap(
        f"producer {producer.id!r} sent sequence {producer.seq}, but {expected} is the next one",
        expected=expected,
        received=producer.seq,
    )
