"""Clients that reach a name at 127.0.0.1, as a browser with that name in its resolver would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from tests.proxies.fronts import Certificates

TEXT = {"content-type": "text/plain"}
EVENTS = {"accept": "text/event-stream"}
LINES = {"accept": "application/x-ndjson"}


class _Resolved(httpx2.HTTPTransport):
    """Connects to 127.0.0.1 whatever the URL's host is; TLS and `Host` have the name."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.extensions = {**request.extensions, "sni_hostname": request.url.host}
        request.url = request.url.copy_with(host="127.0.0.1")
        return super().handle_request(request)


def make_client(
    url: str, certificates: Certificates, *, http2: bool = True, address: str = "127.0.0.1"
) -> httpx2.Client:
    """A client whose paths are below `url`, and which comes from a loopback address."""
    transport = _Resolved(verify=certificates.trusted(), http2=http2, http1=not http2, local_address=address)
    return httpx2.Client(base_url=url, transport=transport, timeout=30, trust_env=False)


@contextmanager
def listening(client: httpx2.Client, path: str, **headers: str) -> Iterator[Iterator[str]]:
    """The lines of an answer as they come; header names with underscores for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with client.stream("GET", path, headers=named) as answer:
        assert answer.status_code == 200, answer.read()
        yield answer.iter_lines()


def events_of(lines: Iterator[str], count: int) -> list[tuple[str, str]]:
    """Ids and data of the next events that have data."""
    found: list[tuple[str, str]] = []
    last = ""
    for line in lines:
        name, _, value = line.partition(":")
        if name == "id":
            last = value
        elif name == "data":
            found.append((last, value))
            if len(found) == count:
                break
    return found
