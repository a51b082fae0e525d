"""How a command fails: what it prints on stderr, and the exit code.

Rule: the exit codes are a promise to scripts, and are listed in `headwater --help`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any, Final

import click

from headwater.client.errors import NetworkError, Truncated, UnknownOutcome
from headwater.client.problems import problem_of
from headwater.errors import HeadwaterError, MissingExtra, StreamFailed


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


_EXIT_CODES: Final = {404: ExitCode.NOT_FOUND, 410: ExitCode.NOT_FOUND, 409: ExitCode.CONFLICT, 412: ExitCode.CONFLICT}


class Failure(click.ClickException):
    """A command cannot go on.

    Args:
        code: the problem's stable name.
        detail: what happened.
        advice: what to do about it.
        exit_code: what the process exits with.
    """

    def __init__(
        self, code: str, detail: str, advice: str = "", *, exit_code: ExitCode | int = ExitCode.REFUSED
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code: Final = code
        self.detail: Final = detail
        self.advice: Final = advice
        self.exit_code: int = exit_code  # type: ignore[misc]  # click's is a class attribute

    def show(self, file: Any = None) -> None:
        """Print it on stderr: `code: detail`, and the advice below."""
        click.echo(f"{click.style(self.code, fg='red', bold=True)}: {_one_line(self.detail)}", file=file, err=True)
        if self.advice:
            click.echo(f"  {_one_line(self.advice)}", file=file, err=True)


def _way_out(reason: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        return (
            "Call the server as its certificate does; SSL_CERT_FILE names the certificate of an authority of your own."
        )
    if "WRONG_VERSION_NUMBER" in reason:
        return "It speaks no TLS there: write http:// in --url or HEADWATER_URL."
    return "Start a server with 'headwater serve', or say where it is with --url or HEADWATER_URL."


def failure_of(error: HeadwaterError, origin: str = "") -> Failure:
    """What the client raises, as the failure of a command.

    Args:
        error: what it is.
        origin: of the server.
    """
    match error:
        case StreamFailed():
            return Failure(error.code, error.message, error.advice, exit_code=ExitCode.STREAM_FAILED)
        case Truncated():
            return Failure(error.code, error.message, exit_code=ExitCode.REFUSED)
        case NetworkError():
            detail = f"cannot reach {origin}: {error.message}" if origin else error.message
            return Failure(error.code, detail, _way_out(error.message), exit_code=ExitCode.UNREACHABLE)
        case UnknownOutcome() if isinstance(cause := error.__cause__, HeadwaterError):
            return Failure(error.code, error.message, error.advice, exit_code=failure_of(cause, origin).exit_code)
        case _:
            code = _EXIT_CODES.get(error.status, ExitCode.REFUSED)
            return Failure(error.code, error.message, error.advice, exit_code=code)


@contextmanager
def failing(origin: str) -> Iterator[None]:
    """What the client raises inside is a failure of the command.

    Args:
        origin: of the server.
    """
    try:
        yield
    except MissingExtra:  # which is wrong usage, and told by the group
        raise
    except HeadwaterError as error:
        raise failure_of(error, origin) from None


def refusal(status: int, body: bytes) -> Failure:
    """An answer that is an error, as a failure.

    Args:
        status: of the answer; 0: it came inside a live answer, and says its own.
        body: of it.
    """
    return failure_of(problem_of(status, body))


def _one_line(text: str) -> str:
    """Without control characters: what a server says must not steer the terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
