"""An idempotent producer: which bytes go under which number, and what an answer says of them. No I/O.

Rule 1: a batch gets its number and its bytes before it is sent first, and is sent again as it was. A number counts
        requests, so the same number with other bytes would lose records.
Rule 2: a batch that is refused did not take its number: those behind it move down by one. They cannot have been
        written, since the server takes a number only behind the one before.
Rule 3: a number that the server does not expect: above ours, it has the batch; ours, it is sent again; below all of
        ours, the server forgot. Then what never was without an answer goes out under a new epoch; of the rest nobody
        knows, and it is told so.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

import msgspec

from headwater.client.errors import UnknownOutcome
from headwater.errors import HeadwaterError, InvalidBody, ProducerFenced, ProducerGap, SchemaMismatch


class Frozen(msgspec.Struct, eq=False):
    """A batch with a number.

    Attributes:
        seq: the number.
        body: its bytes.
        tokens: one for each record, as they were put.
        parts: the records, to send one by one when the batch is refused.
        close: it closes the stream: the headers that say so.
        is_doubtful: it was sent, and there was no answer.
        is_sent: it is under way.
    """

    seq: int
    body: bytes
    tokens: list[Any]
    parts: list[bytes]
    close: dict[str, str] = {}
    is_doubtful: bool = False
    is_sent: bool = False


class Outcome(msgspec.Struct, frozen=True):
    """What became of a batch.

    Attributes:
        batch: the batch.
        error: why it is not written; None: it is.
    """

    batch: Frozen
    error: HeadwaterError | None = None


class Numbers:
    """The batches of one producer that are not settled, in order.

    Args:
        producer: its id.
        epoch: its epoch.
        seq: the next number.
        claim: take the next epoch when another producer has this id; else stop.

    Attributes:
        epoch: as it is now.
        next: the next number.
        batches: what is not settled.
    """

    def __init__(self, producer: str, epoch: int = 0, seq: int = 0, *, claim: bool = False) -> None:
        self.producer: Final = producer
        self.epoch = epoch
        self.next = seq
        self.batches: deque[Frozen] = deque()
        self._claim: Final = claim

    def freeze(self, body: bytes, tokens: list[Any], parts: list[bytes], close: dict[str, str] | None = None) -> Frozen:
        """Give a number to a batch."""
        batch = Frozen(self.next, body, tokens, parts, close or {})
        self.next += 1
        self.batches.append(batch)
        return batch

    def headers(self, batch: Frozen) -> dict[str, str]:
        """The headers of a batch's request, as its number is now."""
        return {
            "producer-id": self.producer,
            "producer-epoch": str(self.epoch),
            "producer-seq": str(batch.seq),
            **batch.close,
        }

    def is_next(self, batch: Frozen) -> bool:
        """Whether all before it are settled."""
        return bool(self.batches) and self.batches[0] is batch

    def accepted(self, batch: Frozen) -> list[Outcome]:
        """The server has it, now or from before."""
        if batch not in self.batches:  # a later answer has told it already
            return []
        self.batches.remove(batch)
        return [Outcome(batch)]

    def lost(self, batch: Frozen) -> None:
        """There was no answer."""
        batch.is_doubtful = True

    def refused(self, batch: Frozen, error: HeadwaterError) -> list[Outcome]:
        """The server answered with an error that does not pass.

        Returns:
            What is settled by it; of all else the requests are to be sent again.
        """
        if isinstance(error, ProducerGap):
            return self._gap(batch, error)
        if isinstance(error, ProducerFenced):
            return self._fenced(batch, error)
        if batch not in self.batches:
            return []
        at = self.batches.index(batch)
        if isinstance(error, InvalidBody | SchemaMismatch) and len(batch.parts) > 1:
            self._split(at, batch)
            return []
        del self.batches[at]
        self._renumber()
        return [Outcome(batch, error)]

    def stop(self, error: HeadwaterError) -> list[Outcome]:
        """Give up all."""
        outcomes = [Outcome(batch, unknown(error) if batch.is_doubtful else error) for batch in self.batches]
        self.batches.clear()
        return outcomes

    def _gap(self, batch: Frozen, error: ProducerGap) -> list[Outcome]:
        expected = _number(error, "producer_expected_seq")
        lowest = self.batches[0].seq
        if expected is None:
            return self._forgotten(error)
        if expected < lowest:
            return self._forgotten(error)
        settled: list[Outcome] = []
        while self.batches and self.batches[0].seq < expected:
            settled += self.accepted(self.batches[0])
        return settled

    def _forgotten(self, error: HeadwaterError) -> list[Outcome]:
        """The server does not know this producer any more, after a restore or too long a silence."""
        settled = [Outcome(batch, unknown(error)) for batch in self.batches if batch.is_doubtful]
        self.batches = deque(batch for batch in self.batches if not batch.is_doubtful)
        self._begin_epoch(self.epoch + 1)
        return settled

    def _fenced(self, batch: Frozen, error: ProducerFenced) -> list[Outcome]:
        if not self._claim:
            return self.stop(error)
        current = _number(error, "producer_epoch")
        settled = [Outcome(each, unknown(error)) for each in self.batches if each.is_doubtful]
        self.batches = deque(each for each in self.batches if not each.is_doubtful)
        self._begin_epoch((self.epoch if current is None else max(current, self.epoch)) + 1)
        return settled

    def _begin_epoch(self, epoch: int) -> None:
        self.epoch = epoch
        self.next = 0
        self._renumber(0)

    def _renumber(self, begin: int | None = None) -> None:
        seq = self.next - len(self.batches) - 1 if begin is None else begin
        for batch in self.batches:
            batch.seq = seq
            seq += 1
        self.next = seq

    def _split(self, at: int, batch: Frozen) -> None:
        """One of its records is at fault: each goes by itself, the first under the number that was not taken."""
        seq = self.batches[0].seq
        last = len(batch.parts) - 1
        singles = [
            Frozen(0, part, batch.tokens[n : None if n == last else n + 1], [part], batch.close if n == last else {})
            for n, part in enumerate(batch.parts)
        ]
        found = list(self.batches)
        found[at : at + 1] = singles
        self.batches = deque(found)
        self._renumber(seq)


def unknown(error: HeadwaterError) -> UnknownOutcome:
    """The error of a batch that was sent, and of which nobody knows."""
    return UnknownOutcome(f"it was sent and not acknowledged, and then: {error.message}; it may be written, or not")


def _number(error: HeadwaterError, name: str) -> int | None:
    found = error.details.get(name)
    return int(found) if isinstance(found, str | int) and str(found).isdecimal() else None
