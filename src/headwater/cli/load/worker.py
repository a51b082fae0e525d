"""The entry of a run's processes: `python -m headwater.cli.load.worker`; orders come on stdin, words go to stdout."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import Any, Final

from headwater.cli.failures import Failure
from headwater.cli.load.hall import Hall
from headwater.cli.load.messages import Expect, Failed, Go, Publish, Read, Started, Word, line, order
from headwater.cli.load.publisher import Press

#: Files beside the readers' connections.
SPARE_FILES: Final = 64


def main() -> None:
    """Do what the first order says."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that drives the run closes stdin
    try:
        import uvloop
    except ModuleNotFoundError:
        asyncio.run(_main())
    else:
        uvloop.run(_main())


def _say(message: Word) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.buffer.write(line(message))
        sys.stdout.buffer.flush()


class _DriverIsGone(Exception):
    """Stdin has ended."""


async def _main() -> None:
    try:
        await _work(await _stdin())
    except Failure as failure:
        _say(Failed(failure.code, failure.detail, failure.advice, failure.exit_code))
    except _DriverIsGone:
        pass


async def _work(orders: asyncio.StreamReader) -> None:
    first = await _next(orders, Read | Publish)
    if isinstance(first, Read):
        allow_files(len(first.streams))
        hall = Hall(first, _say)
        _say(Started())
        await _next(orders, Go)
        expected = asyncio.ensure_future(_next(orders, Expect))
        try:
            _say(await hall.run(expected))
        finally:
            expected.cancel()
    else:
        press = Press(first.plan, _say)
        _say(Started())
        await _next(orders, Go)
        _say(await press.run())


async def _next(orders: asyncio.StreamReader, kind: Any) -> Any:
    raw = await orders.readline()
    if not raw:
        raise _DriverIsGone
    found = order.decode(raw)
    assert isinstance(found, kind)
    return found


async def _stdin() -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=1 << 24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


def allow_files(count: int) -> None:
    """As many open files as the readers need.

    Raises:
        Failure: that is more than this user may have.
    """
    if os.name == "nt":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = count + SPARE_FILES
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise Failure(
            "too-many-files",
            f"a process with {count} readers needs {needed} open files, and may have {hard}",
            "Give more --processes, or raise the limit with 'ulimit -n'.",
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


if __name__ == "__main__":
    main()
