"""An idempotent producer over HTTP: what is sent again after a cut is stored once (protocol section 5.2.1).

Rule: requests carry consecutive numbers, and the server takes a number only behind the one before. So several may be
under way: when one is refused or lost, all behind it are refused too, and are sent again in their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import uuid4

from headwater.cli.failures import Failure
from headwater.cli.patience import Patience
from headwater.cli.pipeline import MAX_BYTES, MAX_REQUESTS, Pipeline
from headwater.cli.remote import Remote, header
from headwater.errors import StreamExists
from headwater.protocol import names
from headwater.protocol.framing import is_json, is_msgpack, join_records

#: Values of one request, which every server takes.
MAX_VALUES: Final = 1000
#: Requests that are sent one by one after a connection with several was cut.
CAREFUL: Final = 100
_SUCCESS: Final = (200, 201, 204)
_NEXT_OFFSET: Final = names.STREAM_NEXT_OFFSET.decode()


class Writer:
    """Appends to one stream, in the order of the records.

    Args:
        remote: the server.
        path: the stream.
        content_type: sent with every body.
        patience: when to send again.
        create: with which headers the first request creates the stream, if it is not there; None: it does not.

    Attributes:
        tail: the stream's tail after the last append; None: nothing was sent.
    """

    def __init__(
        self,
        remote: Remote,
        path: str,
        content_type: str,
        patience: Patience,
        create: Mapping[bytes, bytes] | None = None,
    ) -> None:
        self.tail: str | None = None
        self._remote = remote
        self._path = path
        self._content_type = content_type
        self._patience = patience
        self._id: Final = f"headwater-cli-{uuid4().hex}".encode()
        self._seq = 0
        self._pipeline: Final = remote.pipeline()
        self._config: Final = create
        self._careful = 0

    def send(self, records: list[bytes], *, close: bool = False) -> None:
        """Append records, and close the stream with the last of them.

        Records of a stream of JSON or MessagePack go in one request. Elsewhere a request is a record, and many are
        under way at once.

        Raises:
            Failure: the server refused, or cannot be reached any more.
        """
        bodies = self._bodies(records)
        last = bodies.pop() if close and bodies else b""
        at = 0
        while at < len(bodies):
            window = _window(bodies, at)
            if len(window) > 1 and self._pipeline is not None and not self._careful:
                at += self._post_many(self._pipeline, window)
                continue
            self._post(bodies[at])
            self._careful = max(0, self._careful - 1)
            at += 1
        if close:
            self._post(last, close=True)

    def create_empty(self) -> None:
        """Create the stream without a record, or find it there, with whatever configuration.

        Raises:
            Failure: the server refused, or cannot be reached any more.
        """
        headers = {names.CONTENT_TYPE: self._content_type.encode(), **(self._config or {})}
        try:
            self._patience.ask(lambda: self._remote.request("PUT", self._path, headers))
        except Failure as failure:
            if failure.code != StreamExists.code:
                raise

    def _bodies(self, records: list[bytes]) -> list[bytes]:
        if is_json(self._content_type) or is_msgpack(self._content_type):
            groups = [records[start : start + MAX_VALUES] for start in range(0, len(records), MAX_VALUES)]
            return [join_records(self._content_type, group) for group in groups]
        return list(records)

    def _post_many(self, pipeline: Pipeline, bodies: list[bytes]) -> int:
        """Send several requests at once; gives how many were acknowledged, before the first that was not."""
        requests = [(self._headers(self._seq + number), body) for number, body in enumerate(bodies)]
        done = 0
        try:
            for answer in pipeline.post(self._remote.path_of(self._path), requests):
                if answer.status not in _SUCCESS:
                    break
                done += 1
                self._acknowledged(answer.headers.get(_NEXT_OFFSET))
        except (OSError, Failure):
            pass  # said by the request that is sent next, if it still is so
        if done < len(bodies):
            pipeline.close()
            self._careful = CAREFUL
        return done

    def _headers(self, seq: int) -> dict[bytes, bytes]:
        creating = {} if self._config is None or seq else {names.STREAM_CREATE: b"true", **self._config}
        return {
            **creating,
            names.CONTENT_TYPE: self._content_type.encode(),
            names.PRODUCER_ID: self._id,
            names.PRODUCER_EPOCH: b"0",
            names.PRODUCER_SEQ: b"%d" % seq,
        }

    def _acknowledged(self, tail: str | None) -> None:
        self._patience.worked()
        self._seq += 1
        self.tail = tail

    def _post(self, body: bytes, *, close: bool = False) -> None:
        headers = self._headers(self._seq)
        if close:
            headers[names.STREAM_CLOSED] = b"true"
        answer = self._patience.ask(lambda: self._remote.request("POST", self._path, headers, body))
        self._acknowledged(header(answer, names.STREAM_NEXT_OFFSET))


def _window(bodies: list[bytes], start: int) -> list[bytes]:
    """Bodies that may be under way at once: one in any case."""
    end, size = start, 0
    while end < len(bodies) and end - start < MAX_REQUESTS and (end == start or size + len(bodies[end]) <= MAX_BYTES):
        size += len(bodies[end])
        end += 1
    return bodies[start:end]
