"""Whether a create of a stream that is there confirms it (protocol section 5.1)."""

from __future__ import annotations

from headwater.errors import StreamExists
from headwater.model import Expiry, StreamConfig
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
    mine, fork = state.config, config.fork
    default = DEFAULT_CONTENT_TYPE if fork is None else state.content_type
    differing = [
        name
        for name, differs in (
            ("content type", not same_content_type(config.content_type or default, state.content_type)),
            ("expiry", not _same_expiry(config.expiry, mine.expiry, forked=fork is not None)),
            ("retention", config.retention != mine.retention),
            ("policy for slow readers", config.slow != mine.slow),
            ("closure", closed != state.closed),
            ("fork source", (fork and fork.source) != (mine.fork and mine.fork.source)),
            ("fork point", fork_position is not None and fork_position != state.fork_position),
        )
        if differs
    ]
    if differing:
        raise StreamExists(f"the stream at {state.path!r} differs in its {', '.join(differing)}")


def _same_expiry(asked: Expiry, have: Expiry, *, forked: bool) -> bool:
    return (forked and asked == Expiry()) or (asked.ttl == have.ttl and asked.at == have.at)
