"""`plain`: what every tutorial parses: `data: {"content": ...}`, and `data: [DONE]` at the end.

Only the text is told. An end that is no success is `data: {"error": ..., "code": ...}` before `[DONE]`. What else the
answer had stands, as a number, beside an empty `content` before that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from headwater.llm.parts import Abort, Error, Finish, Part, Text
from headwater.llm.providers.dialect import DONE, End, Ending, SseDialect, frame
from headwater.llm.providers.left_out import ALL


class Plain(SseDialect):
    """A run as its text in JSON."""

    name: ClassVar[str] = "plain"
    lacks: ClassVar[frozenset[str]] = ALL
    clients: ClassVar[str] = "hand-written clients, as in every tutorial"
    differs: ClassVar[Mapping[str, str]] = {
        "end": "Why the model stopped is not told, unless it failed.",
        "refusals": "The text of a refusal is told as text.",
        "tokens": "They are not told.",
    }

    def _say(self, part: Part) -> list[bytes]:
        match part:
            case Text(_, delta):
                return [frame({"content": delta})]
            case Error(code, message):
                return self._fail(message or code, code)
            case Abort(reason):
                return self._fail(reason or Ending(End.STOPPED).told, "stopped")
            case Finish():
                self._has_finished = True
                return []
            case _:
                return []

    def _end(self, ending: Ending) -> list[bytes]:
        if not ending.is_success:
            return [*self._fail(ending.told, ending.told_code), DONE]
        return [*([] if self._has_failed else self._beside()), DONE]

    def _beside(self) -> list[bytes]:
        """What was left out; clients add the empty text."""
        fields = self._left_out.fields()
        return [frame({"content": "", **fields})] if fields else []

    def _fail(self, message: str, code: str) -> list[bytes]:
        """The first failure is told."""
        if self._has_failed:
            return []
        self._has_failed = True
        return [*self._beside(), frame({"error": message, "code": code})]
