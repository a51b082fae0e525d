"""`text`: the text itself, as `text/plain`.

There is no place for an error: a body that ends is complete. So an end that is no success must not complete the
body (`must_cut`): the client's read then fails, as it does for any answer that is cut. What else the answer had is
counted, and told nowhere.
"""

from __future__ import annotations

from typing import ClassVar

from headwater.llm.parts import Abort, Error, Finish, Part, Text
from headwater.llm.providers.dialect import Ending, SseDialect
from headwater.llm.providers.left_out import ALL


class PlainText(SseDialect):
    """A run as its text and nothing else."""

    name: ClassVar[str] = "text"
    media_type: ClassVar[bytes] = b"text/plain; charset=utf-8"
    lacks: ClassVar[frozenset[str]] = ALL
    has_ids: ClassVar[bool] = False
    tells_ends: ClassVar[bool] = False
    clients: ClassVar[str] = "`curl`, files"

    def keepalive(self) -> bytes:
        """Nothing: every byte is text."""
        return b""

    def relay(self, data: bytes, offset: str = "") -> bytes:
        """No provider speaks it."""
        return b""

    def _say(self, part: Part) -> list[bytes]:
        match part:
            case Text(_, delta):
                return [delta.encode()]
            case Error() | Abort():
                self._has_failed = True
            case Finish():
                self._has_finished = True
        return []

    def _end(self, ending: Ending) -> list[bytes]:
        self._has_failed = self._has_failed or not ending.is_success
        return []
