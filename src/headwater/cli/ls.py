"""`headwater ls`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import click

from headwater.cli import output
from headwater.cli.options import below, json_option, strip_slash, with_remote
from headwater.cli.paragraphs import Paragraphs
from headwater.cli.remote import Remote

#: Streams asked for at a time; the most the server gives.
PAGE: Final = "1000"
HEADER: Final = ("PATH", "TYPE", "SIZE", "READERS", "STATE", "CREATED", "TAIL")


@click.command(cls=Paragraphs)
@click.argument("prefix", default="", callback=below(strip_slash), metavar="[PREFIX]")
@json_option("One JSON object a stream, with everything the server tells.")
@with_remote
def ls(remote: Remote, prefix: str, as_json: bool) -> None:
    """List streams, those whose path begins with PREFIX, in the order of their paths.

    In a pipe: path, type, size in bytes, live readers, open, closed or failed, creation time
    and tail, with tabs between.

    Examples:
      headwater ls
      headwater ls jobs/
      headwater ls --json | jq -r 'select(.closed).path'
    """
    for page in pages(remote, prefix):
        if as_json:
            for stream in page:
                output.json_line(stream)
        elif page:
            output.table(HEADER, [_row(stream) for stream in page])


def pages(remote: Remote, prefix: str) -> Iterator[list[dict[str, Any]]]:
    """All streams below a prefix, as `/-/streams` describes them, page by page."""
    after: str | None = ""
    while after is not None:
        answer = remote.introspect("streams", {"prefix": prefix, "after": after, "limit": PAGE})
        yield answer["streams"]
        after = answer["next"]


def _row(stream: dict[str, Any]) -> tuple[str, ...]:
    return (
        stream["path"],
        stream["content_type"],
        output.size(stream["size"]),
        str(stream["readers"]),
        "failed" if stream["failure"] else "closed" if stream["closed"] else "open",
        output.moment(stream["created_at"]),
        stream["tail"],
    )
