"""Keys from files and the environment, and addresses that need them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.access import SECRET, token

from headwater.errors import TokenRefused
from headwater.http.access.proofs import TokenProofs
from headwater.server.access_files import ENV_KEY, guard_of, reload_keys
from headwater.server.run import check_bind
from headwater.server.settings import InvalidSettings, Settings

KEYS = """
[[keys]]
issuer = "headwater"
audience = "headwater"
algorithm = "HS256"
file = "{file}"
claims = ["tenant"]
ceiling = {{ read = ["users/{{sub}}/**", "news/**"] }}

[[keys]]
issuer = "backend"
audience = "headwater"
algorithm = "HS256"
env = "BACKEND_SECRET"
"""


def tokens_of(settings: Settings, environ: dict[str, str] | None = None) -> Any:
    guard = guard_of(settings, environ or {})
    assert guard is not None
    assert isinstance(guard.identify, TokenProofs)
    return guard.identify.tokens


def test_several_issuers(tmp_path: Path) -> None:
    """Each with its key, its claims and its ceiling."""
    (tmp_path / "a.key").write_bytes(SECRET)
    file = tmp_path / "keys.toml"
    file.write_text(KEYS.format(file=tmp_path / "a.key"))
    tokens = tokens_of(Settings(access_keys=str(file)), {"BACKEND_SECRET": "b" * 32})
    assert tokens.verify(token(streams={"read": ["users/{sub}/x"]}))
    assert tokens.verify(token(iss="backend", secret=b"b" * 32))
    for worthless in (token(), token(iss="backend"), token(secret=b"b" * 32)):
        with pytest.raises(TokenRefused):
            tokens.verify(worthless)


def test_one_secret_is_read_again(tmp_path: Path) -> None:
    """From a file or the environment; a file that cannot be used changes nothing."""
    file = tmp_path / "a.key"
    file.write_bytes(SECRET + b"\n")
    settings = Settings(access_key_file=str(file))
    assert tokens_of(Settings(), {ENV_KEY: SECRET.decode()}).verify(token())
    guard = guard_of(settings, {})
    assert guard is not None
    assert isinstance(guard.identify, TokenProofs)
    tokens = guard.identify.tokens
    assert tokens.verify(token())
    file.write_bytes(b"short")
    with pytest.raises(InvalidSettings, match="32 bytes"):
        reload_keys(guard, settings)
    assert tokens.verify(token())
    file.write_bytes(b"n" * 32)
    reload_keys(guard, settings)
    with pytest.raises(TokenRefused):
        tokens.verify(token())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[[keys]]\nissuer='a'",
        "keys = 7",
        "[[keys]]\nissuer='a'\naudience='b'\nalgorithm='HS256'",
        "[[keys]]\nissuer='a'\naudience='b'\nalgorithm='HS256'\nkey='" + "x" * 32 + "'",
        "[[keys]]\nissuer='a'\naudience='b'\nalgorithm='HS256'\nenv='NOT_SET'",
        "[[keys]]\nissuer='a'\naudience='b'\nalgorithm='HS256'\nfile='/nowhere'",
        "[[keys]]\nissuer='a'\naudience='b'\nalgorithm='none'\nenv='SET'",
        "[[keys]]\nissuer='a'\naudience='b'\nalgorithm='HS256'\njwks='https://x.example/'",
        "[[keys]]\nissuer='a'\naudience='b'\nalgorithm='RS256'\njwks='http://x.example/'",
        "[[keys]]\nissuer='a'\naudience='b'\nalgorithm='HS256'\nenv='SET'\nceiling={admin=['**']}",
        "[[keys]]\nissuer='a'\naudience='b'\nalgorithm='HS256'\nenv='SET'\nceiling={read=['a*']}",
        "not toml",
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, text: str) -> None:
    """The server does not start, and says what is wrong; a key in the file itself is refused."""
    file = tmp_path / "keys.toml"
    file.write_text(text)
    with pytest.raises(InvalidSettings):
        guard_of(Settings(access_keys=str(file)), {"SET": "x" * 32})


def test_public_grants() -> None:
    """Alone they are access, too; a pattern that is none stops the start."""
    guard = guard_of(Settings(public_read=("news/**",)), {})
    assert guard is not None
    assert guard.identify is None
    assert guard_of(Settings(), {}) is None
    for pattern in ("a*b", "users/{sub}/**"):
        with pytest.raises(InvalidSettings):
            guard_of(Settings(public_read=(pattern,)), {})


def test_an_address_that_others_reach(tmp_path: Path) -> None:
    """With access and TLS, or a proxy that encrypts; or where everybody is meant."""
    public: Any = {"host": "0.0.0.0"}
    access: Any = {"public_read": ("news/**",)}
    for missing, word in [
        ({}, "no access control"),
        (access, "nothing is encrypted"),
        ({"behind_proxy": True}, "access"),
    ]:
        with pytest.raises(InvalidSettings, match=word):
            check_bind(Settings(**public, **missing))
    check_bind(Settings(**public, **access, behind_proxy=True))
    check_bind(Settings(**public, **access, tls_cert="a", tls_key="b"))
    check_bind(Settings(**public, insecure=True))
