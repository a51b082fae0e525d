"""Access that ends while a connection lives: it is asked about again, and has an answer in time or none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Final

from headwater.errors import NotAuthorized
from headwater.protocol.access.identity import Access

#: Seconds in which the application says whether what goes on still may: meanwhile it does.
ANSWER: Final = 10.0


async def in_time(found: Awaitable[Access]) -> Access:
    """An access that is granted soon, or never.

    Raises:
        NotAuthorized: the application took too long.
        What `found` raises.
    """
    deadline = asyncio.timeout(ANSWER)
    try:
        async with deadline:
            return await found
    except TimeoutError:
        if not deadline.expired():
            raise
        raise NotAuthorized(f"the application did not say within {ANSWER:g} s whether this is still allowed") from None
