# Written by scripts/sync_client.py from attempts.py; do not edit.
"""One request beside reading, sent again while that may help and does no harm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from headwater.client import requests
from headwater.client.answers import Head
from headwater.client.errors import NetworkError
from headwater.client.retry import Backoff, Retry
from headwater.errors import HeadwaterError, NotAuthorized

if TYPE_CHECKING:
    from headwater.client.sync.doors import Door


def ask(
    door: Door,
    retry: Retry,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    query: Mapping[str, str] = {},
    *,
    is_safe: bool = True,
) -> tuple[Head, bytes]:
    """The answer to a request.

    Args:
        door: the way to the server.
        retry: the rules.
        method: of the request.
        url: of the request.
        headers: of the request.
        body: of the request.
        query: its parameters.
        is_safe: a request that is sent twice does what it does once.

    Raises:
        UnknownOutcome: the answer to one that is not safe was lost.
        HeadwaterError: it is refused, or patience is at its end. `again` of its details: an earlier one was sent.
    """
    backoff = Backoff(retry, door.clock.draw)
    refreshed = False
    while True:
        backoff.begin(door.clock.now())
        try:
            head, text = door.ask(method, url, headers, body, query)
            return requests.check(head, text), text
        except NotAuthorized:
            if refreshed or not door.can_refresh:
                raise
            refreshed = True
        except HeadwaterError as error:
            if backoff.attempt:
                error.details["again"] = True
            if not error.retryable or not is_safe:
                raise requests.outcome(error, is_write=not is_safe and isinstance(error, NetworkError)) from None
            wait = backoff.wait(door.clock.now(), error.retry_after or None)
            if wait is None:
                raise
            door.clock.pause().wait(wait)
