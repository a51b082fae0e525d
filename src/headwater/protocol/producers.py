"""Idempotent producers: accept, duplicate, gap or fenced (protocol section 5.2.1, after Kafka's KIP-98).

Rule 1: one producer state per (stream, producer id); the store keeps it in the same transaction as the records.
Rule 2: a stream has a bounded number of them. What is forgotten of a producer is that a request of it was accepted, so
        the longest idle one goes, and only when none of its requests can be under way any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Final

import msgspec

from headwater.errors import InvalidProducer, LimitReached, ProducerFenced, ProducerGap
from headwater.model import Producer

#: Largest epoch and sequence: integers that JavaScript can hold.
MAX_INTEGER: Final = 2**53 - 1
#: Producers that are known in one stream.
MAX_PRODUCERS: Final = 10_000
#: Seconds of idleness before which no producer is forgotten, and after which each may be.
KEPT_SECONDS: Final = 24 * 3600.0
IDLE_SECONDS: Final = 7 * 24 * 3600.0


class ProducerState(msgspec.Struct, frozen=True, gc=False):
    """The newest epoch of a producer, the last sequence accepted in it, and when that was."""

    epoch: int
    seq: int
    used: float = 0.0


def full_until(producers: Mapping[str, ProducerState]) -> float:
    """When the stream has room for one more producer at the earliest, as last uses only grow; minus infinity: now.

    Args:
        producers: all of a stream, by id.
    """
    if len(producers) < MAX_PRODUCERS:
        return -inf
    return min(state.used for state in producers.values()) + KEPT_SECONDS


def full() -> LimitReached:
    """The refusal of one more producer."""
    return LimitReached(f"the stream has {MAX_PRODUCERS} producers, each of them in use within the last day")


def leaving(producers: Mapping[str, ProducerState], now: float) -> list[str]:
    """Who is forgotten when one more producer comes, and there is room.

    Args:
        producers: all of a stream, by id.
        now: the time of the new one's request, `full_until` or later.
    """
    gone = [name for name, state in producers.items() if now - state.used >= IDLE_SECONDS]
    if len(producers) - len(gone) < MAX_PRODUCERS:
        return gone
    # Those that are gone are idle for longer than all others.
    left = sorted(producers, key=lambda name: producers[name].used)[len(gone)]
    return [*gone, left]


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
