"""Access of `headwater serve`: from settings, files and the environment to a guard.

Rule: a secret comes from a file or from the environment, never from a flag or from the settings file: both are shown
      to others. Files are read again at SIGHUP; one that cannot be used changes nothing then.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import tomllib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from headwater.http.access.guard import Guard
from headwater.http.access.jwks import FRESH_SECONDS, check_url
from headwater.http.access.keys import InvalidKey, KeySet, make_key
from headwater.http.access.proofs import TokenProofs
from headwater.http.access.tokens import Tokens
from headwater.hub import Engine
from headwater.hub.access.revoked_log import KEEP_SECONDS
from headwater.protocol.access.claims import Issuer
from headwater.protocol.access.grants import Grants
from headwater.protocol.asks import Operation
from headwater.server.settings import InvalidSettings, Settings

#: The variable with the secret, or with the public key in PEM, of `access_issuer`.
ENV_KEY: Final = "HEADWATER_ACCESS_KEY"
#: What may be public, each with a setting `public_…`.
PUBLIC: Final = ("read", "append", "close", "create", "delete", "signal", "presence", "list")


class KeyEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table `[[keys]]` of the file that `access_keys` names.

    Attributes:
        issuer: `iss` of the tokens.
        audience: what their `aud` must have.
        algorithm: the one that the key is used with.
        kid: the key's name; None: it is tried for tokens with any.
        file: with the secret or the public key in PEM.
        env: the variable with it.
        jwks: the URL where the issuer publishes its keys.
        claims: text claims that may stand in patterns, besides `sub`.
        ceiling: patterns by operation, which no token of the issuer exceeds.
    """

    issuer: str
    audience: str
    algorithm: str
    kid: str | None = None
    file: str | None = None
    env: str | None = None
    jwks: str | None = None
    claims: tuple[str, ...] = ()
    ceiling: dict[str, tuple[str, ...]] | None = None


class _KeysFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: tuple[KeyEntry, ...]


def public_of(settings: Settings) -> dict[str, tuple[str, ...]]:
    """What everybody may do, by the operation."""
    found = {name: getattr(settings, f"public_{name}") for name in PUBLIC}
    return {name: patterns for name, patterns in found.items() if patterns}


def has_access(settings: Settings, environ: Mapping[str, str] | None = None) -> bool:
    """Whether the settings say who may do what."""
    env = os.environ if environ is None else environ
    named = settings.access_keys or settings.access_key_file or settings.access_jwks or env.get(ENV_KEY)
    return bool(named or public_of(settings))


def guard_of(settings: Settings, environ: Mapping[str, str] | None = None) -> Guard | None:
    """The guard that the settings ask for; None: there is none, and everybody may do everything.

    Raises:
        InvalidSettings: a key or a pattern cannot be used.
        MissingExtra: what verifies tokens is not installed.
    """
    if not has_access(settings, environ):
        return None
    sets = key_sets(settings, environ)
    try:
        return Guard(TokenProofs(Tokens(sets)) if sets else None, public_of(settings))
    except ValueError as error:
        raise InvalidSettings(f"access: {error}") from None


def reload_keys(guard: Guard, settings: Settings) -> None:
    """Read the keys again, for tokens from now on.

    Raises:
        InvalidSettings: one of them cannot be used; all are as they were.
    """
    if isinstance(guard.identify, TokenProofs):
        guard.identify.tokens.use(key_sets(settings))


def key_sets(settings: Settings, environ: Mapping[str, str] | None = None) -> list[KeySet]:
    """The keys of all issuers.

    Raises:
        InvalidSettings: one of them cannot be used.
        MissingExtra: what verifies tokens is not installed.
    """
    env = os.environ if environ is None else environ
    entries = list(_read_file(settings.access_keys)) if settings.access_keys else []
    if settings.access_key_file or settings.access_jwks or env.get(ENV_KEY):
        given_by_env = not (settings.access_key_file or settings.access_jwks)
        entries.append(
            KeyEntry(
                issuer=settings.access_issuer,
                audience=settings.access_audience,
                algorithm=settings.access_algorithm,
                file=settings.access_key_file,
                jwks=settings.access_jwks,
                env=ENV_KEY if given_by_env else None,
            )
        )
    return [_key_set(entry, settings, env) for entry in entries]


def _read_file(name: str) -> tuple[KeyEntry, ...]:
    try:
        return msgspec.convert(tomllib.loads(Path(name).read_text()), _KeysFile).keys
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InvalidSettings(f"the file of access_keys={name} cannot be used: {error}") from None


def _key_set(entry: KeyEntry, settings: Settings, env: Mapping[str, str]) -> KeySet:
    where = f"the key of the issuer {entry.issuer!r}"
    if sum(each is not None for each in (entry.file, entry.env, entry.jwks)) != 1:
        raise InvalidSettings(f"{where} comes from one place: file, env or jwks")
    issuer = Issuer(
        issuer=entry.issuer,
        audience=entry.audience,
        claims=entry.claims,
        ceiling=entry.ceiling,
        max_seconds=settings.max_token_seconds,
    )
    try:
        _check_ceiling(entry)
        if entry.jwks is not None:
            return KeySet(issuer, (), check_url(entry.jwks), entry.algorithm)
        return KeySet(issuer, (make_key(entry.algorithm, _material(entry, env), entry.kid),), None, entry.algorithm)
    except (ValueError, KeyError) as error:
        text = error.message if isinstance(error, InvalidKey) else error
        raise InvalidSettings(f"{where} cannot be used: {text}") from None


def _check_ceiling(entry: KeyEntry) -> None:
    ceiling: Mapping[str, tuple[str, ...]] = entry.ceiling or {}
    unknown = set(ceiling) - {*Operation}
    if unknown:
        raise ValueError(f"ceiling: {sorted(unknown)[0]!r} is no operation")
    Grants({Operation(name): patterns for name, patterns in ceiling.items()}, lambda name: "x")


def _material(entry: KeyEntry, env: Mapping[str, str]) -> bytes:
    if entry.env is not None:
        found = env.get(entry.env)
        if not found:
            raise ValueError(f"the variable {entry.env} is not set")
        return found.encode()
    assert entry.file is not None, "one of them is given"
    try:
        return Path(entry.file).read_bytes().strip()
    except OSError as error:
        raise ValueError(f"{entry.file}: {error.strerror}") from None


@contextlib.asynccontextmanager
async def open_with_keys(hub: Engine, guard: Guard | None) -> AsyncIterator[None]:
    """The hub, open; published keys are fetched now and then, and readers end with keys that are gone."""
    async with hub:
        proofs = guard.identify if guard is not None else None
        if not isinstance(proofs, TokenProofs):
            yield
            return
        principals, tokens = hub.runtime.principals, proofs.tokens
        tokens.changed = lambda: principals.ask_all_again(lambda access: bool(access.issuer))
        fetching = asyncio.create_task(_fetch(tokens)) if tokens.has_published else None
        try:
            yield
        finally:
            tokens.changed = _nobody
            if fetching is not None:
                fetching.cancel()
                await asyncio.gather(fetching, return_exceptions=True)


async def _fetch(tokens: Tokens) -> None:
    while True:
        await asyncio.gather(*tokens.refresh(), return_exceptions=True)
        await asyncio.sleep(FRESH_SECONDS)


def _nobody() -> None:
    """The hub is closed."""


def check_seconds(settings: Settings) -> None:
    """Refuse tokens that would outlive their revocation.

    Raises:
        InvalidSettings: `max_token_seconds` is too large.
    """
    if settings.max_token_seconds > KEEP_SECONDS:
        raise InvalidSettings(
            f"max_token_seconds={settings.max_token_seconds} is more than the {KEEP_SECONDS} for which revocations are "
            "kept"
        )
