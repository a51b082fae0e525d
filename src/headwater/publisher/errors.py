"""What can go wrong when something is published."""

from __future__ import annotations

from collections.abc import Mapping


class PublishError(Exception):
    """A record was not written, as far as is known.

    Args:
        message: what happened.
        code: of the server's refusal; empty: there was none.
        status: of HTTP; 0: there was no answer.

    Attributes:
        code: as given.
        status: as given.
        retry_after: seconds that the server asked to wait.
        headers: of the answer, with small names.
    """

    def __init__(self, message: str, *, code: str = "", status: int = 0, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.retry_after = retry_after
        self.headers: Mapping[str, str] = {}


class Refused(PublishError):
    """The server refuses the record: sending it again unchanged would fail again. It was not written."""


class Trouble(PublishError):
    """There is no answer, or none for now: the record is sent again. Whether it is written is not known."""


class GaveUp(PublishError):
    """The server was in trouble for longer than the publisher tries. Whether the record is written is not known."""


class OutboxFull(PublishError):
    """Too much waits to be sent; the record was not taken."""
