"""Requests that offer an upgrade and have a body, under a server that loses it.

uvicorn 0.54 with httptools ends such a request at its head: the application is given no body, and what follows is
dropped where it came with the head, and parsed as another request where it came later. h11, hypercorn and our own
connections give the body. So the first event tells: a body was announced, and there is none.
"""

from __future__ import annotations

from headwater.asgi.types import Message, Receive
from headwater.errors import BadRequest
from headwater.protocol.headers import Headers
from headwater.protocol.http1 import may_have_body, offers_upgrade, unread


def may_lose_body(version: str, headers: Headers) -> bool:
    """Whether a request has to be looked at: only HTTP/1.1 has upgrades.

    Args:
        version: ASGI's.
        headers: of the request.
    """
    return version == "1.1" and offers_upgrade(headers) and may_have_body(headers)


class FirstEvent:
    """A `receive` whose first event has been looked at.

    Args:
        receive: the server's.
        event: what it gave first.
    """

    def __init__(self, receive: Receive, event: Message) -> None:
        self._receive = receive
        self._event: Message | None = event
        self._is_lost = event["type"] == "http.request" and not event.get("body") and not event.get("more_body")

    def fault(self) -> BadRequest | None:
        """The refusal of a request without the body that it announced; None: it has it.

        There is nothing to linger for: the connection must close at once.
        """
        if not self._is_lost:
            return None
        self._event = {"type": "http.disconnect"}
        return unread(BadRequest("this server cannot take a body behind an Upgrade header: send it without Upgrade"))

    async def __call__(self) -> Message:
        """The event that was looked at, then the server's."""
        if self._event is None:
            return await self._receive()
        event, self._event = self._event, None
        return event
