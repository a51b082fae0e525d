"""What is told on stderr of many streams.

Rule: what goes wrong with one stream ends no other, and decides the exit code: the first one does.
"""

from __future__ import annotations

from collections.abc import Collection

from headwater.cli import output
from headwater.cli.failures import ExitCode, Failure
from headwater.cli.many_lines import Made, Over, Skipped, ToldOfMany, Trouble, Waiting
from headwater.errors import BadRequest, OffsetGone, StreamNotFound


class Notices:
    """Of one run of a command.

    Args:
        asked: paths and patterns.
        waits: a stream that is not there is waited for; else that is an error.

    Attributes:
        exit_code: of the first error.
    """

    def __init__(self, asked: Collection[str], *, waits: bool) -> None:
        self.exit_code = int(ExitCode.FINE)
        self._asked = asked
        self._waits = waits
        self._told: dict[str, str] = {}  # by stream: what was told last; a new connection says it again

    def tell(self, item: ToldOfMany) -> None:
        """Tell it, unless that was the last thing told of its stream."""
        match item:
            case Waiting(stream) if self._waits:
                if self._is_news(stream, "waiting"):
                    output.note(f"{stream}: waiting for the stream")
            case Waiting(stream):
                self._fail(
                    stream, Failure(StreamNotFound.code, "there is no such stream", exit_code=ExitCode.NOT_FOUND)
                )
            case Made(stream) | Skipped(stream, _, True):
                self._told.pop(stream, None)
            case Skipped(stream, offset):
                what = f"records before {offset} are no longer kept"
                self._fail(stream, Failure(OffsetGone.code, what, exit_code=ExitCode.NOT_FOUND))
            case Over(stream, failure) if failure is not None:
                self._fail(stream, failure)
            case Trouble(stream, failure):
                self._fail(stream, self._explained(stream, failure))

    def _is_news(self, stream: str, what: str) -> bool:
        is_news = self._told.get(stream) != what
        self._told[stream] = what
        return is_news

    def _explained(self, stream: str, failure: Failure) -> Failure:
        if failure.code != BadRequest.code or stream in self._asked:
            return failure
        advice = "Where a pattern matches, -n counts records of JSON: name this stream to have its last lines."
        return Failure(failure.code, "it is left out: it is not of JSON", advice)

    def _fail(self, stream: str, failure: Failure) -> None:
        if self._is_news(stream, failure.code):
            self.exit_code = self.exit_code or failure.exit_code
            told = Failure(failure.code, f"{stream}: {failure.detail}", failure.advice)
            told.show()
