"""What happens to a reader that is slower than its stream: nothing is lost, or something is left out and told.

Rule 1: a gap is always told, with the offsets between which records were left out, so that a reader can fetch them.
Rule 2: a reader that is cut anywhere and comes back at the last offset it was told has missed nothing that its policy
        keeps. So no offset is told before all that is kept up to it.
"""

from __future__ import annotations

from typing import Final

import msgspec

from headwater.errors import BadRequest
from headwater.model import Batch, Policy, Record, SlowPolicy
from headwater.protocol.framing import is_json
from headwater.surrogates import json_value

#: Characters of a key at most.
MAX_KEY: Final = 256


REPLAY: Final = SlowPolicy()


def format_slow(slow: SlowPolicy) -> str:
    """The policy's text, in the form `parse_slow` reads."""
    return f"{slow.policy.value}:{slow.key}" if slow.key else slow.policy.value


def parse_slow(text: str) -> SlowPolicy:
    """The policy that `?slow=` or `Stream-Slow` asks for: `replay`, `latest`, `conflate:KEY` or `disconnect`.

    Raises:
        BadRequest: another word, or `conflate` without a key.
    """
    name, _, key = text.partition(":")
    try:
        policy = Policy(name)
    except ValueError:
        raise BadRequest(
            f"?slow= and Stream-Slow take replay, latest, conflate:KEY or disconnect, not {text[:40]!r}"
        ) from None
    if bool(key) != (policy is Policy.CONFLATE) or len(key) > MAX_KEY or not key.isprintable():
        raise BadRequest(
            f"?slow= and Stream-Slow: conflate:KEY has a key of up to {MAX_KEY} printable characters, no other has one"
        )
    return SlowPolicy(policy, key)


def has_meaning(slow: SlowPolicy, content_type: str) -> bool:
    """Whether a stream of this type can have a policy."""
    return slow.policy is not Policy.CONFLATE or is_json(content_type)


def check_slow(slow: SlowPolicy, content_type: str) -> None:
    """Refuse a policy that the stream's type has no meaning for.

    Raises:
        BadRequest: `conflate` on a stream that is not JSON.
    """
    if not has_meaning(slow, content_type):
        raise BadRequest(f"slow: conflate needs a JSON stream, and this one is {content_type}")


class Conflater:
    """Keeps of each key the newest record, over any number of batches.

    Args:
        key: of JSON objects.

    Attributes:
        dropped: records that were left out.
        size: bytes of the records that are kept.
    """

    def __init__(self, key: str) -> None:
        self.dropped = 0
        self.size = 0
        self._key = key
        self._newest: dict[str, Record] = {}

    def feed(self, batch: Batch) -> None:
        """Take the next batch."""
        for record in batch.records:
            name = self._name(record.data)
            older = self._newest.pop(name, None)
            if older is not None:
                self.dropped += 1
                self.size -= len(older.data)
            self.size += len(record.data)
            self._newest[name] = record  # at the end: the survivors stay in the log's order

    def records(self) -> tuple[Record, ...]:
        """The survivors, in the log's order."""
        return tuple(self._newest.values())

    def _name(self, data: bytes) -> str:
        try:
            value = json_value(data)
        except (msgspec.DecodeError, RecursionError):  # valid JSON that has no Python value
            return ""
        found = value.get(self._key) if isinstance(value, dict) else None
        return "" if found is None else f"{type(found).__name__}:{found}"
