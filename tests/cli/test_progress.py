"""How far long work is, as a terminal shows it."""

from __future__ import annotations

import io

from headwater.cli.progress import QUIET, Meter


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_short_work_says_nothing() -> None:
    """Nor does any in a pipe."""
    for stream, lasts in ((Terminal(), QUIET / 2), (io.StringIO(), 60.0)):
        clock = Clock()
        with Meter(stream=stream, clock=clock) as meter:
            clock.now += lasts
            meter.add(1, 10)
        assert stream.getvalue() == ""


def test_long_work_is_shown_on_one_line_and_taken_away() -> None:
    """At most five times a second, with what is known of its end."""
    stream, clock = Terminal(), Clock()
    with Meter(1600, stream=stream, clock=clock) as meter:
        for _ in range(8):
            clock.now += 0.125
            meter.add(10, 50)
        clock.now += 1.0
        meter.add(1120, 400)
    first, second, end = stream.getvalue().split("\r\x1b[K")[1:]
    assert first == "[######..................]  25%  80 records  400 B  400 B/s  3 s left"
    assert second == "[############............]  50%  1,200 records  800 B  400 B/s  2 s left"
    assert end == ""
    assert "\n" not in stream.getvalue()


def test_work_without_an_end_says_where_it_is() -> None:
    """Such as a read."""
    meter = Meter(stream=Terminal())
    meter.set(1, 2_000_000, "catching up")
    assert meter.line(2.0) == "1 record  2 MB  1 MB/s  catching up"
    assert Meter(0, stream=Terminal()).line(0.0) == "0 records  0 B  0 B/s"
