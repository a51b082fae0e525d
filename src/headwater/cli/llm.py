"""`headwater llm`: what is about model answers."""

from __future__ import annotations

import os

import click

from headwater.cli.failures import Failure
from headwater.cli.paragraphs import Paragraphs
from headwater.cli.variables import refuse_misspelled
from headwater.errors import HeadwaterError
from headwater.server.inherited import MAX_DESCRIPTOR
from headwater.server.listener import CannotListen
from headwater.server.proxy import ProxySettings, run_proxy


class _Group(Paragraphs, click.Group):
    pass


@click.group(cls=_Group)
def llm() -> None:
    """Model answers that survive their readers: a proxy before any provider.

    Example:
      headwater llm proxy --upstream https://api.openai.com/v1
    """


@llm.command(cls=Paragraphs, short_help="Stand before a model's provider.")
@click.option("--upstream", required=True, metavar="URL", help="The provider, such as https://api.openai.com/v1.")
@click.option("--key-env", metavar="NAME", help="Environment variable with the provider's key; else clients' own.")
@click.option(
    "--client-keys-env",
    metavar="NAME",
    help="Environment variable with the keys of clients, separated by commas; else whoever reaches it may use it.",
)
@click.option(
    "--cors-origins",
    default="loopback",
    show_default=True,
    metavar="TEXT",
    help="Pages of other origins that may use it: *, loopback, or origins, with commas.",
)
@click.option(
    "--allowed-hosts",
    default="loopback",
    show_default=True,
    metavar="TEXT",
    help="Names it answers to: *, loopback, or host names, with commas; add your proxy's. Beyond loopback: any.",
)
@click.option(
    "--insecure/--no-insecure", default=False, help="Listen beyond loopback although clients need no key.  [no]"
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; other than loopback only with client keys, or with --insecure.",
)
@click.option("--port", default=4438, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on.")
@click.option(
    "--fd",
    metavar="N",
    type=click.IntRange(0, MAX_DESCRIPTOR),
    help="Descriptor of a socket that listens already and that this process inherits; host and port are then its own. "
    "Without it, the sockets that systemd passes on (LISTEN_FDS) count before --host and --port.",
)
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
    cors_origins: str,
    allowed_hosts: str,
    insecure: bool,
    host: str,
    port: int,
    fd: int | None,
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
    refuse_misspelled(key_env, client_keys_env)
    settings = ProxySettings(
        upstream=upstream,
        key=_secret(key_env),
        client_keys=_client_keys(client_keys_env),
        cors_origins=_listed(cors_origins),
        allowed_hosts=_listed(allowed_hosts),
        insecure=insecure,
        host=host,
        port=port,
        fd=fd,
        store=store,
        keep_seconds=keep_seconds,
        cancel_when_unwatched=cancel_unwatched,
        stall_seconds=stall_seconds,
        heartbeat_seconds=heartbeat_seconds,
    )
    try:
        run_proxy(settings)
    except CannotListen as error:
        raise Failure(error.code, error.message, error.advice) from None
    except HeadwaterError as error:
        raise click.UsageError(error.message) from None


def _client_keys(name: str | None) -> tuple[str, ...]:
    """The keys in a variable; one that names nobody would open the proxy for all."""
    keys = _listed(_secret(name) or "")
    if name is not None and not keys:
        raise click.UsageError(f"the environment variable {name} has no key.")
    return keys


def _listed(text: str) -> tuple[str, ...]:
    return tuple(value.strip() for value in text.split(",") if value.strip())


def _secret(name: str | None) -> str | None:
    """The value of an environment variable that was named; keys are never taken from the command line."""
    if name is None:
        return None
    value = os.environ.get(name, "").strip()
    if not value:
        raise click.UsageError(f"the environment variable {name} is not set.")
    return value
