"""`plain`: what every tutorial parses: `data: {"content": ...}`, and `data: [DONE]` at the end.

Only the text is told. An end that is no success is `data: {"error": ..., "code": ...}` before `[DONE]`.
"""

from __future__ import annotations

from typing import ClassVar

from headwater.llm.parts import Abort, Error, Finish, Part, Text
from headwater.llm.providers.dialect import DONE, End, Ending, SseDialect, frame


class Plain(SseDialect):
    """See the module."""

    name: ClassVar[str] = "plain"

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
        return [*([] if ending.is_success else self._fail(ending.told, ending.told_code)), DONE]

    def _fail(self, message: str, code: str) -> list[bytes]:
        """The first failure is told."""
        if self._has_failed:
            return []
        self._has_failed = True
        return [frame({"error": message, "code": code})]
