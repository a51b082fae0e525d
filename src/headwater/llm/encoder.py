"""A run's stream, as the hub delivers it, in a dialect: the encoder of runs for the hub's live wire formats.

Rule 1: the records are parts (`parts.py`); what stands between them and the bytes is the dialect alone.
Rule 2: only a closed batch ends a run. A connection that ends for another reason never looks like a success.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from headwater.llm.answer import Answer, coalesce_at
from headwater.llm.parts import Finish, Part, Raw, Text, decode_part
from headwater.llm.providers.dialect import Dialect, End, Ending, is_from_outside
from headwater.llm.providers.translator import Translator
from headwater.llm.providers.wire import FORMS, WireRecogniser
from headwater.model import BEGINNING, Batch, Record
from headwater.protocol.cursor import Data, Detached, Event, Failed, Gap, Idle

_GAP: Final = Ending(End.FAILED, "gap", "records were left out because the reader was too slow: read the run again")

#: How an event ends.
_BLANK: Final = (b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n")


class RunEncoder:
    """See `protocol.wire.Encoder`. It is given the run's records from the first one on.

    The first records are told as the shortest parts that make the same answer, so that who comes late gets one
    delta with all text so far; neighbouring deltas of later batches are joined.

    Args:
        dialect: that has told nothing yet.
        resume_at: the offset up to which the client has been told already, in this dialect: what lies before is
            read in silence.
        has_earlier: the client has the message with which the run goes on, if it does.
        left_out: what the dialect has no place for is added to it, when the run ends.
    """

    def __init__(
        self,
        dialect: Dialect,
        resume_at: str | None = None,
        *,
        has_earlier: bool = False,
        left_out: Counter[str] | None = None,
    ) -> None:
        self.media_type = dialect.media_type
        self._dialect = dialect
        self._resume_at = "" if resume_at in (None, BEGINNING) else resume_at
        self._has_earlier = dialect.has_earlier = has_earlier
        self._translator = Translator(keep=dialect.relays)
        self._is_first = not self._resume_at
        self._counts = left_out
        self._provider: WireRecogniser | None = None
        self._at_event = True

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Further headers of the response."""
        return self._dialect.headers

    @property
    def must_cut(self) -> bool:
        """See `Dialect.must_cut`; to be asked after the last event."""
        return self._dialect.must_cut

    def opening(self) -> bytes:
        """Nothing: the dialect opens with the first part."""
        return b""

    def encode(self, event: Event, now: float) -> bytes:
        """See `Encoder.encode`."""
        match event:
            case Data(batch):
                return self._encode_batch(batch)
            case Idle():
                return self._dialect.keepalive()
            case Failed(_, error):
                return self._end(Ending(End.FAILED, error.code, error.message))
            case Gap():
                return self._end(_GAP)
            case Detached():
                return self._end(Ending(End.DETACHED))
            case _:  # pragma: no cover - nobody waits for a run's log
                return b""

    def state(self) -> object:
        """See `Encoder.state`. What was translated is a function of the log."""
        return self._is_first, self._has_earlier, bool(self._resume_at), self._dialect.state()

    def _encode_batch(self, batch: Batch) -> bytes:
        records = self._after_silence(batch.records)
        told = self._tell(records) if records else b""
        if batch.records:
            # A run says first with which message it goes on; behind that nothing depends on who has it.
            self._has_earlier = False
        if not batch.closed:
            return told
        if batch.failure is None:
            told += self._tell_parts(self._translator.finish())
        return told + self._end(Ending.of(batch.failure))

    def _after_silence(self, records: Sequence[Record]) -> Sequence[Record]:
        """The records the client has not been told; the others are taken in without a word."""
        if not self._resume_at:
            return records
        count = sum(record.offset <= self._resume_at for record in records)
        self._tell(records[:count])
        if count < len(records):
            self._resume_at = ""
        return records[count:]

    def _tell(self, records: Sequence[Record]) -> bytes:
        if len(records) == 1 and not self._is_first and self._provider is None:
            record = records[0]
            part = decode_part(record.data)
            if type(part) is Text and part.delta:  # the usual case
                return self._dialect.encode((part,), (record.offset,))
        parts: list[Part] = []
        offsets: list[str] = []
        for record in records:
            made = self._parts_of(record)
            parts += made
            offsets += [*[""] * (len(made) - 1), record.offset] if made else []
        if self._dialect.keeps_records:
            self._is_first = False
            return self._dialect.encode(parts, offsets)
        if self._provider is not None or any(isinstance(part, Raw) for part in parts):
            return self._relay(parts, offsets)
        if self._is_first:
            self._is_first = False
            last = next((offset for offset in reversed(offsets) if offset), "")
            return self._tell_parts(Answer(parts).compact(), last)
        return self._dialect.encode(*coalesce_at(parts, offsets))

    def _parts_of(self, record: Record) -> list[Part]:
        part = decode_part(record.data)
        if type(part) is Text or self._dialect.keeps_records:
            return [part]
        return self._translator.translate([part])

    def _tell_parts(self, parts: Sequence[Part], offset: str = "") -> bytes:
        """Parts with an offset after the last one only."""
        return self._dialect.encode(parts, [*[""] * (len(parts) - 1), offset]) if parts else b""

    def _relay(self, parts: Sequence[Part], offsets: Sequence[str]) -> bytes:
        """Pass the provider's own bytes; parts of ours among them are told in their place."""
        self._is_first = False
        told: list[bytes] = []
        for part, offset in zip(parts, offsets, strict=True):
            if not isinstance(part, Raw):
                if not self._is_told(part):
                    told.append(self._dialect.encode([part], [offset]))
            elif part.dialect == self._dialect.relays:
                if self._provider is None and part.dialect in FORMS:
                    self._provider = WireRecogniser(part.dialect)
                data = part.data
                if self._provider is not None:
                    self._provider.feed(data)
                ends_event = FORMS.get(part.dialect) == "lines" or data.endswith(_BLANK)
                # The offset stands for the whole record: only one that is a whole event can carry it.
                told.append(self._dialect.relay(data, offset if self._at_event and ends_event else ""))
                self._at_event = ends_event
        return b"".join(told)

    def _is_told(self, part: Part) -> bool:
        """The provider has said it itself, or it takes nothing from what was whole."""
        provider = self._provider
        if provider is None:
            return False
        return provider.is_over or isinstance(part, Finish) or (provider.is_complete and is_from_outside(part))

    def _end(self, ending: Ending) -> bytes:
        """The dialect's end; after the last event of a provider that was relayed there is nothing to add."""
        if self._counts is not None:
            for kind, count in self._dialect.left_out.items():
                self._counts[f"{self._dialect.name}: {kind}"] += count
        if self._provider is not None and self._provider.is_complete:
            return b""
        if self._provider is not None and ending.is_success:
            ending = Ending(End.FAILED, "truncated", "the provider's stream ended without its last event")
        return self._dialect.end(ending)
