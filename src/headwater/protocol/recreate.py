"""Whether a create of a stream that is there confirms it (protocol section 5.1)."""

from __future__ import annotations

from headwater.errors import StreamExists
from headwater.model import Expiry, StreamConfig, StreamInfo
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE, same_content_type
from headwater.protocol.ledger import StreamState


def check_recreate(state: StreamState, config: StreamConfig, *, closed: bool, fork_position: int | None) -> None:
    """Accept a create at a path in use, if its configuration is the stream's (protocol section 5.1).

    Args:
        state: the stream at the path.
        config: the new request's configuration.
        closed: the request asks for a closed stream.
        fork_position: where the request's fork point resolves to now; None: not given, or the source is gone.

    Raises:
        StreamExists: something differs.
    """
    differing = _differing(state.info(), config, closed=closed)
    if fork_position is not None and fork_position != state.fork_position:
        differing.append("fork point")
    _refuse(state.path, differing)


def path_held(path: str) -> StreamExists:
    """The refusal of a create where a deleted stream is, for the caller to raise."""
    return StreamExists(f"the path {path!r} is held by a deleted stream until its last fork is deleted")


def check_same(info: StreamInfo, config: StreamConfig, *, closed: bool) -> None:
    """The same as far as it is known without the records: where a fork point lies is not.

    Raises:
        StreamExists: something differs.
    """
    _refuse(info.path, _differing(info, config, closed=closed))


def _differing(mine: StreamInfo, config: StreamConfig, *, closed: bool) -> list[str]:
    fork = config.fork
    default = DEFAULT_CONTENT_TYPE if fork is None else mine.content_type
    return [
        name
        for name, differs in (
            ("content type", not same_content_type(config.content_type or default, mine.content_type)),
            ("expiry", not _same_expiry(config.expiry, mine.expiry, forked=fork is not None)),
            ("retention", config.retention != mine.retention),
            ("policy for slow readers", config.slow != mine.slow),
            ("closure", closed != mine.closed),
            ("fork source", (fork and fork.source) != mine.forked_from),
        )
        if differs
    ]


def _refuse(path: str, differing: list[str]) -> None:
    if differing:
        raise StreamExists(f"the stream at {path!r} differs in its {', '.join(differing)}")


def _same_expiry(asked: Expiry, have: Expiry, *, forked: bool) -> bool:
    return (forked and asked == Expiry()) or (asked.ttl == have.ttl and asked.at == have.at)
