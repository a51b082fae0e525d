"""What is known of Starlette's inside: how to find the server's own `send` below its wrappers."""

from __future__ import annotations

from typing import Final

from headwater.asgi.types import Send

#: Modules whose wrappers of `send` let body messages through untouched (Starlette 0.40 to 1.x).
_TRANSPARENT: Final = frozenset({"starlette.middleware.errors", "starlette._exception_handler"})
_DEPTH: Final = 16


def unwrap(send: Send) -> Send:
    """The server's own `send` below Starlette's and FastAPI's, which only note that the answer has begun.

    Middleware of others is left in place: it may change the body.
    """
    for _ in range(_DEPTH):
        if getattr(send, "__module__", None) not in _TRANSPARENT:
            break
        cells = dict(zip(send.__code__.co_freevars, send.__closure__ or (), strict=False))
        if "send" not in cells:
            break
        send = cells["send"].cell_contents
    return send
