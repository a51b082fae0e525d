"""`headwater tail`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click

from headwater.cli.follow import Follower
from headwater.cli.follow_socket import SocketFollower, check_installed
from headwater.cli.options import below, json_option, parse_name, with_remote
from headwater.cli.paragraphs import Paragraphs
from headwater.cli.remote import Remote
from headwater.cli.starts import starts_from, starts_of_last
from headwater.cli.tail_many import tail_many
from headwater.cli.tail_one import tail_one
from headwater.errors import InvalidOffset
from headwater.model import BEGINNING
from headwater.protocol.offsets import check_offset
from headwater.protocol.patterns import is_pattern


@click.command(cls=Paragraphs)
@click.argument("paths", nargs=-1, required=True, callback=below(parse_name), metavar="PATH...")
@click.option(
    "--from",
    "offset",
    metavar="OFFSET",
    help="Where to begin: an offset, -1 for the start, now for what comes next; of several streams -1, now, or the "
    "cursor that an interrupted `tail` told.  [default: -1]",
)
@click.option(
    "-n",
    "--last",
    type=click.IntRange(min=0),
    metavar="N",
    help="Begin with the last N records of a stream of JSON, MessagePack or Protobuf, or the last N lines of any other "
    "one. Of what a pattern matches, with the last N records (at most 1000) of such streams; others are left out.",
)
@json_option(
    "One JSON object a record, with its offset and data (base64, if it is bytes); of several streams, its stream, too."
)
@click.option(
    "--envelope",
    is_flag=True,
    help="As --json, with `at`, when each record was appended, in seconds since 1970, and `by`, who appended it, as "
    "far as the server knows.",
)
@click.option("--sse", is_flag=True, help="Read an event stream instead of NDJSON.")
@click.option(
    "--wire",
    type=click.Choice(["ndjson", "sse", "websocket"]),
    help="How to read: `websocket` acknowledges what it has printed.  [default: ndjson]",
)
@click.option("--compressed", is_flag=True, help="Ask for a compressed answer; without it the server sends none.")
@click.option("--signals", is_flag=True, help="Show signals, too: on stderr, or with --json on stdout.")
@click.option(
    "--presence",
    is_flag=True,
    help="Show who is there, who comes, changes and leaves, too: on stderr, or with --json on stdout.",
)
@click.option("--no-follow", is_flag=True, help="Stop at the tail.")
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="Stop after so many records.")
@click.option(
    "--retry-for",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="How long to try again when the server is lost.  [default: for ever]",
)
@with_remote
def tail(
    remote: Remote,
    paths: tuple[str, ...],
    offset: str | None,
    last: int | None,
    as_json: bool,
    envelope: bool,
    sse: bool,
    wire: str | None,
    compressed: bool,
    signals: bool,
    presence: bool,
    no_follow: bool,
    count: int | None,
    retry_for: float | None,
) -> None:
    r"""Print the records of streams, and follow them until they are closed.

    A record of a JSON stream is printed on one line, and so is one of MessagePack, as JSON where it can be. Text and
    other bytes are printed as they are, messages of Protobuf with their lengths where the stream has them so. After a
    cut it goes on by itself where it was; nothing is lost or repeated.

    Several paths, and patterns, are read over one connection: in a pattern `*` stands for one segment of a path, and
    `**` for one or more, at the end. `==> PATH <==` is printed above the records of another stream. A path that is no
    stream yet is waited for, and what matches later comes from its start. What goes wrong with one is told on stderr
    and ends no other; the exit code is that of the first error. It ends when all are closed, with a pattern never.

    Examples:
      headwater tail jobs/7 jobs/8 'rooms/*'
      headwater tail jobs/7 --from now --json | jq .data
      headwater tail rooms/7 --from now --signals --presence
      headwater tail log -n 20
      headwater tail log --no-follow > log.txt
    """
    kinds = [*["signals"] * signals, *["presence"] * presence, *["envelope"] * envelope]
    as_json |= envelope
    sse = _check_wire(wire, paths, sse=sse, compressed=compressed)
    _check_no_follow(no_follow, sse=sse, kinds=kinds)
    _check_beginning(offset, last)
    retry = remote.patience(retry_for)
    if len(paths) > 1 or is_pattern(paths[0]):
        _check_several(paths, sse=sse, compressed=compressed)
        starts = starts_from(paths, offset) if last is None else starts_of_last(remote, retry, paths, last)
        code = tail_many(remote, starts, retry, as_json=as_json, follow=not no_follow, count=count, kinds=kinds)
        click.get_current_context().exit(code)
    _check_offset(offset)
    tail_one(
        remote,
        paths[0],
        retry,
        offset,
        last,
        "sse" if sse else "ndjson",
        as_json=as_json,
        compressed=compressed,
        follow=not no_follow,
        count=count,
        kinds=kinds,
        follower=SocketFollower if wire == "websocket" else Follower,
    )


def _check_beginning(offset: str | None, last: int | None) -> None:
    if last is not None and offset is not None:
        raise click.UsageError("give --from or --last: each says where to begin.")


def _check_no_follow(no_follow: bool, *, sse: bool, kinds: Sequence[str]) -> None:
    if not no_follow:
        return
    if sse:
        raise click.UsageError("--sse only follows: an event stream does not say where the tail is.")
    if kinds and kinds[0] != "envelope":
        raise click.UsageError(f"--{kinds[0]} only follows: {kinds[0]} is not stored, so that there is none to read.")


def _check_wire(wire: str | None, paths: Sequence[str], *, sse: bool, compressed: bool) -> bool:
    """Whether it is an event stream."""
    if sse and wire not in (None, "sse"):
        raise click.UsageError(f"give --sse or --wire {wire}.")
    if wire == "websocket":
        _check_socket(paths, compressed=compressed)
    return sse or wire == "sse"


def _check_socket(paths: Sequence[str], *, compressed: bool) -> None:
    if len(paths) > 1 or is_pattern(paths[0]):
        raise click.UsageError("--wire websocket is for one stream.")
    if compressed:
        raise click.UsageError("--compressed is not for --wire websocket: messages come as they are.")
    check_installed()


def _check_several(paths: Sequence[str], *, sse: bool, compressed: bool) -> None:
    if sse or compressed:
        raise click.UsageError("--sse and --compressed are for one stream: many come in NDJSON, as they are.")
    if twice := [path for path, times in Counter(paths).items() if times > 1]:
        raise click.UsageError(f"{twice[0]} is given twice.")


def _check_offset(offset: str | None) -> None:
    try:
        check_offset(BEGINNING if offset is None else offset)
    except InvalidOffset as error:
        raise click.BadParameter(f"{error.message}. {error.advice}", param_hint="'--from'") from None
