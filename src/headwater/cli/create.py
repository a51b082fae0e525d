"""`headwater create`."""

from __future__ import annotations

import click

from headwater.cli import output
from headwater.cli.options import checked, json_option, parse_path, stream_argument, with_remote
from headwater.cli.paragraphs import Paragraphs
from headwater.cli.remote import Remote
from headwater.model import JSON
from headwater.protocol import names
from headwater.protocol.expiry import format_retention, parse_date, parse_retention
from headwater.protocol.slow import format_slow, parse_slow


def _retention(text: str) -> str:
    return format_retention(parse_retention(text))


def _slow(text: str) -> str:
    return format_slow(parse_slow(text))


def _date(text: str) -> str:
    parse_date(text)
    return text


@click.command(cls=Paragraphs)
@stream_argument
@click.option("--type", "content_type", metavar="MIME", help="Content type; without it, bytes or the fork's source's.")
@json_option("Short for --type application/json: every record is one JSON value.")
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
@click.option(
    "--fork-from", callback=checked(parse_path), metavar="PATH", help="Begin with the records of another stream."
)
@click.option("--fork-offset", metavar="OFFSET", help="Where to leave it; without it, at its tail.")
@click.option(
    "--fork-sub-offset",
    type=click.IntRange(min=0),
    metavar="N",
    help="So many records (JSON) or bytes past --fork-offset.",
)
@click.option("--closed", is_flag=True, help="Create it closed.")
@with_remote
def create(
    remote: Remote,
    path: str,
    content_type: str | None,
    as_json: bool,
    ttl: int | None,
    expires_at: str | None,
    retention: str | None,
    slow: str | None,
    fork_from: str | None,
    fork_offset: str | None,
    fork_sub_offset: int | None,
    closed: bool,
) -> None:
    """Create a stream.

    A stream that is there already with the same settings is fine; with other settings it is a conflict. In a pipe,
    prints the stream's URL.

    Examples:
      headwater create jobs/7 --json --ttl 3600
      headwater create log --type text/plain --retention age=86400,size=10000000
      headwater create prices --json --slow conflate:symbol
      headwater create jobs/7-again --fork-from jobs/7
    """
    if as_json and content_type is not None:
        raise click.UsageError("--json and --type exclude each other.")
    if ttl is not None and expires_at is not None:
        raise click.UsageError("--ttl and --expires-at exclude each other.")
    if fork_from is None and (fork_offset is not None or fork_sub_offset is not None):
        raise click.UsageError("--fork-offset and --fork-sub-offset need --fork-from.")
    if fork_sub_offset and fork_offset is None:
        raise click.UsageError("--fork-sub-offset needs --fork-offset.")
    wanted: dict[bytes, object] = {
        names.CONTENT_TYPE: JSON if as_json else content_type,
        names.STREAM_TTL: ttl,
        names.STREAM_EXPIRES_AT: expires_at,
        names.STREAM_RETENTION: retention,
        names.STREAM_SLOW: slow,
        names.STREAM_FORKED_FROM: None if fork_from is None else remote.path_of(fork_from),
        names.STREAM_FORK_OFFSET: fork_offset,
        names.STREAM_FORK_SUB_OFFSET: fork_sub_offset,
        names.STREAM_CLOSED: "true" if closed else None,
    }
    headers = {name: str(value).encode() for name, value in wanted.items() if value is not None}
    answer = remote.request("PUT", path, headers)
    kind = answer.headers.get("content-type", "")
    said = "created" if answer.status_code == 201 else "is there already:"
    output.result(remote.url(path), f"{said} {click.style(remote.url(path), bold=True)} ({kind})")
