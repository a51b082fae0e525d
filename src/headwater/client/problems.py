"""Responses that are errors, and problems inside a stream, as exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import msgspec

from headwater import errors
from headwater.errors import HeadwaterError

#: Statuses of a server, or of a proxy before it, after which the same request may succeed.
PASSING: Final = frozenset({408, 425, 429})
_CONTROL: Final = {*range(32), 127, *range(128, 160)}
#: Of answers that do not say their code: those to HEAD, of other servers of the protocol, of proxies.
_OF_STATUS: Final[dict[int, type[HeadwaterError]]] = {
    400: errors.BadRequest,
    401: errors.NotAuthorized,
    403: errors.Refused,
    404: errors.StreamNotFound,
    405: errors.MethodNotAllowed,
    406: errors.NotAcceptable,
    408: errors.RequestTimeout,
    409: errors.Conflict,
    410: errors.Gone,
    412: errors.PreconditionFailed,
    413: errors.TooLarge,
    415: errors.UnsupportedCoding,
    429: errors.LimitReached,
    503: errors.Unavailable,
}
_known: Final[dict[str, type[HeadwaterError]]] = {}


class _Problem(msgspec.Struct):
    code: str = ""
    detail: str = ""
    title: str = ""
    advice: str = ""
    status: int = 0


def problem_of(
    status: int, body: bytes, retry_after: float | None = None, facts: Mapping[str, str] = {}, *, code: str = ""
) -> HeadwaterError:
    """An answer that is an error, as an exception of its class; one that is not known has the code it came with.

    Args:
        status: of the answer; 0: it came inside a stream, and says its own.
        body: a JSON problem; anything else is told by the status alone.
        retry_after: seconds that the server asked to wait.
        facts: further ones, of headers.
        code: of the error, if the body has none.
    """
    found = _decode(body)
    status = status or found.status
    kind = _class_of(found.code or code or f"http-{status}", status, found.advice)
    error = kind(_one_line(found.detail or found.title) or _bare(kind, status, is_other=bool(body)))
    error.details.update(_facts(body))
    error.details.update(facts)
    passes = status in PASSING or status >= 500
    error.retry_after = (retry_after or 0) if passes else None
    return error


def told_problem(body: bytes) -> HeadwaterError:
    """A problem that came inside a stream; see `problem_of`."""
    return problem_of(0, body)


def _decode(body: bytes) -> _Problem:
    try:
        return msgspec.json.decode(body, type=_Problem)
    except (msgspec.DecodeError, RecursionError):
        return _Problem()


def _facts(body: bytes) -> dict[str, str | int | bool]:
    try:
        every = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return {}
    if not isinstance(every, dict):
        return {}
    known = ("type", "title", "status", "code", "detail", "advice", "control")
    return {name: value for name, value in every.items() if name not in known and isinstance(value, str | int | bool)}


def _class_of(code: str, status: int, advice: str) -> type[HeadwaterError]:
    if not _known:
        _known.update({cls.code: cls for cls in errors.error_table()})
    if (found := _known.get(code)) is not None:
        return found
    if code == f"http-{status}" and (found := _OF_STATUS.get(status)) is not None:
        return found
    body = {"code": _one_line(code), "status": status, "__doc__": "The server refuses.", "__module__": __name__}
    return type("Problem", (HeadwaterError,), {**body, "advice": advice or HeadwaterError.advice})


def _bare(kind: type[HeadwaterError], status: int, *, is_other: bool) -> str:
    """What is known of an answer without a problem: one to HEAD has no body, and one of a proxy has another."""
    told = f"the server answered {status} {_phrase(status)}".rstrip()
    if is_other:
        told += ", and not as a server of streams does; is the URL right?"
    return f"{kind.title()}: {told}" if kind in _OF_STATUS.values() else told


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _one_line(text: str) -> str:
    """Without what moves a terminal's cursor: anybody may be the server."""
    return "".join("\N{REPLACEMENT CHARACTER}" if ord(char) in _CONTROL else char for char in text)


def stream_failed(code: str, message: str) -> errors.StreamFailed:
    """The error of a stream that ended before it was complete."""
    detail = f"the stream ended before it was complete: {code}" + (f" ({message})" if message else "")
    return errors.StreamFailed(detail, failure=code, failure_message=message)
