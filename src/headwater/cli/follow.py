"""A reader of one stream, by the client: after a cut it goes on behind the last record it gave out.

Rule: nothing is left out, however slow the terminal or the next program is, and whatever the stream's policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from headwater.cli.remote import Remote
from headwater.client.items import Batch, Progress
from headwater.client.retry import Retry
from headwater.client.told import Heard
from headwater.client.transports import Transport
from headwater.model import Policy, Record


class Step(msgspec.Struct, frozen=True):
    """What one piece of a live answer told.

    Attributes:
        records: new records; may be none.
        heard: signals and news of members that came behind them, as lines of NDJSON.
        up_to_date: there are no more for now.
    """

    records: tuple[Record, ...]
    up_to_date: bool
    heard: tuple[bytes, ...] = ()


class Follower:
    """Follows a stream until it is closed.

    Args:
        remote: the server.
        path: the stream.
        content_type: the stream's.
        wire: the transport.
        offset: where to begin; not `now`, which a reconnect would take for another moment.
        retry: how trouble is met.
        compressed: ask for compressed answers.
        kinds: what is asked for beside records: `signals`, `presence`; and `envelope`, of records.
        alive: called with each piece that comes, heartbeats too.
    """

    def __init__(
        self,
        remote: Remote,
        path: str,
        content_type: str,
        wire: Transport,
        offset: str,
        retry: Retry,
        *,
        compressed: bool = False,
        kinds: Sequence[str] = (),
        alive: Callable[[Progress], None] | None = None,
    ) -> None:
        self._remote: Final = remote
        self._path: Final = path
        self._content_type: Final = content_type
        self._wire: Final = wire
        self._offset: Final = offset
        self._retry: Final = retry
        self._compressed: Final = compressed
        self._kinds: Final = kinds
        self._alive: Final = alive

    def steps(self) -> Iterator[Step]:
        """Everything from the offset on; ends when the stream is closed and all of it was given out.

        Raises:
            HeadwaterError: the server refused, patience is at its end, or the stream ended before it was complete.
        """
        for given in self._everything():
            match given:
                case Batch(items, _, up_to_date):
                    records = tuple(Record(item.offset, item.raw, item.at or 0.0, item.by) for item in items)
                    yield Step(records, up_to_date)
                case Heard(line):
                    yield Step((), False, (line,))

    def asked(self) -> dict[str, Any]:
        """How the stream is read."""
        return {
            "slow": Policy.REPLAY.value,
            "signals": "signals" in self._kinds,
            "presence": "presence" in self._kinds,
            "envelope": "envelope" in self._kinds,
            "progress": self._alive,
        }

    def _everything(self) -> Iterator[Any]:
        stream = self._remote.stream(
            self._path,
            content_type=self._content_type,
            transport=self._wire,
            retry=self._retry,
            compressed=self._compressed,
        )
        with stream:
            yield from stream.read(self._offset, **self.asked()).everything()
