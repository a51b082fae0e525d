"""What is said of a request body that is too large, too late, or one of too many. The connection closes behind it."""

from __future__ import annotations

from headwater.errors import RequestTimeout, TooLarge, TooManyBodies
from headwater.hub import Limits
from headwater.hub.intake import Intake
from headwater.protocol.http1 import unread


def too_large(limits: Limits, size: int | None) -> TooLarge:
    """The refusal of a body over `max_body_bytes`.

    Args:
        limits: of the service.
        size: as its head declares it; None: it has no length.
    """
    found = "is too large" if size is None else f"has {size} bytes"
    return unread(TooLarge(f"the body {found}, the limit is max_body_bytes={limits.max_body_bytes}"))


def too_late(limits: Limits) -> RequestTimeout:
    """The refusal of a body that takes longer than `body_seconds`."""
    return unread(RequestTimeout(f"the body did not arrive within body_seconds={limits.body_seconds:g}"))


def too_many(intake: Intake) -> TooManyBodies:
    """The refusal of a body that has to go."""
    return unread(
        TooManyBodies(
            f"unfinished bodies have more than their share of max_inflight_bytes={intake.budget}; this one is the "
            "slowest"
        )
    )
