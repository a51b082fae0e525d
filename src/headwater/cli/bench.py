"""`headwater bench`."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any, Final, Self
from urllib.parse import urlsplit
from uuid import uuid4

import click
import msgspec

from headwater.cli import output
from headwater.cli.address import Address
from headwater.cli.failures import failing
from headwater.cli.follow_socket import check_installed
from headwater.cli.load import plan as bounds
from headwater.cli.load.outcome import Outcome, Times
from headwater.cli.load.plan import Plan
from headwater.cli.load.run import run
from headwater.cli.options import (
    DEFAULT_URL,
    URL_VARIABLE,
    below,
    header_option,
    json_option,
    parse_path,
    server_address,
    timeout_option,
)
from headwater.cli.paragraphs import Paragraphs
from headwater.cli.remote import Remote
from headwater.errors import HeadwaterError
from headwater.model import JSON

#: What is left behind by a run that was killed expires after so many seconds more.
_TTL_SECONDS: Final = 600


@click.command(cls=Paragraphs)
@click.argument(
    "address",
    is_eager=True,
    callback=server_address,
    envvar=URL_VARIABLE,
    default=DEFAULT_URL,
    metavar="[URL]",
)
@click.option("--readers", type=click.IntRange(1, bounds.MAX_READERS), default=100, show_default=True, help="Readers.")
@click.option(
    "--rate",
    type=click.FloatRange(0, bounds.MAX_RATE, min_open=True),
    default=50.0,
    show_default=True,
    help="Records a second, over all streams.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, bounds.MAX_SECONDS, min_open=True),
    default=10.0,
    show_default=True,
    help="How long to publish.",
)
@click.option(
    "--size",
    type=click.IntRange(bounds.MIN_BYTES, bounds.MAX_BYTES),
    default=100,
    show_default=True,
    metavar="BYTES",
    help="Bytes of a record.",
)
@click.option(
    "--streams",
    type=click.IntRange(1, bounds.MAX_STREAMS),
    default=1,
    show_default=True,
    help="Streams; readers and records are spread over them.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, bounds.MAX_PROCESSES),
    help="Processes with readers; one more publishes.  [default: the cores less one, at most 4]",
)
@click.option(
    "--path",
    callback=below(parse_path),
    default="bench",
    show_default=True,
    metavar="PATH",
    help="Where the streams are made, each below it with a name of its own.",
)
@click.option(
    "--wire",
    type=click.Choice(["sse", "websocket"]),
    default="sse",
    show_default=True,
    help="How the readers read: an event stream each, or a WebSocket connection each with one subscription.",
)
@header_option
@timeout_option
@click.option(
    "--grace",
    type=click.FloatRange(0, 600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the last records.",
)
@click.option("--yes", is_flag=True, help="The server is not on this machine, and may be put under load.")
@json_option("One JSON object.")
def bench(
    address: Address,
    readers: int,
    rate: float,
    seconds: float,
    size: int,
    streams: int,
    processes: int | None,
    path: str,
    wire: str,
    headers: tuple[tuple[str, str], ...],
    timeout: float,
    grace: float,
    yes: bool,
    as_json: bool,
) -> None:
    """Measure a server under load: many readers, records at a pace, the lag of every delivery.

    Makes streams of its own, has readers follow them, appends records, and checks that each came to each
    reader once and in order; then the streams are deleted. A reader whose connection ends comes back where it was. A
    record's lag counts from when it was due, so that a server which takes appends slowly does not look fast. Readers
    and records take their share of a server's limits and of its disk: ask before you load what others use.

    Examples:
      headwater bench
      headwater bench --readers 1000 --rate 1000 --seconds 30
      headwater bench https://example.org/streams/ --yes --header 'Authorization: Bearer …' --json
    """
    if not yes and not _is_loopback(address.origin):
        raise click.UsageError(
            f"{address.origin} is not on this machine. If it is yours to put under load, say so with --yes."
        )
    if wire == "websocket":
        check_installed()
    with failing(address.origin), Remote(address, headers, timeout) as remote:
        paths = [f"{path}/{uuid4().hex[:12]}" for _ in range(min(streams, readers))]
        plan = Plan(
            url=address.origin,
            targets=tuple(map(remote.path_of, paths)),
            paths=tuple(paths),
            door=remote.path_of("-/connect") if wire == "websocket" else "",
            headers=headers,
            readers=readers,
            rate=rate,
            seconds=seconds,
            size=size,
            timeout=timeout,
            grace=grace,
        )
        with _streams(remote, paths, seconds), Bar() as bar:
            found = run(plan, min(readers, processes or _processes()), bar)
    _show(found, as_json=as_json)


def _is_loopback(origin: str) -> bool:
    """Only what needs no name server to be sure."""
    host = urlsplit(origin).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _processes() -> int:
    return max(1, min(4, (os.cpu_count() or 1) - 1))


@contextmanager
def _streams(remote: Remote, paths: list[str], seconds: float) -> Iterator[None]:
    """The streams of a run, which are deleted however it ends."""
    ttl = round(seconds) + _TTL_SECONDS
    made: list[str] = []
    try:
        for path in paths:
            remote.stream(path, content_type=JSON).create(ttl=ttl)
            made.append(path)
        yield
    finally:
        for path in made:
            with contextlib.suppress(HeadwaterError):
                remote.stream(path).delete()


class Bar:
    """A progress bar on stderr, if that is a terminal; a context."""

    def __init__(self) -> None:
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def phase(self, name: str, length: int) -> None:
        """Begin another bar."""
        self._end()
        if sys.stderr.isatty():
            self._bar = click.progressbar(length=length, label=name.ljust(10), file=sys.stderr, show_pos=True)
            self._bar.render_progress()

    def progress(self, more: int) -> None:
        """Move it."""
        if self._bar is not None:
            self._bar.update(more)

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.render_finish()
            self._bar = None


def _show(found: Outcome, *, as_json: bool) -> None:
    if as_json:
        output.json_line(msgspec.to_builtins(found))
        return
    output.fields(
        {
            "readers": f"{found.readers}, connected in {found.connect_seconds:.2f} s",
            "connects": f"{found.connects_per_second:.0f}/s",
            "records": f"{found.published} of {found.due} due, {found.record_bytes} bytes each",
            "deliveries": f"{found.deliveries}, {found.deliveries_per_second:.0f}/s",
            "lag": _times(found.lag_ms),
            "append": _times(found.append_ms),
            "lost": str(found.lost),
            "repeated": str(found.repeated),
            "cuts": str(found.cuts),
            "generator": f"busiest process {found.generator.cpu:.0%} of a core, late {_times(found.generator.late)}",
        }
    )
    for warning in found.warnings:
        click.echo(click.style(warning, fg="yellow"), err=True)


def _times(times: Times) -> str:
    return f"p50 {times.p50:.2f} ms, p99 {times.p99:.2f} ms, p99.9 {times.p999:.2f} ms, max {times.max:.2f} ms"
