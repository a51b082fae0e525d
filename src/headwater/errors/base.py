"""What every error has."""

from __future__ import annotations

from typing import ClassVar, Final, Protocol


class Named(Protocol):
    """A principal; see `headwater.model`."""

    @property
    def subject(self) -> str:
        """Who."""
        ...

    @property
    def issuer(self) -> str:
        """Whose subject."""
        ...


class HeadwaterError(Exception):
    """Something went wrong inside the server.

    Args:
        message: what happened, for this one case.
        **details: facts a program may need, such as an offset; they become fields of the JSON body.

    Attributes:
        message: what happened; the class title when none was given.
        details: the facts, by field name.
        unread: a part of the request's body was left unread, so that HTTP/1.1 cannot go on with the connection.
        principal: issuer and subject of who is refused, for logs; None: nobody was proven.
        because: what is for logs alone, and not told; None: nothing is.
    """

    #: Stable name of the error, the same on every transport.
    code: ClassVar[str] = "internal"
    #: HTTP status code (RFC 9110 section 15).
    status: ClassVar[int] = 500
    #: WebSocket close code (RFC 6455 section 7.4; 4000-4999 are ours).
    ws_close: ClassVar[int] = 1011
    #: What the client should do about it.
    advice: ClassVar[str] = "Try again; if it stays, read the server's log."
    #: Seconds after which a retry makes sense, sent as ``Retry-After``; None: a retry does not help. In a client an
    #: error that a server told has what this server asked for.
    retry_after: float | None = None

    #: Sent as ``WWW-Authenticate`` (RFC 6750 section 3); None: a credential does not help.
    challenge: ClassVar[str | None] = None

    principal: Named | None = None
    because: str | None = None

    def __init__(self, message: str = "", **details: str | int | bool) -> None:
        self.message = message or self.title()
        self.details: Final = details
        self.unread = False
        super().__init__(self.message)

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self.retry_after is not None

    @staticmethod
    def of_mistake() -> HeadwaterError:
        """What is told of a mistake in the program, which is logged: its own words may hold what is not for others."""
        return HeadwaterError("the server made an error; its log has the details")

    @classmethod
    def title(cls) -> str:
        """The first line of the class docstring, without its full stop."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")
