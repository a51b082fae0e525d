"""`headwater token`: a token for trying things out, signed with the secret of the server's settings."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any, Final

import click

from headwater.cli.failures import Failure
from headwater.cli.paragraphs import Paragraphs
from headwater.errors import HeadwaterError
from headwater.http.access.keys import library
from headwater.protocol.access.claims import Issuer, access_of
from headwater.protocol.asks import Operation
from headwater.server.access_files import ENV_KEY
from headwater.server.settings import ENV_CONFIG, Settings, load_settings

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_time(ctx: click.Context, param: click.Parameter, value: str) -> int:
    """Seconds in `90`, `30s`, `5m`, `1h`, `2d`."""
    found = re.fullmatch(r"(\d{1,9})([smhd]?)", value)
    if found is None or not int(found[1]):
        raise click.BadParameter(f"{value!r} is no time; write 30s, 5m, 1h or 2d", ctx, param)
    return int(found[1]) * _UNITS[found[2] or "s"]


def settings_of(config: Path | None) -> Settings:
    """The settings of the server, from its file and the environment.

    Raises:
        UsageError: they are none.
    """
    try:
        return load_settings({}, os.environ, config)
    except HeadwaterError as error:
        raise click.UsageError(error.message) from None


def config_option(command: Any) -> Any:
    """The option `--config`."""
    return click.option(
        "--config",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help=f"TOML file with the settings of the server. Also {ENV_CONFIG}.",
    )(command)


@click.command(cls=Paragraphs)
@click.option("--sub", required=True, metavar="NAME", help="Who it is of.")
@click.option(
    "--for", "seconds", default="1h", show_default=True, callback=parse_time, metavar="TIME", help="How long."
)
@click.option("--id", "token_id", metavar="TEXT", help="By which it can be revoked alone.")
@config_option
def token(sub: str, seconds: int, token_id: str | None, config: Path | None, **grants: tuple[str, ...]) -> None:
    """Print a token for a server, that of these settings.

    Examples:
      headwater token --sub u42 --read 'users/u42/**' --for 1h
      headwater token --sub publisher --create 'rooms/*' --append 'rooms/*' --config headwater.toml
    """
    settings = settings_of(config)
    secret, now = _secret(settings), int(time.time())
    streams = {name: list(patterns) for name, patterns in grants.items() if patterns}
    claims = {
        "iss": settings.access_issuer,
        "aud": settings.access_audience,
        "sub": sub,
        "iat": now,
        "exp": now + seconds,
        **({} if token_id is None else {"jti": token_id}),
        **({"streams": streams} if streams else {}),
    }
    issuer = Issuer(
        issuer=settings.access_issuer, audience=settings.access_audience, max_seconds=settings.max_token_seconds
    )
    try:
        access_of(claims, issuer, now)
    except Exception as error:
        raise click.UsageError(f"no server would take this token: {error}") from None
    jwt = library()
    try:
        text = jwt.encode(claims, secret, algorithm=settings.access_algorithm)
    except (jwt.exceptions.PyJWTError, ValueError, TypeError) as error:
        raise Failure("invalid-key", f"the key cannot sign with {settings.access_algorithm}: {error}", "") from None
    click.echo(text)


for _operation in Operation:
    token.params.append(
        click.Option(
            [f"--{_operation}", str(_operation)],
            multiple=True,
            metavar="PATTERN",
            help=f"May {_operation} these streams.",
        )
    )


def _secret(settings: Settings) -> bytes:
    if settings.access_key_file is not None:
        try:
            return Path(settings.access_key_file).read_bytes().strip()
        except OSError as error:
            raise click.UsageError(f"{settings.access_key_file}: {error.strerror}") from None
    found = os.environ.get(ENV_KEY)
    if not found:
        raise click.UsageError(
            f"there is no key to sign with: set access_key_file in --config or HEADWATER_ACCESS_KEY_FILE, or {ENV_KEY}"
        )
    return found.encode()
