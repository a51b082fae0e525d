"""`headwater access explain`: which rule of a token allows something, or why it is refused."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Final

import click

from headwater.cli.failures import Failure
from headwater.cli.token import config_option, settings_of
from headwater.errors import HeadwaterError
from headwater.http.access.guard import public_grants
from headwater.http.access.tokens import Tokens
from headwater.protocol.access.claims import InvalidToken
from headwater.protocol.access.identity import ANYBODY, Access
from headwater.protocol.asks import Operation
from headwater.server.access_files import key_sets, public_of

#: A line with a backspace alone tells click not to refill the paragraph after it.
_HELP: Final = """Say what a token allows.

\b
Examples:
  headwater access explain TOKEN read users/u42/inbox --config headwater.toml
  headwater token --sub u42 --read 'users/u42/**' | headwater access explain - append rooms/7
"""


@click.group(help=_HELP)
def access() -> None:
    """See the command's help."""


@access.command(help="Say which grant of TOKEN (- reads it from stdin) allows OPERATION on PATH, or why nothing does.")
@click.argument("token")
@click.argument("operation", type=click.Choice([str(each) for each in Operation]))
@click.argument("path")
@config_option
def explain(token: str, operation: str, path: str, config: Path | None) -> None:
    """See the command's help."""
    settings = settings_of(config)
    text = sys.stdin.read().strip() if token == "-" else token
    asked = Operation(operation)
    try:
        public = public_grants(public_of(settings))
        sets = key_sets(settings)
        if text and not sets:
            raise click.UsageError("the settings name no key to verify tokens with")
        found: Access = Tokens(sets).explain(text) if text else ANYBODY
    except InvalidToken as error:
        raise Failure("token-refused", f"the token is worthless: {error}", "") from None
    except HeadwaterError as error:
        raise click.UsageError(error.message) from None
    if found.subject is not None:
        left = (found.expires or 0) - time.time()
        click.echo(f"it is of {found.subject!r} of the issuer {found.issuer!r}, for {left:.0f} more seconds")
    if (rule := found.grants.rule(asked, path)) is not None:
        click.echo(f"allowed: the token grants {operation} on {rule}")
    elif (rule := public.rule(asked, path)) is not None:
        click.echo(f"allowed: everybody may {operation} {rule}")
    else:
        granted = ", ".join(found.grants.texts.get(asked, ())) or "nothing"
        raise Failure("not-granted", f"refused: {operation} is granted on {granted}, and {path!r} is none of it", "")
