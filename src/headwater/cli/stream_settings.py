"""The options that say what a new stream is like, and what the client calls them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click
import msgspec

from headwater.cli.options import checked
from headwater.protocol.expiry import format_retention, parse_date, parse_retention
from headwater.protocol.slow import format_slow, parse_slow


class StreamSettings(msgspec.Struct, frozen=True):
    """What a new stream is like, each as its header has it; None: not said."""

    ttl: int | None
    expires_at: str | None
    retention: str | None
    slow: str | None

    def config(self) -> dict[str, Any]:
        """What was said, as `Stream.create` takes it."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}


def _retention(text: str) -> str:
    return format_retention(parse_retention(text))


def _slow(text: str) -> str:
    return format_slow(parse_slow(text))


def _date(text: str) -> str:
    parse_date(text)
    return text


def stream_settings(command: Callable[..., None]) -> Callable[..., None]:
    """The options --ttl, --expires-at, --retention and --slow, as `settings`."""

    @click.option("--ttl", type=click.IntRange(min=0), metavar="SECONDS", help="Expire after so long without use.")
    @click.option("--expires-at", callback=checked(_date), metavar="RFC3339", help="Expire at a time.")
    @click.option(
        "--retention",
        callback=checked(_retention),
        metavar="LIMITS",
        help="Keep only the newest records: age=SECONDS,size=BYTES,count=RECORDS, each optional.",
    )
    @click.option(
        "--slow",
        callback=checked(_slow),
        metavar="POLICY",
        help="What slow readers get: replay (everything), latest, conflate:KEY, disconnect.",
    )
    @functools.wraps(command)
    def wrapper(*args: Any, ttl: Any, expires_at: Any, retention: Any, slow: Any, **kwargs: Any) -> None:
        if ttl is not None and expires_at is not None:
            raise click.UsageError("--ttl and --expires-at exclude each other.")
        command(*args, settings=StreamSettings(ttl, expires_at, retention, slow), **kwargs)

    return wrapper
