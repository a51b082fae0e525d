"""What is known of hypercorn's inside: backpressure of HTTP/2, which its `send` has not, and its way to stop.

hypercorn (0.17 to 0.18) keeps what a stream's window does not take in a buffer of that stream. Its `send` is meant to
wait while that is full, but its sending task, finding no window, says at once that there is room: a client that opens a
stream and gives it no window gets the whole log into the server's memory. So the sink waits here until the buffer
is empty. Such an answer is also never cut by hypercorn when the application ends it early; it is reset here.

What is needed is checked on each request: `send` is the bound method of a stream with `stream_id`, whose own `send` is
bound to a protocol with `stream_buffers`. Middleware that wraps `send`, but for Starlette's own, hides it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from headwater.asgi.types import Send
from headwater.hub.live.runtime import Runtime

_PROTOCOL: Final = ("connection", "stream_buffers", "_flush", "_window_updated")

#: INTERNAL_ERROR (RFC 9113 section 7): a browser's EventSource comes back after it.
_CUT: Final = 2


class StreamFlow:
    """One HTTP/2 stream of hypercorn; made by `flow_of`."""

    def __init__(self, protocol: Any, stream_id: int, runtime: Runtime) -> None:
        self._protocol = protocol
        self._stream_id = stream_id
        self._buffer_bytes = runtime.limits.buffer_bytes

    def held(self) -> int:
        """Bytes that the stream's window has not taken."""
        buffer = self._protocol.stream_buffers.get(self._stream_id)
        return 0 if buffer is None else len(buffer.buffer)

    async def drained(self) -> None:
        """Wait until a stream that holds `buffer_bytes` or more is empty."""
        if self.held() >= self._buffer_bytes:
            await self._protocol.stream_buffers[self._stream_id].drain()

    async def cut(self) -> None:
        """End the stream with an error, and free what it holds."""
        if self._stream_id in self._protocol.stream_buffers and not self._protocol.closed:
            self._protocol.connection.reset_stream(self._stream_id, _CUT)
            await self._protocol._flush()
            await self._protocol._window_updated(self._stream_id)


def flow_of(send: Send, runtime: Runtime) -> StreamFlow | None:
    """The stream behind a `send` of hypercorn in HTTP/2, unwrapped; None: it is none, and waits by itself.

    Args:
        send: of the request.
        runtime: of its limits `buffer_bytes` counts.
    """
    stream = getattr(send, "__self__", None)
    stream_id = getattr(stream, "stream_id", None)
    protocol = getattr(getattr(stream, "send", None), "__self__", None)
    if not isinstance(stream_id, int) or not all(hasattr(protocol, name) for name in _PROTOCOL):
        return None
    return StreamFlow(protocol, stream_id, runtime)


def hypercorn_stops(send: Send) -> Callable[[], Awaitable[None]] | None:
    """What waits until the hypercorn behind a `send`, unwrapped, is asked to stop; None: it is another server.

    It tells an application of a stop only when it has cut what `graceful_timeout` did not end, 3 s by default: an event
    stream that knows nothing of the stop would be cut, and a WebSocket closed with 1011.
    """
    context = getattr(getattr(send, "__self__", None), "context", None)
    wait: Callable[[], Awaitable[None]] | None = getattr(getattr(context, "terminated", None), "wait", None)
    return wait


def hypercorn_transport(send: Send) -> asyncio.WriteTransport | None:
    """The transport behind a `send` of hypercorn in HTTP/1, unwrapped; None: it is none, or of HTTP/2.

    Args:
        send: of the request.
    """
    stream = getattr(send, "__self__", None)
    protocol = getattr(getattr(stream, "send", None), "__self__", None)
    server = getattr(getattr(protocol, "send", None), "__self__", None)
    if getattr(stream, "stream_id", None) is None or hasattr(protocol, "stream_buffers"):
        return None
    transport: asyncio.WriteTransport | None = getattr(getattr(server, "writer", None), "transport", None)
    return transport
