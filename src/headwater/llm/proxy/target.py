"""What a client asks for, parsed: the path and query of its target, and which part of the proxy answers.

Rule 1: everything is decided on the target as it was sent, and what goes up is the same text: nothing is decoded in
        between.
Rule 2: a target that another program could read as another one is refused, not repaired: dot segments, empty segments,
        backslashes and control characters, also encoded, and encoding that changes the route.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec

from headwater.errors import BadRequest
from headwater.llm.providers.provider import Endpoint
from headwater.llm.providers.registry import endpoint_of

#: The provider is under this path of the proxy.
ROOT: Final = "/v1"
#: Runs are under this one.
RUNS: Final = "/v1/runs"
#: How often a path is decoded to find what another program could read in it; what changes once more is refused.
MAX_DECODINGS: Final = 3

#: `path-absolute` (RFC 3986 section 3.3), with empty segments, which get a sentence of their own.
_PATH: Final = re.compile(rb"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*)+")
#: Visible ASCII without `#`; browsers send more of it than RFC 3986 allows.
_QUERY: Final = re.compile(rb"[!\"$-~]*")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_SLASHES: Final = re.compile("/+")
_SHOWN: Final = 80


class Route(Enum):
    """Which part of the proxy answers."""

    STATUS = "status"
    RUNS = "runs"
    CALL = "call"  # where a provider is asked for a response
    PROVIDER = "provider"
    NOWHERE = "nowhere"


class Target(msgspec.Struct, frozen=True):
    """A target that nobody can read in two ways.

    Attributes:
        path: as it was sent; begins with a slash.
        query: as it was sent, without the question mark.
        route: who answers.
    """

    path: str
    query: str
    route: Route

    @property
    def dialect(self) -> str:
        """The dialect in which this client is told of errors."""
        return "openai" if self.endpoint is None else self.endpoint.dialect

    @property
    def endpoint(self) -> Endpoint | None:
        """What is asked there; None: nothing that a run is made of."""
        return endpoint_of(self.path) if self.route is Route.CALL else None

    def stream_of(self, body: dict[str, Any]) -> str:
        """The dialect of the stream that a request wants, so that it can be a run; empty: it wants none."""
        return self.endpoint.stream_of(self.query, body) if self.endpoint is not None else ""


def parse_target(path: bytes, query: bytes = b"") -> Target:
    """The target of a request in origin form (RFC 9112 section 3.2.1).

    Args:
        path: as it was sent, encoded.
        query: as it was sent, without the question mark.

    Raises:
        BadRequest: it is not valid, or could be read as another one.
    """
    if not _PATH.fullmatch(path) or not _QUERY.fullmatch(query):
        raise _refused(path, "is not a path of RFC 3986 with a query")
    if b"//" in path:
        raise _refused(path, "has an empty segment")
    text = path.decode()
    route = route_of(text)
    for reading in _readings(path):
        if "\\" in reading or _CONTROL.search(reading):
            raise _refused(path, "has an encoded backslash or control character")
        if any(segment.partition(";")[0] in (".", "..") for segment in reading.split("/")):
            raise _refused(path, "has a segment '.' or '..'")
        if route_of(_SLASHES.sub("/", reading)) is not route:
            raise _refused(path, "encodes characters that decide where it goes")
    return Target(text, query.decode(), route)


def route_of(path: str) -> Route:
    """Who answers at a path."""
    if path in ("/", "/-/health"):
        return Route.STATUS
    if path.startswith(RUNS + "/"):
        return Route.RUNS
    if path.startswith(ROOT + "/") and endpoint_of(path) is not None:
        return Route.CALL
    return Route.PROVIDER if path.startswith(ROOT + "/") else Route.NOWHERE


def _readings(path: bytes) -> list[str]:
    """The path as it is, decoded, and decoded again, until that changes nothing.

    Raises:
        BadRequest: there is no end of it, or it is not UTF-8.
    """
    found = [path]
    while (decoded := unquote_to_bytes(found[-1])) != found[-1]:
        if len(found) > MAX_DECODINGS:
            raise _refused(path, f"is encoded more than {MAX_DECODINGS} times")
        found.append(decoded)
    try:
        return [reading.decode() for reading in found]
    except UnicodeDecodeError:
        raise _refused(path, "is not UTF-8") from None


def _refused(path: bytes, why: str) -> BadRequest:
    shown = path[:_SHOWN].decode("latin-1")
    return BadRequest(f"the target {shown!r} {why}; send the provider's path under {ROOT}/, spelled as in its manual")
