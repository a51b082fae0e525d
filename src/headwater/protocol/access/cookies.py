"""The cookie of a session (RFC 6265bis): its name, how it is set, and how it is found among others.

Rule 1: over HTTPS its name begins with `__Host-`. A browser takes such a cookie from this very host alone, encrypted,
        so that no other host of the domain and nobody on the way can plant one.
Rule 2: without encryption there is another name, for this machine alone. Neither name counts in place of the other.
Rule 3: of two cookies with the name neither counts: one of them was planted.
"""

from __future__ import annotations

from typing import Final

from headwater.protocol.hosts import parse_authority

#: Over HTTPS.
SECURE_NAME: Final = b"__Host-headwater"
#: Over HTTP, on this machine.
LOOPBACK_NAME: Final = b"headwater-loopback"
#: Bytes of a session's name; and characters of its text in base64url.
SECRET_BYTES: Final = 16
_SECRET_CHARACTERS: Final = 22


def cookie_name(scheme: str, host: bytes) -> bytes | None:
    """The name that counts for a request; None: there is none, for it would be readable on the way.

    Args:
        scheme: `http` or `https`, as the client has it.
        host: what the client calls this server.
    """
    if scheme == "https":
        return SECURE_NAME
    authority = parse_authority(host)
    return LOOPBACK_NAME if authority is not None and authority.loopback else None


def has_session(cookies: bytes) -> bool:
    """Whether a header may have the cookie, of either name: a quick look."""
    return SECURE_NAME in cookies or LOOPBACK_NAME in cookies


def find_session(cookies: bytes, name: bytes) -> str | None:
    """What the header `Cookie` says under a name; None: nothing. What is none of ours, or two, is empty."""
    found = [
        value for part in cookies.split(b";") for key, _, value in [part.strip(b" \t").partition(b"=")] if key == name
    ]
    if not found:
        return None
    return found[0].decode("latin-1") if len(found) == 1 and len(found[0]) == _SECRET_CHARACTERS else ""


def set_cookie(name: bytes, secret: str, seconds: int) -> bytes:
    """The value of `Set-Cookie` for a session.

    Args:
        name: see `cookie_name`.
        secret: that it has.
        seconds: for which it is good.
    """
    secure = b"; Secure" if name == SECURE_NAME else b""
    return b"%b=%b; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict%b" % (name, secret.encode(), seconds, secure)


def end_cookie(name: bytes) -> bytes:
    """The same for a browser that is to forget it."""
    return set_cookie(name, "", 0)
