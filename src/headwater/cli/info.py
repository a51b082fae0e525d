"""`headwater info`."""

from __future__ import annotations

from typing import Any

import click

from headwater.cli import output
from headwater.cli.options import json_option, stream_argument, with_remote
from headwater.cli.paragraphs import Paragraphs
from headwater.cli.remote import Remote
from headwater.errors import HeadwaterError


@click.command(cls=Paragraphs)
@stream_argument
@json_option("One JSON object.")
@with_remote
def info(remote: Remote, path: str, as_json: bool) -> None:
    """Show a stream's state: its type, its first and last offset, how long it lives, who reads it.

    Examples:
      headwater info jobs/7
      headwater tail jobs/7 --from "$(headwater info jobs/7 --json | jq -r .tail)"
    """
    facts = _facts(remote, path)
    if as_json:
        output.json_line(facts)
        return
    shown = {
        "url": facts["url"],
        "type": facts["content_type"],
        "state": f"failed: {facts['failure']}" if facts["failure"] else "closed" if facts["closed"] else "open",
        "earliest": facts["earliest"],
        "tail": facts["tail"],
        "size": None if facts.get("size") is None else output.size(facts["size"]),
        "readers": facts.get("readers"),
        "created": None if facts.get("created_at") is None else output.moment(facts["created_at"]),
        "ttl": facts["ttl"],
        "expires at": facts["expires_at"],
        "retention": facts["retention"],
        "slow readers": facts["slow"],
        "forked from": facts.get("forked_from"),
    }
    output.fields({name: str(value) for name, value in shown.items() if value is not None})


def _facts(remote: Remote, path: str) -> dict[str, Any]:
    """What HEAD says, and what introspection adds where it is allowed."""
    head = remote.head(path)
    facts: dict[str, Any] = {
        "path": path,
        "url": remote.url(path),
        "content_type": head.content_type,
        "closed": head.closed,
        "failure": head.failure or None,
        "failure_message": head.failure_message or None,
        "earliest": head.earliest or None,
        "tail": head.tail,
        "ttl": head.ttl,
        "expires_at": head.expires_at,
        "retention": head.retention,
        "slow": head.slow,
    }
    try:
        # The list is in the order of paths: the first that begins with this one is itself.
        found = remote.introspect("streams", {"prefix": path, "limit": "1"})["streams"]
    except HeadwaterError:
        return facts
    if found and found[0]["path"] == path:
        facts |= {key: found[0][key] for key in ("size", "readers", "created_at", "forked_from")}
    return facts
