"""`headwater serve`: one option per setting."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from headwater.cli.failures import Failure
from headwater.errors import HeadwaterError
from headwater.server.listener import CannotListen
from headwater.server.run import run
from headwater.server.settings import ENV_CONFIG, Setting, describe_settings, load_settings


def _option(setting: Setting) -> click.Option:
    text = f"{setting.help[0].upper()}{setting.help[1:]}".rstrip(".")
    default = (", ".join(setting.default) or None) if isinstance(setting.default, tuple) else setting.default
    shown = "" if default is None else f"  [{'no' if default is False else 'yes' if default is True else default}]"
    if setting.kind is bool:
        declarations = [f"{setting.flag}/--no-{setting.flag[2:]}", setting.name]
        return click.Option(declarations, default=None, help=text + shown)
    return click.Option([setting.flag, setting.name], default=None, metavar=_metavar(setting), help=text + shown)


def _metavar(setting: Setting) -> str:
    if setting.kind in (int, int | None):
        return "N"
    return "SECONDS" if setting.kind is float else "TEXT"


def _run(config: Path | None, **values: Any) -> None:
    given = {name: value for name, value in values.items() if value is not None}
    try:
        run(load_settings(given, os.environ, config))
    except CannotListen as error:
        raise Failure(error.code, error.message, error.advice) from None
    except HeadwaterError as error:
        raise click.UsageError(error.message) from None


serve = click.Command(
    "serve",
    callback=_run,
    params=[
        click.Option(
            ["--config"],
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help=f"TOML file with settings, named as below with underscores. Also {ENV_CONFIG}.",
        ),
        *(_option(setting) for setting in describe_settings()),
    ],
    help="Run the server.\n\nEvery setting comes from --config, then from the environment (HEADWATER_PORT for --port), "
    "then from the flags below; the later wins. Values in brackets are the defaults.",
)
