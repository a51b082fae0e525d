"""Tokens and a server that asks for them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import jwt

from headwater.server.settings import Settings

SECRET = b"0123456789abcdef0123456789abcdef"
EVERYTHING: dict[str, list[str]] = {
    name: ["**"] for name in ["read", "append", "close", "create", "delete", "signal", "presence", "list", "revoke"]
}


#: As long as any run of the tests: one that is made when they are found is used much later.
GOOD_SECONDS = 4 * 3600


def token(
    sub: str = "u1",
    *,
    seconds: float = GOOD_SECONDS,
    secret: bytes = SECRET,
    headers: dict[str, Any] | None = None,
    **more: Any,
) -> str:
    """A token that the server takes; `streams` is everything unless given, and None leaves a claim out."""
    now = int(time.time())
    claims = {"iss": "headwater", "aud": "headwater", "sub": sub, "iat": now, "exp": now + int(seconds)}
    claims = {name: value for name, value in {**claims, "streams": EVERYTHING, **more}.items() if value is not None}
    return jwt.encode(claims, secret, algorithm="HS256", headers=headers)


def guarded_settings(folder: Path, **more: Any) -> Settings:
    """`headwater serve` with one secret."""
    file = folder / "access.key"
    file.write_bytes(SECRET)
    return Settings(**{"store": "memory:", "access_key_file": str(file), "banner": False, **more})
