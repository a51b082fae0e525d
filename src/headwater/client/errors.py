"""What can go wrong on the client's side, and how a server's refusals are raised here.

Rule 1: what a server tells is raised as the class of `headwater.errors` with its code. What only a client can know is a
        class of this module, with a code of its own.
Rule 2: `retryable` says whether the same call may succeed later. A reader has tried by itself before it raises.
"""

from __future__ import annotations

from headwater.errors import HeadwaterError


class ClientError(HeadwaterError):
    """The client cannot go on."""

    code, status = "client", 0
    advice = "Read the message."


class NetworkError(ClientError):
    """There is no answer: the server cannot be reached, or the connection was lost."""

    code = "network"
    retry_after: float | None = 0
    advice = "Check the URL and the network; then try again."


class ConnectTimeout(NetworkError):
    """The head of an answer did not come in time."""

    code = "connect-timeout"
    advice = "Check the URL and the network; Retry(connect=...) is how long it may take."


class Silent(NetworkError):
    """Nothing came for too long, not even a heartbeat."""

    code = "silent"
    advice = "Something between here and the server holds data back, or the connection is dead; it is opened anew."


class Truncated(NetworkError):
    """The answer ended before its end was told."""

    code = "truncated"
    advice = "The connection was cut; read on at the offset."


class BadAnswer(ClientError):
    """The answer is not what was asked for."""

    code, retry_after = "bad-answer", 0
    advice = "Something else than the server answers: a login page, a proxy, another kind of server. Check the URL."


class BadRecord(ClientError):
    """A record is not of the type that is read.

    Args:
        message: what is wrong with it.
        offset: behind it.
        raw: its bytes.
    """

    code = "bad-record"
    advice = "Read it as another type; or leave it out with reader.skip(), and read on."

    def __init__(self, message: str, offset: str, raw: bytes) -> None:
        super().__init__(message, offset=offset)
        self.offset = offset
        self.raw = raw


class UnknownOutcome(ClientError):
    """The answer to a write was lost; it may be done, or not."""

    code = "unknown-outcome"
    advice = "Read the stream to see; or append with a writer, which is told a second time without harm."


class OutboxFull(ClientError):
    """The outbox is full; the record was not taken."""

    code = "outbox-full"
    advice = "Wait until some of it is sent; Outbox(records=..., size=...) are its bounds."


class OutboxExpired(ClientError):
    """A record waited for too long, and is not sent."""

    code = "outbox-expired"
    advice = "Append it again, if it still counts; Outbox(age=...) is how long one waits."


class OutboxStorage(ClientError):
    """The outbox's file cannot be read or written; the record was not taken."""

    code = "outbox-storage"
    advice = "Look for a full disk, and at the rights of the file and its folder."


class Overflow(ClientError):
    """The server sent more than was asked for."""

    code, retry_after = "overflow", 0
    advice = "Read faster, or with slow='latest'."


class Unsupported(ClientError):
    """This way to the server cannot do it."""

    code = "unsupported"


class Stopped(ClientError):
    """It was closed here."""

    code = "stopped"
    advice = "Open it anew."
