"""The `headwater` command and the table of its subcommands.

Rule: this module imports none of them; the table below says where each one is.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Final

import click

from headwater import __version__
from headwater.cli import output
from headwater.cli.failures import ExitCode, Failure
from headwater.cli.paragraphs import Paragraphs
from headwater.errors import HeadwaterError, MissingExtra

#: Command: where it is, and its line in `headwater --help`.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "serve": ("headwater.cli.serve:serve", "Run the server."),
    "create": ("headwater.cli.create:create", "Create a stream."),
    "append": ("headwater.cli.append:append", "Append records to a stream."),
    "tail": ("headwater.cli.tail:tail", "Print the records of streams, and follow them."),
    "signal": ("headwater.cli.signal:signal", "Tell the live readers of a stream something that is not stored."),
    "ls": ("headwater.cli.ls:ls", "List streams."),
    "info": ("headwater.cli.info:info", "Show a stream's state."),
    "close": ("headwater.cli.close:close", "Close a stream for good."),
    "rm": ("headwater.cli.rm:rm", "Delete streams."),
    "top": ("headwater.cli.top:top", "Watch a server's figures."),
    "bench": ("headwater.cli.bench:bench", "Measure a server under load."),
    "token": ("headwater.cli.token:token", "Print a token for a server."),
    "access": ("headwater.cli.access:access", "Say what a token allows."),
    "doctor": ("headwater.cli.doctor:doctor", "Check a store's file."),
    "llm": ("headwater.cli.llm:llm", "Model answers that survive their readers."),
    "version": ("headwater.cli.version:version", "Show the versions of Headwater and Python."),
}
#: Packages a command may find missing, and the extra that brings each.
_EXTRAS: Final = {"httpx2": "cli", "httptools": "server", "jwt": "auth", "cryptography": "auth"}


class LazyGroup(Paragraphs, click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported.

        Raises:
            MissingExtra: it needs a package that is not installed.
        """
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        try:
            command = getattr(import_module(module), attribute)
        except ModuleNotFoundError as missing:
            if missing.name not in _EXTRAS:
                raise
            raise MissingExtra.of(f"headwater {cmd_name}", _EXTRAS[missing.name]) from None
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table, without an import."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; whatever ends it becomes an exit code."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(ExitCode.INTERRUPTED)
        except BrokenPipeError:
            output.abandon_stdout()
            ctx.exit(ExitCode.FINE)
        except MissingExtra as error:
            raise Failure(error.code, error.message, exit_code=ExitCode.USAGE) from error
        except HeadwaterError as error:
            raise Failure(error.code, error.message, error.advice) from error


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="headwater", message="%(prog)s %(version)s")
@click.pass_context
def group(ctx: click.Context) -> None:
    """Streams that survive: append-only logs at URLs, followed live and resumed after any cut.

    Examples:
      headwater serve
      headwater create jobs/7 --json
      headwater append jobs/7 '{"done": 1}' '{"done": 2}'
      headwater tail jobs/7

    The server is found at --url or HEADWATER_URL, by default http://127.0.0.1:4437.

    Exit codes:
      0    fine
      1    the server refused; stderr says why
      2    wrong usage, or a part of Headwater is not installed
      3    the server cannot be reached
      4    no such stream, or what was asked for is no longer kept (404, 410)
      5    a conflict with the stream's state (409)
      6    the stream ended before it was complete (tail)
      7    the file is damaged (doctor)
      8    the file is no store of Headwater, or of a newer release (doctor)
      130  interrupted
    """
    # https://no-color.org: any value but an empty one.
    if os.environ.get("NO_COLOR"):
        ctx.color = False
