"""How a command fails: what it prints on stderr, and the exit code.

Rule: the exit codes are a promise to scripts, and are listed in `headwater --help`.
"""

from __future__ import annotations

from enum import IntEnum
from http import HTTPStatus
from typing import Any, Final

import click
import msgspec

from headwater.errors import HeadwaterError, StreamFailed


class ExitCode(IntEnum):
    """What `headwater` exits with."""

    FINE = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    NOT_FOUND = 4
    CONFLICT = 5
    STREAM_FAILED = 6
    DAMAGED = 7
    NO_STORE = 8
    INTERRUPTED = 130  # 128 + SIGINT, as shells have it


#: Answers after which the same request may succeed: limits and restarts, of the server or of a proxy before it.
PASSING: Final = frozenset({429, 502, 503, 504})
_EXIT_CODES: Final = {404: ExitCode.NOT_FOUND, 410: ExitCode.NOT_FOUND, 409: ExitCode.CONFLICT, 412: ExitCode.CONFLICT}


class Problem(msgspec.Struct, frozen=True):
    """The part of a JSON problem (RFC 9457) that people are shown."""

    code: str
    detail: str
    advice: str = ""
    status: int = 0


class Failure(click.ClickException):
    """A command cannot go on.

    Args:
        code: the problem's stable name.
        detail: what happened.
        advice: what to do about it.
        exit_code: what the process exits with.
        passing: trying again may help.
        retry_after: seconds to wait first, at least.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        advice: str = "",
        *,
        exit_code: ExitCode = ExitCode.REFUSED,
        passing: bool = False,
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code: Final = code
        self.detail: Final = detail
        self.advice: Final = advice
        self.exit_code: int = exit_code  # type: ignore[misc]  # click's is a class attribute
        self.passing: Final = passing
        self.retry_after: Final = retry_after

    def show(self, file: Any = None) -> None:
        """Print it on stderr: `code: detail`, and the advice below."""
        click.echo(f"{click.style(self.code, fg='red', bold=True)}: {_one_line(self.detail)}", file=file, err=True)
        if self.advice:
            click.echo(f"  {_one_line(self.advice)}", file=file, err=True)


class Unreachable(Failure):
    """The server did not answer, or the connection to it was lost."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            "unreachable",
            f"cannot reach {url}: {reason}",
            _way_out(reason),
            exit_code=ExitCode.UNREACHABLE,
            passing=True,
        )


def _way_out(reason: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return (
            "Call the server as its certificate does; SSL_CERT_FILE names the certificate of an authority of your own."
        )
    if "WRONG_VERSION_NUMBER" in reason:
        return "It speaks no TLS there: write http:// in --url or HEADWATER_URL."
    return "Start a server with 'headwater serve', or say where it is with --url or HEADWATER_URL."


class FailedStream(Failure):
    """A stream ended before it was complete.

    Args:
        code: of the stream's failure.
        message: of it; may be empty.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(
            "stream-failed",
            f"the stream ended before it was complete: {code}" + (f" ({message})" if message else ""),
            StreamFailed.advice,
            exit_code=ExitCode.STREAM_FAILED,
        )


def refusal(status: int, body: bytes, retry_after: str | None = None) -> Failure:
    """An answer that is an error, as a failure.

    Args:
        status: of the answer; 0 when the problem came inside a live answer and names its own.
        body: a JSON problem; of anything else only the status is told.
        retry_after: the header.
    """
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except msgspec.DecodeError:
        advice = "Is --url the URL of a Headwater server?"
        problem = Problem(f"http-{status}", f"the server answered {status} {_phrase(status)}", advice)
    status = status or problem.status
    return Failure(
        problem.code,
        problem.detail,
        problem.advice,
        exit_code=_EXIT_CODES.get(status, ExitCode.REFUSED),
        passing=status in PASSING,
        retry_after=float(retry_after) if retry_after and retry_after.isdecimal() else 0.0,
    )


def refused(error: HeadwaterError) -> Failure:
    """An error that the client was told inside a stream, as a failure."""
    return Failure(
        error.code,
        error.message,
        error.advice,
        exit_code=_EXIT_CODES.get(error.status, ExitCode.REFUSED),
        passing=error.status in PASSING,
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _one_line(text: str) -> str:
    """Without control characters: what a server says must not steer the terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
