"""Problems and close codes of a connection as the errors of the one table. No I/O."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from headwater.client.errors import BadAnswer, NetworkError
from headwater.client.problems import problem_of
from headwater.errors import HeadwaterError
from headwater.protocol.websocket import messages as m

#: Codes after which to come back changes nothing: 44xx is the status 4xx.
_TERMINAL: Final = frozenset({4400, 4401, 4403, 4404, 4405, 4406, 4410, 4415})
_OURS: Final = range(4400, 4600)
#: Of what is not of the protocol: frames, kinds, text that is no UTF-8, sizes.
_BROKEN: Final = frozenset({1002, 1003, 1007, 1009})
_WORD: Final = re.compile(r"[a-z][a-z-]*")


def problem_body(message: m.Problem) -> bytes:
    """An `err` as the body that the same error has over HTTP."""
    told = {"code": message.code, "status": message.status, "detail": message.detail, "advice": message.advice}
    return msgspec.json.encode({**message.facts, **told})


def error_of_close(code: int | None, reason: str) -> HeadwaterError:
    """Why a connection ended, by its close code, whose reason begins with the code of the error; None: it was cut."""
    if code is None or code not in _OURS:
        told = "the connection was cut" if code is None else f"the connection was closed: {code} {reason}".rstrip()
        return (BadAnswer if code in _BROKEN else NetworkError)(told)
    word = _WORD.match(reason)
    detail = reason or f"the server closed the connection: {code}"
    body = msgspec.json.encode({"code": word[0] if word else "", "detail": detail})
    error = problem_of(code - 4000, body)
    error.retry_after = None if code in _TERMINAL else error.retry_after or 0
    return error
