"""The provider: where it is, with which key, and what of a request and an answer goes through.

Rule 1: the provider's key is added here and nowhere else; with one, no credential of a client reaches the provider.
Rule 2: what is not of one connection alone (RFC 9110 section 7.6.1) goes through as it is, both ways.
Rule 3: redirects are not followed: a key goes only to the host it was given for.
Rule 4: an answer's silence is limited here, but that of a run by the run's own limits, which say what happened.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Final
from urllib.parse import urlsplit

from headwater.errors import BadRequest, MissingExtra, UpstreamUnreachable
from headwater.protocol.responses import HeaderList

try:
    import httpx2
except ImportError:
    raise MissingExtra.of("the proxy", "llm") from None

#: Of one connection alone, or made anew for each.
_HOP_BY_HOP: Final = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection"),
        *(b"te", b"trailer", b"transfer-encoding", b"upgrade", b"host", b"content-length", b"expect"),
    }
)
#: Ours; a provider has no use for them.
_OURS: Final = (b"headwater-", b"x-forwarded-", b"forwarded")
#: How clients show who they are.
_CREDENTIALS: Final = frozenset({b"authorization", b"x-api-key", b"api-key", b"cookie"})


def check_upstream(url: str) -> str:
    """A provider's base URL, without a slash at its end.

    Raises:
        BadRequest: it is no http or https URL, or carries a password, a query or a fragment.
    """
    try:
        parts = urlsplit(url)
        allowed = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        allowed = False
    if not allowed:
        raise BadRequest(f"the upstream {url[:80]!r} is not allowed: it must be an http or https URL")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise BadRequest(
            "the upstream is not allowed: a URL with a password, a query or a fragment; give keys by --key-env"
        )
    return url.rstrip("/")


class Upstream:
    """A provider.

    Args:
        url: its base URL, with the path that precedes `/chat/completions`: `https://api.openai.com/v1`.
        key: added to each request; None: clients bring their own.
        connect_seconds: to connect.
        read_seconds: of silence in an answer that is no run.
    """

    def __init__(
        self, url: str, key: str | None = None, *, connect_seconds: float = 10.0, read_seconds: float = 600.0
    ) -> None:
        self.url: Final = check_upstream(url)
        self._key = key
        self._timeout: Final = httpx2.Timeout(read_seconds, connect=connect_seconds)
        self._patient: Final = httpx2.Timeout(read_seconds, connect=connect_seconds, read=None)
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
        self._client = httpx2.AsyncClient(limits=limits, follow_redirects=False, trust_env=False)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def send(
        self,
        method: str,
        path: str,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
        *,
        for_run: bool = False,
    ) -> httpx2.Response:
        """Send a request; returns when the head of the answer is there. The caller closes it.

        Args:
            method: as the client sent it.
            path: below the base URL, with the query.
            headers: the client's.
            body: all of it.
            for_run: its answer is not to be compressed, and may be silent.

        Raises:
            UpstreamUnreachable: there was no answer.
        """
        sent = [pair for pair in headers if self._goes_up(pair[0], for_run=for_run)]
        if self._key is not None:
            sent += [(b"authorization", b"Bearer " + self._key.encode()), (b"x-api-key", self._key.encode())]
        if not any(name == b"accept-encoding" for name, _ in sent):
            sent.append((b"accept-encoding", b"identity"))
        timeout = self._patient if for_run else self._timeout
        request = self._client.build_request(method, f"{self.url}{path}", headers=sent, content=body, timeout=timeout)
        try:
            return await self._client.send(request, stream=True)
        except httpx2.HTTPError as error:
            raise UpstreamUnreachable(f"the provider did not answer: {type(error).__name__}") from error

    def _goes_up(self, name: bytes, *, for_run: bool) -> bool:
        if name in _HOP_BY_HOP or name.startswith(_OURS) or (name == b"accept-encoding" and for_run):
            return False
        return self._key is None or name not in _CREDENTIALS


def heads_down(answer: httpx2.Response, *more: bytes) -> HeaderList:
    """The headers of an answer that go to the client, but for some more."""
    return [
        (name.lower(), value)
        for name, value in answer.headers.raw
        if name.lower() not in _HOP_BY_HOP and name.lower() not in more
    ]


async def bytes_of(answer: httpx2.Response) -> AsyncIterator[bytes]:
    """The body as it comes over the wire.

    Raises:
        UpstreamUnreachable: it broke off.
    """
    try:
        async for data in answer.aiter_raw():
            yield data
    except httpx2.HTTPError as error:
        raise UpstreamUnreachable(f"the provider's answer broke off: {type(error).__name__}") from error
    finally:
        await answer.aclose()
