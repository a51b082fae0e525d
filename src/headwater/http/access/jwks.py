"""Keys where their issuer publishes them (RFC 7517): fetched when they are needed, and again from time to time.

Rule 1: one fetch at a time. Keys that are known go on being used while newer ones are fetched, for an hour at most;
        then nothing is verified with them.
Rule 2: a token with an unknown key's name has keys fetched, once a minute at most, whatever the number of such tokens.
Rule 3: what is fetched is small, comes from the very URL of the settings, over HTTPS, and names public keys alone.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from headwater.errors import KeysUnavailable, MissingExtra
from headwater.http.access.keys import ALGORITHMS, InvalidKey, Key, of_jwk
from headwater.protocol.access.claims import InvalidToken, parse_json

_log: Final = logging.getLogger("headwater")

#: Seconds for which keys are fresh, and those for which they may be used at most.
FRESH_SECONDS: Final = 300.0
STALE_SECONDS: Final = 3600.0
#: Seconds between two fetches for a key's name that is not known, or after one that failed.
AGAIN_SECONDS: Final = 60.0
FETCH_SECONDS: Final = 5.0
MAX_BYTES: Final = 64 * 1024
#: Keys that are taken.
MAX_KEYS: Final = 64

#: Gives the body of a URL's response.
Fetch = Callable[[str], Awaitable[bytes]]


def check_url(url: str) -> str:
    """The same URL, if keys may be fetched there.

    Raises:
        InvalidKey: it is neither of HTTPS nor of this machine.
    """
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.fragment:
        raise InvalidKey(f"{url[:80]!r} is no plain URL of keys")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise InvalidKey(f"keys come over https, not from {url[:80]!r}")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def fetch_by_http(url: str) -> bytes:
    """The body of a URL's response, without redirects, and no more of it than may be.

    Raises:
        ValueError: it is another response.
        MissingExtra: the client is not installed.
    """
    try:
        import httpx2
    except ImportError:
        raise MissingExtra.of("keys from a URL", "auth") from None
    async with (
        asyncio.timeout(FETCH_SECONDS),
        httpx2.AsyncClient(follow_redirects=False, timeout=FETCH_SECONDS, trust_env=False) as client,
        client.stream("GET", url, headers={"accept": "application/json"}) as response,
    ):
        if response.status_code != 200:
            raise ValueError(f"the response has the status {response.status_code}")
        body = b""
        async for part in response.aiter_bytes():
            body += part
            if len(body) > MAX_BYTES:
                raise ValueError(f"the response has more than {MAX_BYTES} bytes")
        return body


class Jwks:
    """The keys of one issuer.

    Args:
        url: where they are.
        algorithm: that they are used with.
        changed: called when others are there than before.
        fetch: gives the body of a URL.
        clock: seconds from any fixed origin.
    """

    def __init__(
        self,
        url: str,
        algorithm: str,
        changed: Callable[[], None],
        fetch: Fetch = fetch_by_http,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if ALGORITHMS.get(algorithm, "oct") == "oct":
            raise InvalidKey(f"keys that are published are public; {algorithm} has none")
        self._url: Final = check_url(url)
        self._algorithm: Final = algorithm
        self._changed: Final = changed
        self._fetch: Final = fetch
        self._clock: Final = clock
        self._keys: tuple[Key, ...] = ()
        self._names: frozenset[str] = frozenset()
        self._body: bytes | None = None
        self._fetched_at = self._tried_at = -STALE_SECONDS * 2
        self._fetching: asyncio.Task[None] | None = None

    def keys(self, kid: str | None) -> tuple[Key, ...] | None:
        """The keys that a token with this name may be signed with; None: they must be fetched first.

        Raises:
            KeysUnavailable: those that are known are too old.
        """
        now = self._clock()
        age, since = now - self._fetched_at, now - self._tried_at
        if age > STALE_SECONDS:
            if since < AGAIN_SECONDS and self._fetching is None:
                raise KeysUnavailable("the keys of the issuer could not be fetched")
            return None
        if kid is not None and kid not in self._names and (since >= AGAIN_SECONDS or self._fetching is not None):
            return None
        if age > FRESH_SECONDS and since >= AGAIN_SECONDS:
            self.start()
        return tuple([key for key in self._keys if kid is None or key.kid == kid])

    def start(self) -> asyncio.Task[None]:
        """Fetch them; one fetch at a time."""
        if self._fetching is None:
            self._tried_at = self._clock()
            self._fetching = asyncio.get_running_loop().create_task(self._get())
        return self._fetching

    async def wait(self) -> None:
        """Fetch them, and wait for that; who waits and is cancelled takes nothing from the others."""
        await asyncio.shield(self.start())

    async def _get(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                body = await self._fetch(self._url)
            keys = self._read(body)
        except MissingExtra:
            raise
        except Exception as error:
            _log.warning("the keys at %s could not be fetched: %s", self._url, error or type(error).__name__)
            return
        finally:
            self._fetching = None
        self._fetched_at = self._clock()
        if body != self._body:
            self._body, self._keys = body, keys
            self._names = frozenset(key.kid for key in keys if key.kid is not None)
            self._changed()

    def _read(self, body: bytes) -> tuple[Key, ...]:
        try:
            given: Any = parse_json(body, "set of keys").get("keys")
        except InvalidToken as error:
            raise ValueError(str(error)) from None
        if not isinstance(given, list):
            raise ValueError("there is no list of keys")
        found: list[Key] = []
        for jwk in given[:MAX_KEYS]:
            try:
                found.append(of_jwk(jwk, self._algorithm) if isinstance(jwk, dict) else _no_key())
            except InvalidKey as error:
                _log.debug("a key at %s is passed over: %s", self._url, error)
        return tuple(found)


def _no_key() -> Key:
    raise InvalidKey("it is no object")
