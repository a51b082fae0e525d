"""Streams that end before they are complete: the failure's limits, and its two headers.

Rule: a failed stream is closed, so whoever knows only `Stream-Closed` still stops; whoever asks is told that it is not
complete, in every format.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote

from headwater.errors import BadRequest
from headwater.model import Failure
from headwater.protocol import names

#: Characters of a failure's message.
MAX_MESSAGE: Final = 1000

_CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
# What a header value may carry as it is; percent itself is encoded (as in gRPC's `grpc-message`).
_SAFE: Final = " !\"#$&'()*+,/:;<=>?@[\\]^`{|}"


def check_failure(failure: Failure) -> Failure:
    """The failure, if it keeps the limits.

    Raises:
        BadRequest: the code or the message does not.
    """
    if not _CODE.fullmatch(failure.code):
        raise BadRequest("a failure's code has 1 to 64 lower-case letters, digits and hyphens, no hyphen first")
    if len(failure.message) > MAX_MESSAGE or not failure.message.isprintable():
        raise BadRequest(f"a failure's message has at most {MAX_MESSAGE} printable characters, in one line")
    return failure


def parse_failure(code: str | None, message: str | None) -> Failure | None:
    """The failure of a request's `Stream-Failure` and `Stream-Failure-Message`; None: neither is there.

    Raises:
        BadRequest: see `check_failure`; or a message without a code, or one that is not percent-encoded UTF-8.
    """
    if code is None:
        if message is not None:
            raise BadRequest("Stream-Failure-Message needs Stream-Failure")
        return None
    try:
        return check_failure(Failure(code, unquote(message or "", errors="strict")))
    except UnicodeDecodeError:
        raise BadRequest("Stream-Failure-Message is not percent-encoded UTF-8") from None


def failure_headers(failure: Failure | None) -> list[tuple[bytes, bytes]]:
    """The headers that tell of a failure; none without one, and no message header without a message."""
    if failure is None:
        return []
    headers = [(names.STREAM_FAILURE, failure.code.encode())]
    if failure.message:
        headers.append((names.STREAM_FAILURE_MESSAGE, quote(failure.message, safe=_SAFE).encode()))
    return headers
