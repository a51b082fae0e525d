"""`headwater tail` with several paths, or a pattern."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from headwater.cli import output
from headwater.cli.follow_many import ManyFollower
from headwater.cli.heard import shown_apart, shown_as_json
from headwater.cli.many_lines import Heard, RecordOf, ToldOfMany
from headwater.cli.notices import Notices
from headwater.cli.print_many import JsonPrinter, PlainPrinter
from headwater.cli.remote import Remote
from headwater.cli.starts import Starts
from headwater.client.retry import Retry


def tail_many(
    remote: Remote,
    starts: Starts,
    retry: Retry,
    *,
    as_json: bool,
    follow: bool,
    count: int | None,
    kinds: Sequence[str],
) -> int:
    """Print records of many streams until all have ended, `count` is reached, or, without following, at their tails.

    Args:
        remote: the server.
        starts: where each begins.
        retry: when to connect again.
        as_json: one object a record.
        follow: wait for what comes, and for streams that are not there.
        count: of records; None: all.
        kinds: what is shown beside records: `signals`, `presence`; and `envelope`, of records.

    Returns:
        the exit code.

    Raises:
        BrokenPipeError: nobody reads stdout any more; found out at the next heartbeat at the latest.
        HeadwaterError: the server refused, or patience is at its end.
    """
    follower = ManyFollower(remote, starts.by_name, retry, starts.cursor, kinds=kinds)
    notices = Notices(starts.by_name, waits=follow)
    printer = (JsonPrinter if as_json else PlainPrinter)(remote, starts.skips)
    show = shown_as_json if as_json else shown_apart
    left, shown = count, starts.cursor
    try:
        for step in follower.steps() if follow else follower.pages():
            left, shown = _show(step, printer, notices, left, show), follower.cursor
            if left == 0:
                break
    except KeyboardInterrupt:
        if shown is not None:
            output.note(f"stopped; go on with --from {shown}: what came in the last second may come again")
        raise
    finally:
        printer.end_line()
    return notices.exit_code


def _show(
    step: Iterable[ToldOfMany],
    printer: JsonPrinter,
    notices: Notices,
    left: int | None,
    show: Callable[[bytes], None],
) -> int | None:
    parts: list[bytes] = []
    for item in step:
        if isinstance(item, RecordOf):
            if left == 0:
                break
            if data := printer.form(item):
                parts.append(data)
                left = None if left is None else left - 1
        elif isinstance(item, Heard):
            if parts:
                output.write(b"".join(parts))
                parts.clear()
            show(item.line)
        else:
            printer.hear(item)
            notices.tell(item)
    if parts:
        output.write(b"".join(parts))
    elif output.stdout_is_gone():
        raise BrokenPipeError
    return left
