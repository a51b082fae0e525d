"""The provider: where it is, with which key, and what of a request and an answer goes through.

Rule 1: the provider's key is added here and nowhere else; with one, no credential of a client reaches the provider.
Rule 2: what is not of one connection alone (RFC 9110 section 7.6.1) goes through as it is, both ways; but not what a
        provider says of its own origin to browsers.
Rule 3: a key goes only to the origin it was given for. URLs are made of parsed parts, each request's is compared with
        the base once more before it goes, redirects are not followed, and no cookie is kept for the next client.
Rule 4: an answer's silence is limited here, but that of a run by the run's own limits, which say what happened.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final

from headwater.errors import BadRequest, MissingExtra, UpstreamUnreachable
from headwater.http.exchange import Streamed
from headwater.llm.proxy.base_url import parse_base_url
from headwater.llm.proxy.target import Target
from headwater.protocol.responses import Answer, HeaderList

try:
    import httpx2
except ImportError:
    raise MissingExtra.of("the proxy", "server") from None

#: Of one connection alone, or made anew for each.
_HOP_BY_HOP: Final = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection"),
        *(b"te", b"trailer", b"transfer-encoding", b"upgrade", b"host", b"content-length", b"expect"),
    }
)
#: Ours, and what some servers take for another target; a provider has no use for them.
_OURS: Final = (b"headwater-", b"x-forwarded-", b"forwarded", b"x-original-url", b"x-rewrite-url")
_KEY: Final = re.compile("[!-~]+")
#: How clients show who they are.
_CREDENTIALS: Final = frozenset({b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key", b"cookie"})
#: Of those, headers beside which a provider takes no other.
_ALONE: Final = (b"api-key", b"x-goog-api-key")
#: What a provider says of its own origin; on the proxy's it would open doors, or close them.
_OF_ITS_ORIGIN: Final = frozenset(
    {
        b"alt-svc",
        b"clear-site-data",
        b"content-security-policy",
        b"strict-transport-security",
        b"x-content-type-options",
    }
)
_CORS: Final = b"access-control-"
#: A file of the provider may be a page; opened in a tab it gets no script and no origin of ours.
_HARMLESS: Final = [(b"content-security-policy", b"sandbox"), (b"x-content-type-options", b"nosniff")]
_FIRST_STATUS: Final = 200


class Upstream:
    """A provider.

    Args:
        url: its base URL, with the path that precedes `/chat/completions`: `https://api.openai.com/v1`.
        key: added to each request; None: clients bring their own.
        connect_seconds: to connect.
        read_seconds: of silence in an answer that is no run.

    Raises:
        BadRequest: the URL or the key is not allowed.
    """

    def __init__(
        self, url: str, key: str | None = None, *, connect_seconds: float = 10.0, read_seconds: float = 600.0
    ) -> None:
        self.base: Final = parse_base_url(url)
        self._root: Final = httpx2.URL(str(self.base))
        if key is not None and not _KEY.fullmatch(key):
            raise BadRequest("the provider's key is not allowed: it must be visible ASCII, without spaces")
        self._key = key
        self._timeout: Final = httpx2.Timeout(read_seconds, connect=connect_seconds)
        self._patient: Final = httpx2.Timeout(read_seconds, connect=connect_seconds, read=None)
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=100)
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self._client = httpx2.AsyncClient(limits=limits, cookies=no_cookies, follow_redirects=False, trust_env=False)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def send(
        self,
        method: str,
        target: Target,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
        *,
        for_run: bool = False,
    ) -> httpx2.Response:
        """Send a request; returns when the head of the answer is there. The caller closes it.

        Args:
            method: as the client sent it.
            target: as the client sent it; under the proxy's root.
            headers: the client's.
            body: all of it.
            for_run: its answer is not to be compressed, and may be silent.

        Raises:
            BadRequest: the target or a header is none that can be sent.
            UpstreamUnreachable: there was no answer.
        """
        sent = self._headers_up(list(headers), for_run=for_run)
        timeout = self._patient if for_run else self._timeout
        try:
            url = self._checked(httpx2.URL(self.base.url_of(target)))
            request = self._client.build_request(method, url, headers=sent, content=body, timeout=timeout)
            self._checked(request.url)
            answer = await self._client.send(request, stream=True)
        except (httpx2.InvalidURL, httpx2.LocalProtocolError) as error:
            # Its words are not told: they show the header, which may be the one with the key.
            name = type(error).__name__
            raise BadRequest(f"the request cannot be passed to the provider: {name}") from None
        except httpx2.HTTPError as error:
            raise UpstreamUnreachable(f"the provider did not answer: {type(error).__name__}") from error
        if answer.status_code < _FIRST_STATUS:
            await answer.aclose()
            raise UpstreamUnreachable(f"the provider answered {answer.status_code}, which nobody asked for")
        if self._key is not None:
            answer.headers.pop("set-cookie", None)
        return answer

    def _headers_up(self, headers: HeaderList, *, for_run: bool) -> HeaderList:
        dropped = _of_the_connection(headers)
        if self._key is not None:
            dropped |= _CREDENTIALS
        if for_run:
            dropped |= {b"accept-encoding"}
        sent = [(name, value) for name, value in headers if name not in dropped and not name.startswith(_OURS)]
        if self._key is not None:
            sent += self._shown_as(headers)
        if not any(name == b"accept-encoding" for name, _ in sent):
            sent.append((b"accept-encoding", b"identity"))
        return sent

    def _shown_as(self, headers: HeaderList) -> HeaderList:
        """The key, where the client shows its own: some providers refuse a key in another place, too."""
        key = (self._key or "").encode()
        shown = [name for name, _ in headers if name in _CREDENTIALS]
        alone = [name for name in shown if name in _ALONE]
        if alone and len(alone) == len(shown):
            return [(alone[0], key)]
        return [(b"authorization", b"Bearer " + key), (b"x-api-key", key)]

    def _checked(self, url: httpx2.URL) -> httpx2.URL:
        """The same URL, if it is one of the provider.

        Raises:
            BadRequest: its origin is another one, or its path is not below the base's.
        """
        origins = [(found.scheme, found.raw_host, found.port, found.userinfo) for found in (url, self._root)]
        if origins[0] != origins[1] or not url.raw_path.startswith(self.base.path.encode() + b"/"):
            raise BadRequest(f"the target would leave the provider, which is {self.base}")
        return url


def heads_down(answer: httpx2.Response, *more: bytes) -> HeaderList:
    """The headers of an answer that go to the client, but for some more."""
    headers = [(name.lower(), value) for name, value in answer.headers.raw]
    dropped = _of_the_connection(headers) | _OF_ITS_ORIGIN | set(more)
    kept = [pair for pair in headers if pair[0] not in dropped and not pair[0].startswith(_CORS)]
    return [*kept, *(pair for pair in _HARMLESS if pair[0] not in more)]


def relayed(answer: httpx2.Response, path: str) -> Streamed:
    """A provider's response on its way down, as it comes.

    Args:
        answer: its head is there; whoever sends it closes it.
        path: what was asked for.
    """
    return Streamed(Answer(answer.status_code, heads_down(answer)), None, bytes_of(answer), path)


def _of_the_connection(headers: HeaderList) -> frozenset[bytes]:
    """Names of headers that are of one connection alone, with those that `Connection` names."""
    named = {name.strip().lower() for key, value in headers if key == b"connection" for name in value.split(b",")}
    return _HOP_BY_HOP | named


async def bytes_of(answer: httpx2.Response, *, decoded: bool = False) -> AsyncGenerator[bytes]:
    """The body as it comes over the wire.

    Args:
        answer: its head is there.
        decoded: without its content coding, which some use that were asked for none.

    Raises:
        UpstreamUnreachable: it broke off, or is not in the coding that its head names.
    """
    try:
        async for data in answer.aiter_bytes() if decoded else answer.aiter_raw():
            yield data
    except httpx2.HTTPError as error:
        raise UpstreamUnreachable(f"the provider's answer broke off: {type(error).__name__}") from error
    finally:
        await answer.aclose()
