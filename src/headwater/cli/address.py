"""Where a server is, as its user writes it."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import msgspec

#: Where the server has its streams, unless the URL says otherwise; as the reference servers.
DEFAULT_PREFIX: Final = "/v1/stream/"


class Address(msgspec.Struct, frozen=True):
    """Where a server is.

    Attributes:
        origin: scheme, host and port.
        prefix: path before a stream's own, with slashes around.
        introspection: path of the introspection routes, with slashes around.
    """

    origin: str
    prefix: str
    introspection: str


def parse_address(url: str) -> Address:
    """The address in a base URL; one with a path gives the full prefix of the streams.

    Raises:
        ValueError: it is no http or https URL, or has a query or a fragment.
    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("give the base URL of a server, such as http://127.0.0.1:4437 or https://example.org/streams/")
    _ = parts.port  # raises ValueError when it is no port
    prefix = parts.path.rstrip("/") + "/"
    if prefix == "/":
        prefix = DEFAULT_PREFIX
    introspection = prefix.removesuffix(DEFAULT_PREFIX).rstrip("/") + "/-/"
    return Address(f"{parts.scheme}://{parts.netloc}", prefix, introspection)
