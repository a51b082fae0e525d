"""An HTTP/2 client that says itself when it takes data, stream by stream; no library for clients lets one do that."""

from __future__ import annotations

import contextlib
import socket
from collections import defaultdict
from collections.abc import Callable
from typing import Self

import h2.config
import h2.connection
import h2.events
import h2.exceptions
from tests.proxies.fronts import HOST, Certificates

#: Bytes that a stream may send ahead of its reader.
WINDOW = 8 * 1024 * 1024


class RawClient:
    """One connection of HTTP/2 over TLS (RFC 9113).

    A stream that is read has a window of 8 MiB, as in browsers. A stalled one has the initial 65,535 bytes and is given
    no more. The connection has room for all, so a stalled stream takes nothing from the others.

    Attributes:
        received: the body of each stream so far.
        status: the status of each answer.
        stalled: streams that are given no more window.
        ended: streams that were ended by the other side, with the error code, 0 for a proper end.
    """

    def __init__(self, port: int, certificates: Certificates) -> None:
        raw = socket.create_connection(("127.0.0.1", port), timeout=30)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = certificates.trusted("h2").wrap_socket(raw, server_hostname=HOST)
        assert self._socket.selected_alpn_protocol() == "h2"
        self._authority = f"{HOST}:{port}"
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration())
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(2 * WINDOW)
        self.received: dict[int, bytearray] = defaultdict(bytearray)
        self.status: dict[int, int] = {}
        self.stalled: set[int] = set()
        self.ended: dict[int, int] = {}
        self._taken: dict[int, int] = defaultdict(int)
        self._flush()

    def get(self, path: str, headers: dict[str, str], *, stalled: bool = False) -> int:
        """Begin a GET; gives the stream."""
        stream = self._h2.get_next_available_stream_id()
        head = {":method": "GET", ":scheme": "https", ":authority": self._authority, ":path": path}
        self._h2.send_headers(stream, [*head.items(), *headers.items()], end_stream=True)
        if stalled:
            self.stalled.add(stream)
        else:
            self._h2.increment_flow_control_window(WINDOW, stream)
        self._flush()
        return stream

    def reset(self, stream: int) -> None:
        """Take no more of a stream (RST_STREAM with CANCEL), as a browser does when a page closes its reader."""
        self._h2.reset_stream(stream, 8)
        self._flush()

    def release(self, stream: int) -> None:
        """Read a stalled stream from now on."""
        self.stalled.discard(stream)
        self._h2.increment_flow_control_window(WINDOW, stream)
        self._flush()

    def until(self, condition: Callable[[], bool]) -> None:
        """Receive until something holds.

        Raises:
            TimeoutError: nothing came for 30 s.
        """
        while not condition():
            data = self._socket.recv(256 * 1024)
            assert data, "the connection was closed"
            for event in self._h2.receive_data(data):
                self._take(event)
            self._flush()

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.ResponseReceived():
                self.status[event.stream_id] = int(dict(event.headers)[b":status"])
            case h2.events.DataReceived():
                self.received[event.stream_id] += event.data
                self._give_back(event.flow_controlled_length, event.stream_id)
            case h2.events.StreamEnded():
                self.ended[event.stream_id] = 0
            case h2.events.StreamReset():
                self.ended[event.stream_id] = int(event.error_code)

    def _give_back(self, size: int, stream: int) -> None:
        """Return windows half a window at a time: an update for each frame makes small frames, and those are slow."""
        for number in (0, stream):
            self._taken[number] += size
            if self._taken[number] >= WINDOW // 2 and number not in self.stalled:
                # What was received with this may have ended the stream already.
                with contextlib.suppress(h2.exceptions.StreamClosedError):
                    self._h2.increment_flow_control_window(self._taken.pop(number), number or None)

    def _flush(self) -> None:
        if out := self._h2.data_to_send():
            self._socket.sendall(out)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection without a word."""
        self._socket.close()
