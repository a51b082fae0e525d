"""A connection's conversation in virtual time: who is dead, what is acknowledged, what is let through."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from headwater.client.connection.closes import error_of_close
from headwater.client.connection.session import Answered, Draining, Session, Told, Welcomed
from headwater.client.errors import BadAnswer, NetworkError, Silent
from headwater.errors import HeadwaterError
from headwater.protocol.websocket import messages as m

WELCOME = {"t": "welcome", "server": "x", "heartbeat": 10.0, "window": 1000, "limits": {}}


def text(**message: Any) -> str:
    return msgspec.json.encode(message).decode()


def begun(silence: float | None = None) -> Session:
    """A conversation with a stream, at 0, of which nothing is to be sent."""
    session = Session("secret", "me", silence, 0.0)
    [welcomed] = session.take(text(**WELCOME), 0.0)
    assert isinstance(welcomed, Welcomed)
    id = session.subscribe(lambda id: m.Sub(id, "a"))
    session.take(
        text(t="sub", id=id, s=7, path="a", type="application/json", **{"from": "0"}, tail="0", earliest="0"), 0
    )
    session.out.clear()
    return session


def said(session: Session) -> list[dict[str, Any]]:
    found = [msgspec.json.decode(each) for each in session.out]
    session.out.clear()
    return found


def test_the_first_message_says_who_is_there() -> None:
    """With what others are asked at once, without waiting for an answer."""
    session = Session("secret", None, None, 0.0)
    session.ask(lambda id: m.Head(id, "a"))
    assert said(session) == [{"t": "hello", "token": "secret"}, {"t": "head", "id": 1, "path": "a"}]


def test_who_is_silent_is_asked_and_then_dead() -> None:
    """Asked once behind a heartbeat, dead behind two and a half; any message is a sign of life."""
    session = begun()
    assert session.due() == 10.0
    session.look(9.9)
    assert said(session) == []
    session.look(10.0)
    session.look(11.0)
    assert said(session) == [{"t": "ping"}]
    assert session.due() == 25.0
    session.take(text(t="pong"), 20.0)
    assert session.due() == 30.0
    session.look(44.9)
    with pytest.raises(Silent):
        session.look(45.0)
    assert not session.is_usable
    assert session.due() is None or not session.reads


def test_a_timer_that_fires_late_asks_first() -> None:
    """A machine that slept has not heard: it is dead only if the time is over, and the next look says so."""
    session = begun(silence=5.0)
    assert session.due() == 5.0
    session.look(4.9)
    with pytest.raises(Silent):
        session.look(500.0)


def test_a_beat_is_answered() -> None:
    """The server asks too."""
    session = begun()
    [told] = session.take(text(t="ping"), 1.0)
    assert isinstance(told, Told)  # so that who reads knows, too
    assert said(session) == [{"t": "pong"}]


def test_what_the_consumer_is_done_with_is_acknowledged() -> None:
    """At half of the window at once, less than that after a second; of a stream that was left nothing."""
    session = begun()
    session.done(1, 499, "3", 2.0)
    assert said(session) == []
    assert session.due() == 3.0
    session.done(1, 1, "4", 2.5)
    assert said(session) == [{"t": "ack", "s": 7, "o": "4"}]
    session.done(1, 10, "5", 4.0)
    session.look(4.5)
    assert said(session) == []
    session.look(5.0)
    assert said(session) == [{"t": "ack", "s": 7, "o": "5"}]
    session.leave(1)
    assert said(session) == [{"t": "unsub", "path": "a"}]
    session.done(1, 1000, "9", 6.0)
    assert said(session) == []


def test_what_is_told_goes_to_its_stream() -> None:
    """Records with the size of their message; what is of no stream that is read is dropped."""
    session = begun()
    message = text(t="data", s=7, o="2", r=[1])
    [told] = session.take(message, 1.0)
    assert isinstance(told, Told)
    assert (told.id, told.size) == (1, len(message))
    assert session.take(text(t="data", s=8, o="2", r=[1]), 1.0) == []
    [end] = session.take(text(t="end", s=7, o="2", why="closed"), 1.0)
    assert isinstance(end, Told)
    assert session.reads == set()
    assert session.take(message, 1.0) == []


def test_what_is_refused_is_told_to_who_asked() -> None:
    """By its id to an ask, by its number or its id to a stream, and else to nobody."""
    session = begun()
    asked = session.ask(lambda id: m.Head(id, "b"))
    refusal = {"t": "err", "code": "refused", "status": 403, "detail": "no", "advice": "none"}
    [answer] = session.take(text(**refusal, id=asked), 1.0)
    assert isinstance(answer, Answered)
    assert session.take(text(**refusal), 1.0) == []
    [told] = session.take(text(**refusal, s=7), 1.0)
    assert isinstance(told, Told)
    assert session.reads == set()


def test_a_server_that_stops_takes_nothing_new() -> None:
    """Whatever says so first: nobody comes back to the same socket."""
    for message in (
        {"t": "drain", "after": 2.5},
        {"t": "end", "s": 7, "o": "1", "why": "detached", "code": "stopping"},
    ):
        session = begun()
        events = session.take(text(**message), 1.0)
        assert any(isinstance(event, Told) for event in events)
        assert isinstance(events[0], Draining) == (message["t"] == "drain")
        assert not session.is_usable
        assert session.error is None


@pytest.mark.parametrize(
    "wrong", ["{oops", "[]", "1", '{"t":1}', '{"s":1}', '{"t":"data","s":"x"}', "\ud800", '{"t":"ok"}']
)
def test_what_is_no_message_ends_it(wrong: str) -> None:
    """Also halves of surrogate pairs, and messages without what they must have."""
    session = begun()
    with pytest.raises(BadAnswer):
        session.take(wrong.encode(errors="surrogatepass"), 1.0)
    assert isinstance(session.error, BadAnswer)


def test_what_is_not_known_is_let_through() -> None:
    """Messages and fields of a newer server."""
    session = begun()
    assert session.take(text(t="novelty", s=7, x=1), 1.0) == []
    assert len(session.take(text(t="live", s=7, o="2", novelty=[1]), 1.0)) == 1


CODES = {
    None: ("network", True),
    1006: ("network", True),
    1000: ("network", True),
    1012: ("network", True),
    1013: ("network", True),
    1003: ("bad-answer", True),
    4401: ("not-authorized", False),
    4403: ("refused", False),
    4404: ("stream-not-found", False),
    4409: ("conflict", True),
    4429: ("limit-reached", True),
    4503: ("unavailable", True),
}


@pytest.mark.parametrize("code", CODES)
def test_close_codes_are_errors_of_the_one_table(code: int | None) -> None:
    """With what to do about them."""
    error = error_of_close(code, "")
    assert (error.code, error.retryable) == CODES[code]


def test_a_reason_begins_with_the_code() -> None:
    """Which tells more than the number."""
    error = error_of_close(4403, "origin-not-allowed: pages of x may not connect")
    assert error.code == "origin-not-allowed"
    assert isinstance(error, HeadwaterError)
    assert not isinstance(error, NetworkError)
