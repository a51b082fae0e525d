"""Signed tokens (RFC 7519): verified with the one key that fits, and remembered.

Rule 1: the issuer is looked up by what the token says, the key by its name among that issuer's own, the algorithm is
        the key's. The token chooses nothing.
Rule 2: a token that was verified is remembered by its hash, for as long as it is good and the keys are the same. So who
        comes again costs a hash. What else the text of a token could be keyed by, it is not.
Rule 3: of a token that was verified its text is not kept. Whether it still is good when keys change is asked of the
        key that signed it; where more is demanded now, who shows it comes back and is looked at anew.
Rule 4: nothing of a token is told to who shows it, or logged, but why it was refused, in the log alone: `because`.
"""

from __future__ import annotations

import base64
import binascii
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from hashlib import sha256
from typing import Any, Final

from headwater.errors import TokenRefused
from headwater.http.access.jwks import Fetch, Jwks, fetch_by_http
from headwater.http.access.keys import MAX_TRIED, InvalidKey, Key, KeySet, library
from headwater.hub.access.proven import Again, Proven
from headwater.protocol.access.claims import (
    MAX_TOKEN_BYTES,
    Header,
    InvalidToken,
    Issuer,
    access_of,
    parse_json,
    read_header,
)
from headwater.protocol.access.identity import Access

#: Tokens that are remembered.
MAX_REMEMBERED: Final = 10_000
_FORM: Final = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")


class _Issuer:
    """An issuer, its keys, and what its settings demand."""

    def __init__(self, sets: Sequence[KeySet], changed: Callable[[], None], fetch: Fetch) -> None:
        self.sets: Final = sets
        self.published: Final = [
            None if each.url is None else Jwks(each.url, each.algorithm, changed, fetch) for each in sets
        ]

    def keys(self, header: Header) -> list[tuple[KeySet, Key]] | Jwks:
        """The keys to try, or those that must be fetched first."""
        found: list[tuple[KeySet, Key]] = []
        for each, jwks in zip(self.sets, self.published, strict=True):
            keys = each.keys
            if jwks is not None and each.algorithm == header.alg:
                published = jwks.keys(header.kid)
                if published is None:
                    return jwks
                keys += published
            fits = [key for key in keys if key.algorithm == header.alg and _is_named(key, header)]
            found += [(each, key) for key in fits]
        return found[:MAX_TRIED]

    def of_signer(self, signer: str) -> list[Issuer] | Jwks:
        """What is demanded of tokens that a key signs, if it still is one; or the keys that must be fetched to tell."""
        found = []
        for each, jwks in zip(self.sets, self.published, strict=True):
            keys = each.keys
            if jwks is not None:
                published = jwks.keys(None)
                if published is None:
                    return jwks
                keys += published
            if any(key.print == signer for key in keys):
                found.append(each.issuer)
        return found


def _is_named(key: Key, header: Header) -> bool:
    return header.kid is None or key.kid is None or key.kid == header.kid


class Tokens:
    """Verifies tokens.

    Args:
        sets: keys, each of an issuer; of one issuer there may be several.
        fetch: gives published keys.

    Attributes:
        changed: called when keys are not the same any more.

    Raises:
        InvalidKey: there are none.
        MissingExtra: the library is not installed.
    """

    def __init__(self, sets: Sequence[KeySet], fetch: Fetch = fetch_by_http) -> None:
        if not sets:
            raise InvalidKey("access needs at least one key")
        self._jws: Final = library().PyJWS()
        self._errors: Final[Any] = library().exceptions.PyJWTError
        self._fetch: Final = fetch
        self.changed: Callable[[], None] = _nothing
        self._known: dict[bytes, Proven] = {}
        self._agains: dict[tuple[str, str, str], Again] = {}
        self._issuers: dict[str, _Issuer] = {}
        self.use(sets)

    def use(self, sets: Sequence[KeySet]) -> None:
        """Verify with these keys from now on; what was verified with others is verified again."""
        names = dict.fromkeys(each.issuer.issuer for each in sets)
        self._issuers = {
            name: _Issuer([each for each in sets if each.issuer.issuer == name], self._changed, self._fetch)
            for name in names
        }
        self._changed()

    def _changed(self) -> None:
        self._known.clear()
        self._agains.clear()
        self.changed()

    def refresh(self) -> list[Awaitable[None]]:
        """Fetch all that is published."""
        return [jwks.wait() for each in self._issuers.values() for jwks in each.published if jwks]

    @property
    def has_published(self) -> bool:
        """Whether some keys are published, and must be fetched now and then."""
        return any(any(each.published) for each in self._issuers.values())

    def known(self, text: str) -> Proven | None:
        """Who a token is of that was verified before, with the same keys; it may be over."""
        return self._known.get(sha256(text.encode("latin-1", "replace")).digest())

    def verify(self, text: str) -> Proven | Awaitable[Proven]:
        """Who a token is of.

        Raises:
            TokenRefused: it is worthless.
            KeysUnavailable: the keys of its issuer are not known.
        """
        if len(text) > MAX_TOKEN_BYTES:
            raise _refused(f"it has more than {MAX_TOKEN_BYTES} bytes")
        digest = sha256(text.encode("latin-1", "replace")).digest()
        found = self._known.get(digest)
        if found is not None:
            return found
        try:
            header, claims, issuer = self._read(text)
            keys = issuer.keys(header)
            if isinstance(keys, Jwks):
                return self._verify_later(text, digest, keys)
            return self._proven(text, digest, claims, keys)
        except InvalidToken as error:
            raise _refused(str(error)) from None

    async def _verify_later(self, text: str, digest: bytes, jwks: Jwks) -> Proven:
        await jwks.wait()
        try:
            header, claims, issuer = self._read(text)
            keys = issuer.keys(header)
            if isinstance(keys, Jwks):
                raise InvalidToken("its key is not known")
            return self._proven(text, digest, claims, keys)
        except InvalidToken as error:
            raise _refused(str(error)) from None

    @property
    def max_seconds(self) -> float:
        """For which the longest token may be good."""
        return max(each.issuer.max_seconds for one in self._issuers.values() for each in one.sets)

    def has_signer(self, issuer: str, signer: str) -> bool | Awaitable[bool]:
        """Whether a key that signed a token of an issuer is one of its keys still.

        Raises:
            KeysUnavailable: the keys of the issuer are not known.
        """
        found = self._of_signer(issuer, signer)
        return self._has_signer_later(issuer, signer, found) if isinstance(found, Jwks) else bool(found)

    async def _has_signer_later(self, issuer: str, signer: str, jwks: Jwks) -> bool:
        await jwks.wait()
        found = self._of_signer(issuer, signer)
        return not isinstance(found, Jwks) and bool(found)

    def _of_signer(self, issuer: str, signer: str) -> list[Issuer] | Jwks:
        one = self._issuers.get(issuer)
        return [] if one is None else one.of_signer(signer)

    def explain(self, text: str) -> Access:
        """The same for people who look for the reason; only keys that were given.

        Raises:
            InvalidToken: why it is worthless.
        """
        if len(text) > MAX_TOKEN_BYTES:
            raise InvalidToken(f"it has more than {MAX_TOKEN_BYTES} bytes")
        header, claims, issuer = self._read(text)
        keys = issuer.keys(header)
        if isinstance(keys, Jwks):
            raise InvalidToken("its key is published, and not looked up here")
        return self._proven(text, b"", claims, keys)

    def _read(self, text: str) -> tuple[Header, dict[str, Any], _Issuer]:
        form = _FORM.fullmatch(text.encode("latin-1", "replace"))
        if form is None:
            raise InvalidToken("it has not the form of a signed token")
        header = read_header(_decoded(form[1]))
        claims = parse_json(_decoded(form[2]), "body")
        name = claims.get("iss")
        issuer = self._issuers.get(name) if isinstance(name, str) else None
        if issuer is None:
            raise InvalidToken("iss is no issuer of ours")
        return header, claims, issuer

    def _proven(self, text: str, digest: bytes, claims: dict[str, Any], keys: Sequence[tuple[KeySet, Key]]) -> Proven:
        for each, key in keys:
            try:
                self._jws.decode(text, key.material, algorithms=[key.algorithm])
            except self._errors:
                continue
            access = access_of(claims, each.issuer, time.time())
            proven = Proven(access, digest, self._again(each.issuer, key.print), signer=key.print)
            if digest:
                if len(self._known) >= MAX_REMEMBERED:
                    self._make_room()
                self._known[digest] = proven
            return proven
        raise InvalidToken("no key of its issuer fits its name and its signature")

    def _again(self, issuer: Issuer, signer: str) -> Again:
        """Asks about the tokens of one key; one for all of them, for the text of a token is not kept."""
        key = issuer.issuer, issuer.audience, signer
        found = self._agains.get(key)
        if found is None:
            found = self._agains[key] = partial(self._still, issuer, signer)
        return found

    def _still(self, demands: Issuer, signer: str, former: Access) -> Access | Awaitable[Access | None] | None:
        found = self._of_signer(demands.issuer, signer)
        if isinstance(found, Jwks):
            return self._still_later(demands, signer, former, found)
        return _as_now(former, demands, found)

    async def _still_later(self, demands: Issuer, signer: str, former: Access, jwks: Jwks) -> Access | None:
        await jwks.wait()
        found = self._of_signer(demands.issuer, signer)
        return _as_now(former, demands, [] if isinstance(found, Jwks) else found)

    def _make_room(self) -> None:
        now = time.time()
        self._known = {key: each for key, each in self._known.items() if each.expires and each.expires > now}
        while len(self._known) >= MAX_REMEMBERED:
            del self._known[next(iter(self._known))]


def _as_now(former: Access, then: Issuer, now: list[Issuer]) -> Access | None:
    """What a token gives, as far as it can be told without it: who shows it again is told the rest."""
    if not now:
        return None
    return former if then in now else Access(former.subject, issuer=former.issuer, expires=former.expires)


def _decoded(part: bytes) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise InvalidToken("a part of it is no base64") from None


def _refused(reason: str) -> TokenRefused:
    error = TokenRefused("the token is worthless here")
    error.because = reason
    return error


def _nothing() -> None:
    """Nobody is to be told."""
