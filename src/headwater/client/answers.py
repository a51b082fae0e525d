"""What is common to both kinds of HTTP: the heads of answers, and what can go wrong on the way."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

import httpx2
import msgspec

from headwater.client.errors import BadAnswer, ConnectTimeout, NetworkError, Silent, Truncated

_OK: Final = range(200, 300)


class Head(msgspec.Struct, frozen=True):
    """The head of an answer.

    Attributes:
        status: its status.
        headers: its headers, with small names.
        retry_after: seconds that the server asked to wait; None: it did not.
    """

    status: int
    headers: dict[str, str]
    retry_after: float | None = None

    @property
    def is_success(self) -> bool:
        """Whether it did what was asked."""
        return self.status in _OK


def head_of(status: int, headers: Mapping[str, str]) -> Head:
    """The head of an answer, of its parts."""
    found = {name.lower(): value for name, value in headers.items()}
    return Head(status, found, seconds(found.get("retry-after"), time.time()))


def seconds(text: str | None, now: float) -> float | None:
    """What `Retry-After` says, which is seconds or a date (RFC 9110 section 10.2.3).

    Args:
        text: the header's value.
        now: seconds since the Unix epoch.
    """
    if not text:
        return None
    with suppress(ValueError):
        found = float(text)
        return max(0.0, found) if found == found else None  # nan
    from email.utils import parsedate_to_datetime

    with suppress(ValueError, TypeError, OverflowError):
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    return None


def is_plain(head: Head) -> bool:
    """Whether the body comes as it is, and needs no decoder."""
    return head.headers.get("content-encoding", "identity") in ("", "identity")


def agent() -> dict[str, str]:
    """What the client calls itself."""
    # By name: `import headwater` names everything there is, servers too, and nothing of it is loaded here.
    return {"user-agent": f"headwater/{sys.modules['headwater'].__version__}"}


@contextmanager
def translated(*, is_body: bool) -> Iterator[None]:
    """What httpx2 raises, as errors of the client.

    Args:
        is_body: the head of the answer is there.
    """
    try:
        yield
    except httpx2.ReadTimeout:
        if is_body:
            raise Silent("nothing came for too long, not even a heartbeat") from None
        raise ConnectTimeout("the server took the request and did not answer in time") from None
    except httpx2.TimeoutException:
        raise ConnectTimeout("no connection in time") from None
    except httpx2.DecodingError as error:
        raise BadAnswer(f"the answer's coding is broken: {error}") from None
    except (httpx2.TooManyRedirects, httpx2.UnsupportedProtocol) as error:
        raise BadAnswer(str(error)) from None
    except httpx2.RequestError as error:
        told = str(error) or type(error).__name__
        raise (Truncated if is_body else NetworkError)(told) from None
