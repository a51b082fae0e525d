"""`headwater llm`: what is about model answers."""

from __future__ import annotations

import os

import click

from headwater.cli.paragraphs import Paragraphs
from headwater.errors import HeadwaterError
from headwater.server.proxy import ProxySettings, run_proxy


class _Group(Paragraphs, click.Group):
    pass


@click.group(cls=_Group)
def llm() -> None:
    """Model answers that survive their readers: a proxy before any provider.

    Example:
      headwater llm proxy --upstream https://api.openai.com/v1
    """


@llm.command(cls=Paragraphs)
@click.option("--upstream", required=True, metavar="URL", help="The provider, such as https://api.openai.com/v1.")
@click.option("--key-env", metavar="NAME", help="Environment variable with the provider's key; else clients' own.")
@click.option(
    "--client-keys-env",
    metavar="NAME",
    help="Environment variable with the keys of clients, separated by commas; else anybody may use it.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=4438, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option("--store", default="sqlite:headwater-llm.db", show_default=True, help="Where runs are kept.")
@click.option("--keep-seconds", type=click.IntRange(1), help="Idle seconds after which a run is deleted.  [never]")
@click.option(
    "--cancel-unwatched", type=click.FloatRange(0), metavar="SECONDS", help="Stop runs that nobody reads.  [never]"
)
@click.option(
    "--stall-seconds",
    default=600.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Silence of the provider after which its answer is given up; longer than any model thinks.",
)
@click.option(
    "--heartbeat-seconds",
    default=15.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Silence after which readers of a run get a keepalive.",
)
def proxy(
    upstream: str,
    key_env: str | None,
    client_keys_env: str | None,
    host: str,
    port: int,
    store: str,
    keep_seconds: int | None,
    cancel_unwatched: float | None,
    stall_seconds: float,
    heartbeat_seconds: float,
) -> None:
    """Stand before a model's provider, so that answers survive their readers.

    Stock SDKs point their base URL here. Requests pass as they are; with the header Headwater-Run a streamed answer
    becomes a run, which a cut client resumes and others watch.

    Examples:
      headwater llm proxy --upstream https://api.openai.com/v1 --key-env OPENAI_API_KEY
      headwater llm proxy --upstream https://api.anthropic.com/v1
    """
    client_keys = (_secret(client_keys_env) or "").split(",")
    settings = ProxySettings(
        upstream=upstream,
        key=_secret(key_env),
        client_keys=tuple(key.strip() for key in client_keys if key.strip()),
        host=host,
        port=port,
        store=store,
        keep_seconds=keep_seconds,
        cancel_when_unwatched=cancel_unwatched,
        stall_seconds=stall_seconds,
        heartbeat_seconds=heartbeat_seconds,
    )
    try:
        run_proxy(settings)
    except HeadwaterError as error:
        raise click.UsageError(error.message) from None


def _secret(name: str | None) -> str | None:
    """The value of an environment variable that was named; keys are never taken from the command line."""
    if name is None:
        return None
    value = os.environ.get(name)
    if not value:
        raise click.UsageError(f"the environment variable {name} is not set.")
    return value
