"""A request body of which a part is missing: collected within the limits of its size, and counted meanwhile."""

from __future__ import annotations

from headwater.errors import HeadwaterError
from headwater.http.bodies import too_large, too_late, too_many
from headwater.http.exchange import BodyDone
from headwater.http.service import Service
from headwater.server.inbound import Inbound


class BodyReader:
    """Collects one body.

    Args:
        inbound: from which it comes.
        service: whose limits hold.
        host: whose it is; None: not known.
        done: called once, with all of it or with why not.
    """

    __slots__ = ("_buffer", "_counted", "_done", "_inbound", "_service")

    def __init__(self, inbound: Inbound, service: Service, host: str | None, done: BodyDone) -> None:
        self._inbound = inbound
        self._service = service
        self._buffer = bytearray()
        self._done: BodyDone | None = done
        self._counted = service.intake.begin(host, self._too_many)

    def take(self, part: bytes) -> None:
        """A part has come; perhaps the last."""
        self._buffer += part
        if len(self._buffer) > self._service.limits.max_body_bytes:
            self._end(too_large(self._service.limits, None))
        elif self._inbound.is_whole:
            self._end(bytes(self._buffer))
        else:
            self._service.intake.arrived(self._counted, len(part))

    def more(self) -> None:
        """Something has come."""
        try:
            part = self._inbound.body()
        except HeadwaterError as error:
            self._end(error)
        else:
            self.take(part)

    def late(self) -> None:
        """It has taken too long."""
        self._end(too_late(self._service.limits))

    def forget(self) -> None:
        """Nobody waits for it any more."""
        self._done = None
        self._buffer = bytearray()
        self._service.intake.end(self._counted)

    def _too_many(self) -> None:
        self._end(too_many(self._service.intake))

    def _end(self, outcome: bytes | HeadwaterError) -> None:
        done = self._done
        self.forget()
        if done is not None:
            done(outcome)
