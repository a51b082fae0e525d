"""`raw`: the parts as they are stored, one event each, and an event `end` that says how the run ended."""

from __future__ import annotations

from typing import ClassVar

from headwater.llm.parts import OURS, Foreign, Part, encode_part
from headwater.llm.providers.dialect import Ending, SseDialect, frame, without_empty


class RawParts(SseDialect):
    """A run as its parts. The last event is `end`: `{"end": "finished"}`, or another word, `code` and `message`."""

    name: ClassVar[str] = "raw"
    keeps_records: ClassVar[bool] = True
    clients: ClassVar[str] = "programs that want the stored parts"

    def _say(self, part: Part) -> list[bytes]:
        if isinstance(part, Foreign) and part.dialect == OURS:  # a record of a later release, or of somebody else
            return [frame(part.event)]
        return [b"data: " + encode_part(part) + b"\n\n"]

    def _end(self, ending: Ending) -> list[bytes]:
        if ending.is_success:
            return [frame({"end": "finished"}, "end")]
        facts = {"end": ending.end.value, "code": ending.told_code, "message": ending.told}
        return [frame(without_empty(facts), "end")]
