"""Requests to the words below a stream that are served: `signal`, `presence`, `schema`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from headwater.errors import BadRequest, MethodNotAllowed
from headwater.protocol import names
from headwater.protocol.commands import Attend, Command, Describe, ListMembers, Preflight, SendSignal
from headwater.protocol.headers import Headers
from headwater.protocol.http1 import body_length
from headwater.protocol.preconditions import check_unconditional
from headwater.protocol.presence.requests import parse_page
from headwater.protocol.query import parse_query
from headwater.protocol.requests import check_coding, content_type_of
from headwater.protocol.signals import parse_addressed
from headwater.protocol.urls import Target

#: Given a method, the path of the stream, the query and the headers of a request: what it asks for.
Parse = Callable[[str, str, bytes, Headers], Command]


def parse_word(target: Target, method: str, query: bytes, headers: Headers) -> Command | None:
    """What a request to a word below a stream asks for; None: its URL is of no word that is served here.

    Args:
        target: of the URL, checked.
        method: upper case.
        query: as sent.
        headers: as `headers.collect` gives them.

    Raises:
        BadRequest and its kinds: the request is malformed.
        MethodNotAllowed: no such method there.
        UnsupportedCoding: the body is coded.
    """
    parse = _SERVED.get(target.word) if target.path else None
    if parse is None:
        return None
    if method == "OPTIONS":
        return Preflight(target.path)
    return parse(method, target.path, query, headers)


def check_method(method: str, word: str, allow: str) -> None:
    """Refuse a method that is not served where a word stands in the URL.

    Args:
        method: upper case.
        word: such as `-/append`.
        allow: the methods there, with commas; OPTIONS among them is answered before.

    Raises:
        MethodNotAllowed: it is another one.
    """
    if method == "OPTIONS" or method not in allow.split(", "):
        raise MethodNotAllowed(f"{method[:20]!r} is not a method of {word}", allow=allow)


def _signal(method: str, path: str, query: bytes, headers: Headers) -> SendSignal:
    check_method(method, "-/signal", "POST, OPTIONS")
    check_unconditional(headers, "-/signal")
    check_coding(headers)
    content_type = content_type_of(headers)
    if content_type is None:
        raise BadRequest("a signal needs a Content-Type, which says how its body is told")
    return SendSignal(path, content_type, parse_addressed(query), body_length(headers))


def _presence(method: str, path: str, query: bytes, headers: Headers) -> Attend | ListMembers:
    check_method(method, "-/presence", "GET, POST, OPTIONS")
    if method == "POST":
        check_unconditional(headers, "-/presence")
        check_coding(headers)
        return Attend(path, body_length(headers))
    return ListMembers(path, *parse_page(query))


def _schema(method: str, path: str, query: bytes, headers: Headers) -> Describe:
    check_method(method, "-/schema", "GET, HEAD, OPTIONS")
    kind = parse_query(query).get(names.QUERY_KIND, "record")
    match kind:
        case "record" | "signal":
            return Describe(path, kind)
    raise BadRequest(f"?kind= takes record or signal, not {kind[:40]!r}")


_SERVED: Final[Mapping[str, Parse]] = {"signal": _signal, "presence": _presence, "schema": _schema}
