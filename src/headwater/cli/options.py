"""What the commands that talk to a server share: where it is, how to ask it, and stream paths."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Concatenate, Final, ParamSpec

import click

from headwater.cli.remote import Remote, parse_address
from headwater.errors import HeadwaterError
from headwater.protocol.paths import check_path

P = ParamSpec("P")
Callback = Callable[[click.Context, click.Parameter, Any], Any]

DEFAULT_URL: Final = "http://127.0.0.1:4437"
#: A path is checked here for its form; how long it may be, the server decides.
_ANY_LENGTH: Final = 1 << 30


def checked(parse: Callable[[str], object]) -> Callback:
    """A callback that parses an option's value, or each of them; what `parse` refuses is wrong usage."""

    def callback(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        try:
            if isinstance(value, tuple):
                return tuple(parse(part) for part in value)
            return None if value is None else parse(value)
        except HeadwaterError as error:
            raise click.BadParameter(f"{error.message}. {error.advice}", ctx, param) from None
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from None

    return callback


def parse_path(text: str) -> str:
    """A stream's path, with or without a leading slash.

    Raises:
        InvalidPath: no stream may have it.
    """
    return check_path(text.removeprefix("/"), maximum=_ANY_LENGTH)


def parse_header(text: str) -> tuple[str, str]:
    """The name and the value in `Name: value`.

    Raises:
        ValueError: it has another form.
    """
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or not text.isprintable() or not text.isascii():
        raise ValueError(f"{text!r} is no header; write 'Name: value'")
    return name.strip(), value.strip()


def stream_argument(command: Callable[P, None]) -> Callable[P, None]:
    """The argument PATH, as `path`."""
    return click.argument("path", callback=checked(parse_path), metavar="PATH")(command)


def json_option(help_text: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """The flag --json, as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help=help_text)


def header_option(command: Callable[P, None]) -> Callable[P, None]:
    """The option --header, as `headers`."""
    return click.option(
        "--header",
        "headers",
        callback=checked(parse_header),
        multiple=True,
        metavar="'NAME: VALUE'",
        help="Send a header; may be repeated.",
    )(command)


def timeout_option(command: Callable[P, None]) -> Callable[P, None]:
    """The option --timeout, as `timeout`."""
    return click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=10.0,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for a connection or an answer.",
    )(command)


def with_remote(command: Callable[Concatenate[Remote, P], None]) -> Callable[..., None]:
    """The options that say where the server is; the command's first argument is the `Remote` they make."""

    @click.option(
        "--url",
        callback=checked(parse_address),
        envvar="HEADWATER_URL",
        show_envvar=True,
        default=DEFAULT_URL,
        show_default=True,
        metavar="URL",
        help="The server; with a path, that path is what all streams are under: http://host/streams/.",
    )
    @header_option
    @timeout_option
    @functools.wraps(command)
    def wrapper(*args: Any, url: Any, headers: Any, timeout: float, **kwargs: Any) -> None:
        with Remote(url, headers, timeout) as remote:
            command(remote, *args, **kwargs)

    return wrapper
