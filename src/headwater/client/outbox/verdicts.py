"""What an answer means for a batch that is sent again until its fate is known. No I/O.

Rule 1: a number that the server does not expect: above ours, it has the batch. Below ours, the server forgot: what was
        never without an answer goes out under a new epoch; of the rest nobody knows, and it is told so.
Rule 2: a refusal ends the epoch: its number was not used, and a request that is still on its way must not be taken
        for another one.
Rule 3: only what a stream's server refuses is refused. A login page, a lost network and 401 pass, or the record
        expires.
"""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.client.errors import ClientError, UnknownOutcome
from headwater.client.outbox.fates import State
from headwater.errors import (
    HeadwaterError,
    InvalidBody,
    InvalidProducer,
    NotAuthorized,
    ProducerFenced,
    ProducerGap,
    SchemaMismatch,
)

Numbers = tuple[int, int]


class Verdict(msgspec.Struct, frozen=True):
    """What is to be done.

    Attributes:
        state: the fate of the batch; None: it has none yet.
        next: the numbers of the next batch; None: as they are.
        error: why.
        thaw: nothing of it was sent as the server sees it: all is frozen anew, under `next`.
        apart: one of its records is at fault: each goes by itself.
        is_lost: it may have been written, and nobody said so.
    """

    state: State | None = None
    next: Numbers | None = None
    error: HeadwaterError | None = None
    thaw: bool = False
    apart: bool = False
    is_lost: bool = False


_FACTS: Final = {"expected": "producer_expected_seq", "epoch": "producer_epoch"}


def verdict(error: HeadwaterError, numbers: Numbers, *, is_lost: bool, size: int) -> Verdict:
    """What an error means for a batch.

    Args:
        error: what came in place of an acknowledgement.
        numbers: of the batch.
        is_lost: it was sent before without an answer.
        size: its records.
    """
    epoch, seq = numbers
    if isinstance(error, ProducerGap) and (_fact(error, "expected") or 0) > seq:
        return Verdict("acknowledged")
    if isinstance(error, ProducerGap | ProducerFenced | InvalidProducer):
        known = _fact(error, "epoch") if isinstance(error, ProducerFenced) else None
        following = (max(epoch, known or 0) + 1, 0)
        if is_lost:
            told = UnknownOutcome(f"it was sent, and the server forgot this producer: {error.message}")
            return Verdict("unknown", following, told)
        return Verdict(next=following, thaw=True)
    if isinstance(error, ClientError | NotAuthorized) or error.retryable:
        return Verdict(is_lost=is_lost or not isinstance(error, NotAuthorized))
    if isinstance(error, InvalidBody | SchemaMismatch) and size > 1:
        return Verdict(next=(epoch + 1, 0), thaw=True, apart=True)
    return Verdict("refused", (epoch + 1, 0), error)


def _fact(error: HeadwaterError, name: str) -> int | None:
    found = error.details.get(name, error.details.get(_FACTS[name]))
    return int(found) if isinstance(found, str | int) and str(found).isdecimal() else None
