"""The parts of a log in which raw bytes of a provider stand among them, as parts only.

Rule: why the model stopped is what the provider said. The log's own finish stands for it, and knows no reason. A stop
or a loss behind the provider's last event takes nothing from the answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from headwater.llm.parts import Finish, Part, Raw, Start
from headwater.llm.providers.dialect import is_from_outside
from headwater.llm.providers.wire import FORMS, WireRecogniser


class Translator:
    """Reads the raw bytes; all other parts pass.

    Args:
        keep: the dialect whose bytes pass too, because the reader speaks it; empty: none.
    """

    def __init__(self, keep: str = "") -> None:
        self._keep = keep
        self._start: Start | None = None
        self._streams: dict[str, WireRecogniser] = {}

    def translate(self, parts: Iterable[Part]) -> list[Part]:
        """The parts that these make. Bytes of a dialect that cannot be read pass as they are."""
        found: list[Part] = []
        for part in parts:
            if isinstance(part, Raw) and part.dialect != self._keep and part.dialect in FORMS:
                found += self._stream(part.dialect).feed(part.data)
            elif (
                self._streams
                and (isinstance(part, Finish) or is_from_outside(part))
                and all(map(_is_whole, self._streams.values()))
            ):
                found += self.finish()
            else:
                if isinstance(part, Start) and self._start is None:
                    self._start = part
                found.append(part)
        return found

    def finish(self) -> list[Part]:
        """The log has ended: what the streams in it still say."""
        return [part for stream in self._streams.values() for part in stream.finish()]

    def _stream(self, dialect: str) -> WireRecogniser:
        if dialect not in self._streams:
            self._streams[dialect] = WireRecogniser(dialect, self._start)
        return self._streams[dialect]


def _is_whole(stream: WireRecogniser) -> bool:
    return stream.is_complete and stream.failed is None
