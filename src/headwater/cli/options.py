"""What the commands that talk to a server share: where it is, how to ask it, and stream paths."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, Concatenate, Final, ParamSpec

import click
from click.core import ParameterSource

from headwater.cli.address import DEFAULT_PREFIX, parse_address
from headwater.cli.failures import failing
from headwater.cli.remote import Remote
from headwater.errors import HeadwaterError
from headwater.protocol.paths import check_path
from headwater.protocol.patterns import check_pattern

P = ParamSpec("P")
Callback = Callable[[click.Context, click.Parameter, Any], Any]

DEFAULT_URL: Final = "http://127.0.0.1:4437"
URL_VARIABLE: Final = "HEADWATER_URL"
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


def strip_slash(text: str, prefix: str = DEFAULT_PREFIX) -> str:
    """A stream's path or what one begins with, without a leading slash.

    Args:
        text: as typed.
        prefix: path of the URL that all streams are under.

    Raises:
        ValueError: it is a whole URL, or the path of one. Without the slash it may be a stream's.
    """
    if text.startswith(("http://", "https://")):
        raise ValueError(f"{text!r} is a URL; give the stream's path alone, such as jobs/7, and the server with --url.")
    if f"{text}/".startswith(prefix):
        alone = text[len(prefix) :]
        what = f"which is {alone}" if alone else "such as jobs/7"
        raise ValueError(f"{text!r} is the path of a URL; give the stream's path alone, {what}.")
    return text.removeprefix("/")


def parse_path(text: str, prefix: str = DEFAULT_PREFIX) -> str:
    """A stream's path, with or without a leading slash.

    Args:
        text: as typed.
        prefix: path of the URL that all streams are under.

    Raises:
        InvalidPath: no stream may have it.
        ValueError: it is a whole URL, or the path of one.
    """
    return check_path(strip_slash(text, prefix), maximum=_ANY_LENGTH)


def parse_name(text: str, prefix: str = DEFAULT_PREFIX) -> str:
    """A stream's path, or a pattern of paths such as `rooms/*`; see `parse_path`.

    Raises:
        BadRequest: it is no pattern.
    """
    return check_pattern(parse_path(text, prefix))


def below(parse: Callable[[str, str], object]) -> Callback:
    """`checked` for what also needs the path that all streams are under; the server's option is eager for it."""

    def callback(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
        address = ctx.params.get("url") or ctx.params["address"]
        return checked(lambda text: parse(text, address.prefix))(ctx, param, value)

    return callback


def server_address(ctx: click.Context, param: click.Parameter, value: str) -> Any:
    """The callback of the option or argument that says where the server is; its `Address`.

    Where nobody says so, a variable that is named almost like the right one is told: its user would ask another server.
    """
    if ctx.get_parameter_source(param.name or "") is ParameterSource.DEFAULT:
        others = [name for name in os.environ if name != URL_VARIABLE]
        if near := get_close_matches(URL_VARIABLE, others, 1, cutoff=0.9):
            raise click.UsageError(
                f"nothing reads the variable {near[0]} of the environment (is it {URL_VARIABLE}?).", ctx
            )
    return checked(parse_address)(ctx, param, value)


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
    return click.argument("path", callback=below(parse_path), metavar="PATH")(command)


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
        is_eager=True,
        callback=server_address,
        envvar=URL_VARIABLE,
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
        with failing(url.origin), Remote(url, headers, timeout) as remote:
            command(remote, *args, **kwargs)

    return wrapper
