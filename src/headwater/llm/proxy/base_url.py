"""The provider's base URL, and the URLs below it.

Rule: a URL is made of the base's parsed parts and a target that begins with a slash, so that nothing of the target is
read as a part of the origin.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from headwater.errors import BadRequest
from headwater.llm.proxy.target import ROOT, Target, parse_target

_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9._-]*)|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?(?P<path>/[^?#]*)?",
    re.ASCII | re.IGNORECASE,
)
_MAX_PORT: Final = 65535
_PORTS: Final = {"http": 80, "https": 443}


class BaseUrl(msgspec.Struct, frozen=True):
    """Where a provider is.

    Attributes:
        scheme: `http` or `https`.
        host: in lower case; an IPv6 address in brackets.
        port: always there.
        path: without a slash at its end; may be empty.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """Scheme, host and port, the default one left out."""
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"

    def __str__(self) -> str:
        return self.origin + self.path

    def url_of(self, target: Target) -> str:
        """The provider's URL for a target under the proxy's root."""
        if not target.path.startswith(ROOT + "/"):
            raise BadRequest(f"the provider is under {ROOT}/")
        query = f"?{target.query}" if target.query else ""
        return f"{self}{target.path[len(ROOT) :]}{query}"


def parse_base_url(url: str) -> BaseUrl:
    """A provider's base URL.

    Raises:
        BadRequest: it is no http or https URL in ASCII, or carries a user, a password, a query or a fragment.
    """
    if any(character in url for character in "@?#"):
        # Not shown: what is before an @ may be a password.
        raise BadRequest(
            "the upstream is not allowed: a URL with a user, a password, a query or a fragment; give keys by --key-env"
        )
    match = _URL.fullmatch(url)
    port = match and (int(match["port"]) if match["port"] else _PORTS[match["scheme"].lower()])
    if match is None or port is None or not 0 < port <= _MAX_PORT:
        raise BadRequest(f"the upstream {url[:80]!r} is not allowed: it must be an http or https URL, in ASCII")
    path = (match["path"] or "").rstrip("/")
    if path:
        _check_path(path)
    return BaseUrl(match["scheme"].lower(), match["host"].lower(), port, path)


def _check_path(path: str) -> None:
    try:
        parse_target(path.encode())
    except BadRequest:
        raise BadRequest(
            f"the upstream is not allowed: its path {path[:80]!r} is not a plain path, such as /v1"
        ) from None
