"""What the head of a write decides by itself: the refusals for which no body need come.

Rule: these are refusals that no body could change, in the words of the ledger. What they let through is decided by the
      ledger when the body is there, and the stream may be another one by then.
"""

from __future__ import annotations

from headwater.errors import ContentTypeMismatch
from headwater.model import StreamConfig, StreamInfo
from headwater.protocol import ledger
from headwater.protocol.framing import DEFAULT_CONTENT_TYPE, same_content_type
from headwater.protocol.preconditions import Condition
from headwater.protocol.recreate import check_same
from headwater.protocol.slow import check_slow


def check_append(info: StreamInfo, content_type: str | None, condition: Condition | None = None) -> None:
    """Refuse an append that is no producer's retry.

    Args:
        info: the stream's state.
        content_type: of the body.
        condition: of the request.

    Raises:
        StreamClosed, ContentTypeMismatch, PreconditionFailed: as `ledger.append`.
    """
    if info.closed:
        raise ledger.stream_closed(info.path, info.failure, info.tail)
    ledger.check_type(info.content_type, content_type)
    if condition is not None:
        condition.check(info.path, info.tail)


def check_create(
    path: str,
    config: StreamConfig,
    there: StreamInfo | None,
    source: StreamInfo | None,
    *,
    closed: bool,
    condition: Condition | None,
) -> None:
    """Refuse a create.

    Args:
        path: of the stream.
        config: asked for.
        there: the stream at the path; None: none.
        source: that to be forked; None: it is no fork, or `there` is one.
        closed: asked for.
        condition: of the request.

    Raises:
        StreamExists, ContentTypeMismatch, BadRequest, PreconditionFailed: as `Store.create`.
    """
    if there is not None:
        check_same(there, config, closed=closed)
    elif source is not None:
        if config.content_type is not None and not same_content_type(config.content_type, source.content_type):
            raise ContentTypeMismatch(f"the source is {source.content_type}, the fork {config.content_type}")
        check_slow(config.slow, source.content_type)
    else:
        check_slow(config.slow, config.content_type or DEFAULT_CONTENT_TYPE)
    if condition is not None:
        condition.check(path, None if there is None else there.tail)
