"""A principal for tests of applications: `Hub(access=as_principal("u42", read=["**"]))`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from headwater.http.access.application import AccessRequest
from headwater.protocol.access.identity import Access


def as_principal(subject: str, **grants: Any) -> Callable[[AccessRequest], Access]:
    """A function for `Hub(access=...)` by which every request is somebody's.

    Args:
        subject: whose.
        **grants: see `Access`.
    """
    access = Access(subject, **grants)
    return lambda request: access
