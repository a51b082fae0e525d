"""TTL, expiry dates and retention as headers write them (protocol section 5.1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from headwater.errors import BadRequest
from headwater.model import Expiry, Retention

#: A TTL or an age is at most a hundred years, so that adding it to a time never overflows.
MAX_SECONDS: Final = 100 * 366 * 86400
#: A size or a count is at most what an offset can hold.
MAX_AMOUNT: Final = 10**16 - 1

_INTEGER: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_DATE: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
#: Where the seconds are in a date.
_SECONDS: Final = slice(17, 19)
_RETENTION_KEYS: Final = {"age": MAX_SECONDS, "size": MAX_AMOUNT, "count": MAX_AMOUNT}


def parse_integer(text: str, *, name: str, maximum: int, minimum: int = 0) -> int:
    """A decimal number without sign, leading zeros, fraction or exponent.

    Raises:
        BadRequest: it has another form, or is out of range.
    """
    if _INTEGER.fullmatch(text) is None or not minimum <= int(text) <= maximum:
        raise BadRequest(f"{name} must be a whole number from {minimum} to {maximum}, not {text[:40]!r}")
    return int(text)


def parse_date(text: str) -> float:
    """An RFC 3339 timestamp as seconds since the Unix epoch.

    Raises:
        BadRequest: it has another form, or is no date.
    """
    try:
        if _DATE.fullmatch(text) is not None:
            # A leap second, which Python has not and the time of Unix counts as the first of the next minute.
            leap = text[_SECONDS] == "60"
            known = f"{text[: _SECONDS.start]}59{text[_SECONDS.stop :]}" if leap else text
            return datetime.fromisoformat(known.upper()).timestamp() + leap
    except (ValueError, OverflowError):
        pass
    raise BadRequest(f"Stream-Expires-At must be an RFC 3339 timestamp, not {text[:40]!r}")


def parse_expiry(ttl: str | None, expires_at: str | None) -> Expiry:
    """The expiry that `Stream-TTL` or `Stream-Expires-At` asks for.

    Raises:
        BadRequest: a value is malformed, or both are given.
    """
    if ttl is not None and expires_at is not None:
        raise BadRequest("Stream-TTL and Stream-Expires-At exclude each other")
    if ttl is not None:
        return Expiry(ttl=parse_integer(ttl, name="Stream-TTL", maximum=MAX_SECONDS))
    if expires_at is not None:
        return Expiry(at=parse_date(expires_at), at_text=expires_at)
    return Expiry()


def make_expiry(ttl: int | None, at: float | None) -> Expiry:
    """The expiry that a Python caller asks for.

    Args:
        ttl: seconds of idleness.
        at: seconds since the Unix epoch.

    Raises:
        BadRequest: both are given, or one is out of range.
    """
    if at is None:
        return parse_expiry(None if ttl is None else str(ttl), None)
    try:
        text = datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        raise BadRequest(f"expires_at must be a time in seconds since 1970, not {at}") from None
    return parse_expiry(None if ttl is None else str(ttl), text)


def parse_retention(text: str | None) -> Retention:
    """The retention that `Stream-Retention` asks for: `age=3600, size=1048576, count=1000`, each optional.

    Raises:
        BadRequest: an unknown or repeated key, or a malformed value.
    """
    if text is None:
        return Retention()
    found: dict[str, int] = {}
    for part in text.split(","):
        key, _, value = (side.strip() for side in part.partition("="))
        if key not in _RETENTION_KEYS or key in found:
            raise BadRequest(f"Stream-Retention takes age=, size= and count=, each once; not {part.strip()[:40]!r}")
        found[key] = parse_integer(value, name=f"Stream-Retention {key}", maximum=_RETENTION_KEYS[key])
    return Retention(**found)


def format_retention(retention: Retention) -> str:
    """The header's text, in the form `parse_retention` reads; empty for no limit."""
    pairs = (("age", retention.age), ("size", retention.size), ("count", retention.count))
    return ", ".join(f"{key}={value}" for key, value in pairs if value is not None)
