"""`headwater create`."""

from __future__ import annotations

import click

from headwater.cli import output
from headwater.cli.options import below, json_option, parse_path, stream_argument, with_remote
from headwater.cli.paragraphs import Paragraphs
from headwater.cli.remote import Remote
from headwater.cli.stream_settings import StreamSettings, stream_settings
from headwater.client.requests import config_headers
from headwater.model import JSON
from headwater.protocol import names


@click.command(cls=Paragraphs)
@stream_argument
@click.option("--type", "content_type", metavar="MIME", help="Content type; without it, bytes or the fork's source's.")
@json_option("Short for --type application/json: every record is one JSON value.")
@stream_settings
@click.option(
    "--fork-from", callback=below(parse_path), metavar="PATH", help="Begin with the records of another stream."
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
    settings: StreamSettings,
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
    if fork_from is None and (fork_offset is not None or fork_sub_offset is not None):
        raise click.UsageError("--fork-offset and --fork-sub-offset need --fork-from.")
    if fork_sub_offset and fork_offset is None:
        raise click.UsageError("--fork-sub-offset needs --fork-offset.")
    wanted: dict[bytes, object] = {
        names.CONTENT_TYPE: JSON if as_json else content_type,
        names.STREAM_FORKED_FROM: None if fork_from is None else remote.path_of(fork_from),
        names.STREAM_FORK_OFFSET: fork_offset,
        names.STREAM_FORK_SUB_OFFSET: fork_sub_offset,
        names.STREAM_CLOSED: "true" if closed else None,
    }
    # What the type is, the server decides where nothing is said; `Stream.create` would say JSON.
    headers = {name.decode(): str(value) for name, value in wanted.items() if value is not None}
    head, _ = remote.ask("PUT", path, {**headers, **config_headers(settings.config())})
    kind = head.headers.get("content-type", "")
    said = "created" if head.status == 201 else "is there already:"
    output.result(remote.url(path), f"{said} {click.style(remote.url(path), bold=True)} ({kind})")
