"""`text`: the text itself, as `text/plain`.

There is no place for an error: a body that ends is complete. So an end that is no success must not complete the
body (`must_cut`): the client's read then fails, as it does for any answer that is cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from headwater.llm.parts import Abort, Error, Part, Start, Text
from headwater.llm.providers.dialect import Ending


class PlainText:
    """See the module."""

    name: ClassVar[str] = "text"
    media_type: ClassVar[bytes] = b"text/plain; charset=utf-8"
    headers: ClassVar[tuple[tuple[bytes, bytes], ...]] = ()
    relays: ClassVar[str] = ""
    keeps_records: ClassVar[bool] = False
    has_earlier = False

    def __init__(self, fallback: Start | None = None, *, ids: bool = True) -> None:
        self._is_over = False
        self._has_failed = False

    @property
    def left_out(self) -> Mapping[str, int]:
        """Nothing is noted: it tells the text, and nothing else."""
        return {}

    @property
    def must_cut(self) -> bool:
        """See `Dialect.must_cut`."""
        return self._is_over and self._has_failed

    def encode(self, parts: Sequence[Part], offsets: Sequence[str] = ()) -> bytes:
        """The text of the parts."""
        if self._is_over:
            return b""
        self._has_failed = self._has_failed or any(isinstance(part, Error | Abort) for part in parts)
        return "".join(part.delta for part in parts if isinstance(part, Text)).encode()

    def relay(self, data: bytes, offset: str = "") -> bytes:
        """No provider speaks it."""
        return b""

    def end(self, ending: Ending) -> bytes:
        """Nothing; see `must_cut`."""
        self._is_over = True
        self._has_failed = self._has_failed or not ending.is_success
        return b""

    def keepalive(self) -> bytes:
        """Nothing: every byte is text."""
        return b""

    def state(self) -> object:
        """See `Dialect.state`."""
        return self._is_over, self._has_failed
