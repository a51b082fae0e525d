"""An idempotent producer over HTTP: what is sent again after a cut is stored once (protocol section 5.2.1)."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from headwater.cli.patience import Patience
from headwater.cli.remote import Remote, header
from headwater.protocol import names
from headwater.protocol.framing import is_json, join_records


class Writer:
    """Appends to one stream, one request after the other.

    Args:
        remote: the server.
        path: the stream.
        content_type: sent with every body.
        patience: when to send again.

    Attributes:
        tail: the stream's tail after the last append; None: nothing was sent.
    """

    def __init__(self, remote: Remote, path: str, content_type: str, patience: Patience) -> None:
        self.tail: str | None = None
        self._remote = remote
        self._path = path
        self._content_type = content_type
        self._patience = patience
        self._id: Final = f"headwater-cli-{uuid4().hex}".encode()
        self._seq = 0

    def send(self, records: list[bytes], *, close: bool = False) -> None:
        """Append records, and close the stream with the last of them.

        Records of a JSON stream go in one request; elsewhere a request is a record.

        Raises:
            Failure: the server refused, or cannot be reached any more.
        """
        bodies = self._bodies(records)
        for body in bodies[:-1]:
            self._post(body)
        if bodies or close:
            self._post(bodies[-1] if bodies else b"", close=close)

    def _bodies(self, records: list[bytes]) -> list[bytes]:
        if is_json(self._content_type):
            return [join_records(self._content_type, records)] if records else []
        return records

    def _post(self, body: bytes, *, close: bool = False) -> None:
        headers = {
            names.CONTENT_TYPE: self._content_type.encode(),
            names.PRODUCER_ID: self._id,
            names.PRODUCER_EPOCH: b"0",
            names.PRODUCER_SEQ: b"%d" % self._seq,
        }
        if close:
            headers[names.STREAM_CLOSED] = b"true"
        answer = self._patience.ask(lambda: self._remote.request("POST", self._path, headers, body))
        self._seq += 1
        self.tail = header(answer, names.STREAM_NEXT_OFFSET)
