"""Sends a case to a server, and holds responses, connection, streams and log against what it expects."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote

from tests.corpus.cases import Case, Exchange, Expected, State, asked, filled, to_bytes
from tests.corpus.servers import PROBE, PROBED, Target
from tests.corpus.wire import Connection, Response
from tests.proxies.fronts import HOST

#: Never an answer to anything that a client sends.
FORBIDDEN = (500, 502, 504)
#: Sent behind a case on its connection, if that goes on.
QUESTION = f"GET {PROBE} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()

Segments = Iterable[bytes | None]
_numbers = itertools.count(1)


def run(
    case: Case,
    target: Target,
    cut: Callable[[Segments], Segments] = lambda segments: segments,
    *,
    may_close: bool = False,
) -> None:
    """Send a case.

    Args:
        case: as it is on every server.
        target: the server.
        cut: cuts what is sent in other places.
        may_close: behind the responses the connection may end although none of them said so.

    Raises:
        AssertionError: something is not as expected.
    """
    case = case.on(target.names)
    root = f"c{next(_numbers):05x}"  # of one length, which the cases count on
    for name, state in case.before.items():
        _create(target, root, name, State(state) if isinstance(state, str) else state)
    known = {question: _look_up(target, root, question) for question in asked(case)}
    try:
        for exchange in case.exchanges:
            with target.connect() as connection:
                with target.commits_held() if case.slow else contextlib.nullcontext():
                    connection.send(cut(to_bytes(exchange.send, root, known)))
                _check_responses(connection, exchange, root, known)
                if not case.unfinished:
                    _check_connection(connection, exchange, may_close=may_close)
        _check_streams(case, target, root)
    finally:
        complaints = target.complaints()
    assert not complaints, complaints


def _url(root: str, name: str) -> str:
    return f"/v1/stream/{root}/{quote(name)}"


def _create(target: Target, root: str, name: str, state: State) -> None:
    headers = {"content-type": state.type or "application/json", **state.headers}
    if state.closed and state.failure is None:
        headers["stream-closed"] = "true"
    made = target.ask("PUT", _url(root, name), state.body or "", headers)
    assert made.status == 201, made
    if state.failure is not None:
        ended = target.ask("POST", _url(root, name), "", {"stream-failure": state.failure})
        assert ended.status == 204, ended


def _look_up(target: Target, root: str, question: str) -> str:
    kind, _, name = question.partition(":")
    reply = target.ask("GET", _url(root, name))
    return reply.headers["etag" if kind == "etag" else "stream-next-offset"]


def _check_responses(connection: Connection, exchange: Exchange, root: str, known: Mapping[str, str]) -> None:
    for expected in exchange.expected:
        _check_response(connection.receive(expected), expected, root, known)


def _check_connection(connection: Connection, exchange: Exchange, *, may_close: bool) -> None:
    """Behind the responses there is nothing more: the end that was announced, or the response to another request."""
    last = connection.last
    if "<end>" in exchange.send or (last is not None and last.ends):
        more = connection.ended()
        assert not more, f"behind the last response came {more!r}"
        return
    if last is not None and last.status == 101:
        connection.receive_h2()
        return
    connection.send([QUESTION])
    if may_close and connection.is_over():
        return
    answer = connection.receive(Expected(200))
    assert (answer.status, answer.body.decode()) == (200, PROBED), f"the connection goes on with {answer}"


def _check_response(found: Response, expected: Expected, root: str, known: Mapping[str, str]) -> None:
    assert found.status not in FORBIDDEN, found
    assert found.status == expected.status, found
    for name, value in expected.headers.items():
        assert found.values(name) == ([filled(value, root, known)] if value else []), (name, found)
    for name, part in expected.mentions.items():
        assert part in ",".join(found.values(name)), (name, found)
    if expected.body is not None:
        assert found.body.decode() == filled(expected.body, root), found
    if expected.has is not None:
        assert expected.has in found.body.decode(), found


def _check_streams(case: Case, target: Target, root: str) -> None:
    final = case.final
    for name, state in final.items():
        reply = target.ask("GET", _url(root, name))
        if state is None:
            assert reply.status in (404, 410), f"there is a stream {name}: {reply.body!r}"
            continue
        assert reply.status == 200, f"there is no stream {name}: {reply}"
        if state.body is not None:
            assert reply.body.decode() == filled(state.body, root), (name, reply.body)
        assert (reply.headers["stream-closed"] == "true") is (state.closed or state.failure is not None), (name, "end")
        assert reply.headers["stream-failure"] == state.failure, (name, "failure")
        if state.type is not None:
            assert reply.headers["content-type"] == state.type, (name, reply.headers["content-type"])
    wanted = {f"{root}/{name}" for name, state in final.items() if state is not None}
    assert target.streams(f"{root}/") == wanted
