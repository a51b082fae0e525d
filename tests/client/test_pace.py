"""No server makes a client hammer it, and no storm comes of many."""

from __future__ import annotations

import heapq
import itertools
import random
from typing import Any

import pytest
from tests.client.played import Played, Player, known

from headwater.client import Retry
from headwater.client.errors import NetworkError, Silent, Truncated
from headwater.client.reading import Reading
from headwater.client.retry import Backoff

TRANSPORTS: list[Any] = ["auto", "sse", "ndjson", "long-poll", "live-sse"]
TYPES = {
    "sse": "text/event-stream",
    "live-sse": "text/event-stream",
    "ndjson": "application/x-ndjson",
    "auto": "text/event-stream",
    "long-poll": "application/json",
}
#: So many in any minute, at most.
MOST = 15


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("luck", [0.0, 0.5, 0.999])
def test_no_status_makes_more_than_fifteen_requests_a_minute(transport: Any, luck: float) -> None:
    """Whatever is answered, with and without a hint, however the dice fall."""
    for status in range(200, 600):
        for hint in (None, 0.0):
            played = Played(status, body=[b"no"], retry_after=hint)
            player = Player(lambda *_, p=played: p, Reading(transport=transport), info=known(), draw=lambda: luck)
            assert player.play(300).busiest_minute <= MOST, (status, hint)


ENDS = {
    "refused": Played(0, error=NetworkError()),
    "lost at once": Played(error=Truncated()),
    "silent": Played(error=Silent(), lasts=37.5),
    "ends at once": Played(),
    "a comment, and the end": Played(body=[b":\n\n"]),
    "lives for two seconds": Played(body=[b":\n\n"], lasts=2),
    "lives for six": Played(body=[b":\n\n"], lasts=6),
    "lives for six, and is lost": Played(body=[b":\n\n"], lasts=6, error=Truncated()),
}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("luck", [0.0, 0.999])
def test_no_end_makes_more_than_fifteen_requests_a_minute(transport: Any, how: str, luck: float) -> None:
    """A server that takes every request and gives nothing is asked slowly, too."""
    played = ENDS[how]
    played.headers = {"content-type": TYPES[transport], "stream-next-offset": "1", "stream-up-to-date": "true"}
    player = Player(lambda *_: played, Reading(transport=transport), info=known(), draw=lambda: luck)
    assert player.play(600).busiest_minute <= MOST


@pytest.mark.parametrize("told", [b'{"control":"detached","retry_after":0.0}\n', b'{"control":"detached"}\n'])
def test_being_let_go_again_and_again_is_no_loop(told: bytes) -> None:
    """A plan of the server that never gives anything is trouble like any other."""
    played = Played(headers={"content-type": "application/x-ndjson"}, body=[told])
    player = Player(lambda *_: played, Reading(transport="ndjson"), info=known(), draw=lambda: 0.0)
    assert player.play(600).busiest_minute <= MOST


def test_a_place_that_is_gone_again_and_again_is_no_loop() -> None:
    """`gone="earliest"` against a server that always says 410."""
    body = b'{"code":"offset-gone","detail":"","earliest":"5"}'
    player = Player(lambda *_: Played(410, body=[body]), Reading(gone="earliest"), info=known(), draw=lambda: 0.0)
    assert player.play(300).busiest_minute <= MOST


def test_a_stream_that_is_awaited_is_asked_for_slowly() -> None:
    """Also of a server that cannot wait itself."""
    player = Player(lambda *_: Played(404), Reading(missing="wait"), draw=lambda: 0.0)
    assert player.play(300).busiest_minute <= MOST


def test_who_moves_on_is_not_slowed() -> None:
    """A cut a second with a record in each: every wait is within the base, however often it happens."""
    numbers = iter(range(10_000))

    def script(*_: object) -> Played:
        line = b'{"offset":"%06d","data":1}\n' % next(numbers)
        return Played(headers={"content-type": "application/x-ndjson"}, body=[line], lasts=1, error=Truncated())

    player = Player(script, Reading(transport="ndjson"), info=known()).play(300)
    assert max(player.waits) <= 1.0
    assert len(player.given) > 150


def test_a_page_that_came_whole_ends_trouble() -> None:
    """Long-poll that is cut each second time waits as little as who is cut for the first time."""
    numbers = itertools.count()

    def script(*_: object) -> Played:
        number = next(numbers)
        if number % 2:
            return Played(lasts=0.5, error=Truncated(), headers=head(number))
        return Played(headers=head(number), body=[b"[%d]" % number])

    def head(number: int) -> dict[str, str]:
        return {"content-type": "application/json", "stream-next-offset": f"{number:06}"}

    player = Player(script, Reading(transport="long-poll"), info=known()).play(300)
    assert max(player.waits) <= 1.0
    assert len(player.given) > 150


def test_trouble_is_forgotten_only_by_a_connection_that_stood() -> None:
    """Accepted and lost at once counts on; up for five seconds with a heartbeat begins anew."""
    backoff = Backoff(Retry(), lambda: 0.999)
    now = 0.0
    for _ in range(6):
        backoff.begin(now)
        backoff.heard()
        wait = backoff.wait(now + 0.1)
        assert wait is not None
        now += 0.1 + wait
    assert backoff.attempt == 6
    backoff.begin(now)
    backoff.heard()
    assert (backoff.wait(now + 5.0) or 0.0) <= 1.0
    assert backoff.attempt == 1


@pytest.mark.parametrize(("own", "least", "most"), [(False, 5.0, 6.5), (True, 5.0, 5.0)])
def test_a_hint_is_a_floor_and_spread_unless_it_is_ones_own(own: bool, least: float, most: float) -> None:
    """Retry-After is the same for all who get it; the moment in `detached` is not."""
    for seed in range(100):
        backoff = Backoff(Retry(), random.Random(seed).random)
        backoff.begin(0.0)
        wait = backoff.wait(0.0, 5.0, own=own)
        assert wait is not None
        assert least <= wait <= most


def test_who_tries_often_is_not_made_to_wait_for_a_minute() -> None:
    """A short base, and connections that are cut before they bring anything: a dozen a minute, spread over it."""
    backoff = Backoff(Retry(base=0.1, cap=0.1), lambda: 0.5)
    now, attempts = 0.0, []
    while now < 600:
        attempts.append(now)
        backoff.begin(now)
        now += 0.4
        wait = backoff.wait(now)
        assert wait is not None
        assert wait <= 12
        now += wait
    assert attempts[6] < 5
    for begin in attempts:
        assert len([moment for moment in attempts if begin <= moment < begin + 60]) <= 12


def test_a_hint_beyond_the_deadline_ends_it_at_once() -> None:
    """Nobody waits for an hour who gives up after a minute."""
    backoff = Backoff(Retry(deadline=60.0), lambda: 0.0)
    backoff.begin(0.0)
    assert backoff.wait(0.0, 30.0) is not None
    backoff.begin(30.0)
    assert backoff.wait(30.0, 31.0) is None
    assert Backoff(Retry(deadline=60.0), lambda: 0.0).wait(0.0, 3600.0) is None


def test_a_hint_of_a_month_is_obeyed_and_one_of_a_century_is_a_month() -> None:
    """Timers have a largest number, and no server means more."""
    backoff = Backoff(Retry(), lambda: 0.0)
    backoff.begin(0.0)
    assert backoff.wait(0.0, 3_000_000_000.0, own=True) == 30 * 86_400


def test_a_deadline_and_a_number_of_attempts_end_it() -> None:
    """Both count what went without progress."""
    played = Played(503)
    player = Player(lambda *_: played, Reading(transport="sse"), info=known(), retry=Retry(attempts=3)).play(1e6)
    assert len(player.requests) == 4
    assert player.error is not None
    player = Player(lambda *_: played, Reading(transport="sse"), info=known(), retry=Retry(deadline=60)).play(1e6)
    assert player.error is not None
    assert 60 <= player.now - 1000 <= 100


def storm(clients: int, down: float, seed: int, *, moved: bool) -> tuple[list[float], list[float]]:
    """The moments of all connects, and those at which each client is back, when a server is gone for so long.

    `moved`: all had got something by the connection that is lost.
    """
    waiting: list[tuple[float, int, Player]] = []
    up_at = 1000.0 + down

    def script(_: object, now: float) -> Played:
        if now < up_at:
            return Played(0, error=NetworkError(), takes=0.001)
        return Played(headers={"content-type": "application/x-ndjson"}, body=[b'{"offset":"1","data":1}\n'], lasts=1)

    for number in range(clients):
        player = Player(script, Reading(transport="ndjson"), info=known(), seed=seed * clients + number)
        player.session.begin(990.0)
        if moved:
            player.session.head(200, {"content-type": "application/x-ndjson"}, b"", None, 990.0)
            player.session.feed(b'{"offset":"0","data":0}\n')
        player.now += player.session.lost(Truncated(), 1000.0)
        heapq.heappush(waiting, (player.now, number, player))
    connects, back = [], []
    while waiting:
        moment, number, player = heapq.heappop(waiting)
        connects.append(moment - 1000.0)
        player.now = moment
        wait = player.step()
        if player.given:
            back.append(moment - 1000.0)
        else:
            heapq.heappush(waiting, (player.now + wait, number, player))
    return connects, back


def most_in_a_second(moments: list[float]) -> int:
    """Of any second, wherever it begins."""
    moments = sorted(moments)
    most, begin = 0, 0
    for end, moment in enumerate(moments, 1):
        while moment - moments[begin] >= 1:
            begin += 1
        most = max(most, end - begin)
    return most


def test_the_second_wait_is_the_counterpart_of_the_first() -> None:
    """And each by itself is any part of its bound."""
    for part in (0.0, 0.25, 0.999):
        backoff = Backoff(Retry(), lambda part=part: part)  # type: ignore[misc]
        backoff.begin(0.0)
        assert backoff.wait(0.0) == part
        backoff.begin(part)
        assert backoff.wait(part) == pytest.approx((1 - part) * 2.0)
        backoff.begin(2.0)
        assert backoff.wait(2.0) == pytest.approx(part * 4.0)
        backoff.begin(3.0)
        backoff.moved()
        assert backoff.wait(3.0) == part
        backoff.begin(4.0)
        assert backoff.wait(4.0) == pytest.approx((1 - part) * 2.0)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("moved", [False, True])
def test_a_storm_of_two_thousand_is_spread(seed: int, moved: bool) -> None:
    """A server that is gone for 5 s: at most 30 percent of the connects in any second, and all are back in 25 s."""
    connects, back = storm(2000, 5.0, seed, moved=moved)
    assert len(back) == 2000
    assert max(back) <= 25.0
    assert most_in_a_second(back) <= 0.30 * len(back)
    assert most_in_a_second(connects) <= 0.30 * len(connects)
