"""When to try again: without a clock, a network or randomness of its own.

Rule 1: an attempt that moved the reader forward is no trouble, and the next one follows within `base` seconds, however
        many failed before it.
Rule 2: any other counts, and the next one waits for a random part of a bound that doubles (full jitter), is never above
        `cap`, and never far above what the trouble has lasted: who was away for five seconds is not made to wait for
        thirty.
Rule 3: the count ends then, and after a connection that was up for `stable` seconds and told something. One that is
        accepted and lost at once would be tried in a hot loop otherwise.
Rule 4: what the server asks for is a floor. What it asks of all gets up to 30 percent more; a moment of one's own does
        not.
Rule 5: who waited a short part of the first bound waits a long part of the second. Two short waits would bring a part
        of a crowd back twice in the first second of an outage. Each wait by itself is as random as any other. The
        wait behind an attempt that brought something is a first one.
Rule 6: whatever happens, there are at most `MOST_A_MINUTE` attempts in any minute that got nowhere. The second half of
        them is spread over what is left of the minute: who has used up all of them at once would wait for most of one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

from headwater.protocol.backoff import delay

#: Attempts without progress in a minute; what else a reader asks (a head, a refreshed token) has room to 15.
MOST_A_MINUTE: Final = 12
#: A little more than that: what a server counts is not what this clock shows.
_MINUTE: Final = 60.5
#: Of the server's heartbeat: after so many without a byte the connection is dead.
BEATS: Final = 2.5
#: Seconds of a server's heartbeat that does not tell it.
HEARTBEAT: Final = 15.0
#: Seconds between two ends that a server planned.
_BETWEEN_ENDS: Final = 1.0
#: Seconds: 30 days. A longer hint is a mistake, and timers have a largest number.
_LONGEST_HINT: Final = 2_592_000.0


class Retry(msgspec.Struct, frozen=True, kw_only=True):
    """How trouble is met.

    Attributes:
        base: seconds; the first wait is up to so long.
        cap: seconds; no wait of our own is longer.
        attempts: without progress, after which to give up; None: never.
        deadline: seconds without progress after which to give up; None: never. Who is asked to wait for longer gives
            up at once.
        stable: seconds that a connection must be up until earlier trouble is forgotten.
        connect: seconds to the head of an answer.
        silence: seconds without a byte after which a live answer is dead; None: two and a half of the server's
            heartbeats.
    """

    base: float = 1.0
    cap: float = 30.0
    attempts: int | None = None
    deadline: float | None = None
    stable: float = 5.0
    connect: float = 10.0
    silence: float | None = None

    def silence_of(self, heartbeat: float | None) -> float:
        """Seconds without a byte that are too long, of a server with such a heartbeat."""
        return self.silence if self.silence is not None else BEATS * (heartbeat or HEARTBEAT)


#: Tries once.
NEVER: Final = Retry(attempts=0)


class Backoff:
    """The waits of one reader or writer.

    Args:
        retry: the rules.
        draw: a number from 0 up to 1.

    Attributes:
        attempt: attempts without progress since the last that made some.
    """

    def __init__(self, retry: Retry, draw: Callable[[], float]) -> None:
        self.attempt = 0
        self._retry = retry
        self._draw = draw
        self._began = 0.0
        self._since: float | None = None  # when the trouble began
        self._moved = False
        self._heard = False
        self._step = 0  # waits since something good; the next one is up to base * 2**step
        self._part = 0.0  # of its bound, the last wait
        self._idle: deque[float] = deque(maxlen=MOST_A_MINUTE)

    def begin(self, now: float) -> None:
        """An attempt begins."""
        self._began = now
        self._moved = self._heard = False

    def heard(self) -> None:
        """The server told something."""
        self._heard = True

    def moved(self) -> None:
        """The reader went forward, or a write was acknowledged."""
        self._moved = self._heard = True

    def spent(self, now: float) -> None:
        """One of several requests at once got nowhere; another one of them is the attempt."""
        self._idle.append(now)

    def whole(self) -> None:
        """An attempt did all that it can do, and went forward: earlier trouble is over."""
        self._idle.clear()
        self.reset()

    def reset(self) -> None:
        """Something changed that makes another attempt worth it at once, such as a network that is back."""
        self.attempt = self._step = 0
        self._since = None

    def wait(self, now: float, hint: float | None = None, *, own: bool = False) -> float | None:
        """An attempt failed: seconds until the next one; None: give up.

        Args:
            now: the moment.
            hint: seconds that the server asked to wait.
            own: it asked this client alone.
        """
        bound = self._count(now)
        if bound is None:
            return None
        wait = self._jitter() * bound
        if hint is not None:
            hint = min(max(hint, 0.0), _LONGEST_HINT)
            wait = hint if own else max(hint, wait) + self._draw() * 0.3 * hint
            lasted = 0.0 if self._since is None else now - self._since
            if self._retry.deadline is not None and lasted + hint > self._retry.deadline:
                return None
        return max(wait, self._room(now))

    def planned(self, now: float) -> float | None:
        """The server ended the answer because its time was over: seconds until the next attempt; None: give up."""
        up = now - self._began
        if self._heard and not self._moved and up >= self._retry.stable:
            self.reset()
            return self._room(now)
        bound = self._count(now)
        if bound is None:
            return None
        wait = 0.0 if self._moved else self._jitter() * min(bound, max(0.0, self._retry.stable - up))
        return max(wait, _BETWEEN_ENDS - up, self._room(now))

    def _jitter(self) -> float:
        """A random part of a bound; of the second one, what the first one left."""
        self._part = 1.0 - self._part if self._step == 1 else self._draw()
        self._step += 1
        return self._part

    def _count(self, now: float) -> float | None:
        """The bound of the next wait."""
        rules = self._retry
        if self._moved:
            self.attempt = self._step = 0
            self._since = now
            self._idle.clear()
            return None if rules.attempts == 0 else rules.base
        if self._heard and now - self._began >= rules.stable:
            self.reset()
        self._idle.append(self._began)
        self._since = now if self._since is None else self._since
        lasted = now - self._since
        bound = delay(self._step, 1.0, base=rules.base, cap=rules.cap)
        self.attempt += 1
        if rules.attempts is not None and self.attempt > rules.attempts:
            return None
        if rules.deadline is not None and lasted >= rules.deadline:
            return None
        return min(bound, 2 * (rules.base + lasted))

    def _room(self, now: float) -> float:
        """Seconds until another attempt without progress is allowed."""
        while self._idle and self._idle[0] + _MINUTE <= now:
            self._idle.popleft()
        used = len(self._idle)
        if used <= MOST_A_MINUTE // 2:
            return 0.0
        return (self._idle[0] + _MINUTE - now) / (MOST_A_MINUTE - used + 1)
