"""Variables of the environment that a command does not read, though they are named like settings."""

from __future__ import annotations

import os

import click

from headwater.server.settings import InvalidSettings, check_variables


def refuse_misspelled(*named: str | None) -> None:
    """Refuse to run where a setting is misspelled: who set it believes that it holds.

    Args:
        named: variables that options name.

    Raises:
        UsageError: there is such a variable.
    """
    try:
        check_variables(os.environ, [name for name in named if name is not None])
    except InvalidSettings as error:
        raise click.UsageError(error.message) from None
