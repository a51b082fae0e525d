"""What a server is told of a start that failed.

Rule: it is told in ASGI's own way, and every server (uvicorn, hypercorn, granian) logs what it is told, so nothing else
      does. One that gets an exception instead may go on without the lifespan.
"""

from __future__ import annotations

import traceback

from headwater.asgi.types import Message
from headwater.errors import HeadwaterError


def startup_failed(what: str, error: Exception) -> Message:
    """The event `lifespan.startup.failed`: what cannot be opened, and why; of a bug, the traceback.

    Args:
        what: for people: `the hub`.
        error: as raised.
    """
    reason = str(error) if isinstance(error, HeadwaterError) else "".join(traceback.format_exception(error))
    return {"type": "lifespan.startup.failed", "message": f"{what} cannot be opened: {reason}"}
