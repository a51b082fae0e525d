"""`headwater version`."""

from __future__ import annotations

import platform

import click

from headwater import __version__


@click.command
def version() -> None:
    """Show the versions of Headwater and Python."""
    click.echo(f"headwater {__version__} (Python {platform.python_version()}, Durable Streams Protocol 1.0)")
