"""The channel of a subscription: it has a window, and may be let go for staying out of credit."""

from __future__ import annotations

from headwater.hub.live.arrival import Arrival
from headwater.hub.live.connection import Connection
from headwater.hub.live.owned import OwnedChannel, Owner
from headwater.hub.live.wire_format import WireFormat
from headwater.hub.wheel import Timer
from headwater.model import Policy


class SubscribedChannel(OwnedChannel):
    """One stream of a connection."""

    __slots__ = ("_spent",)

    _spent: Timer | None

    @classmethod
    def of_arrival(
        cls, owner: Owner, arrival: Arrival, connection: Connection, form: WireFormat, window: int | None
    ) -> SubscribedChannel:
        """The channel of a reader that has come."""
        found = cls(
            arrival.stream,
            connection,
            form,
            number=arrival.number,
            since=arrival.since,
            slow=arrival.slow,
            peer=arrival.peer,
            window=window,
        )
        found._owner, found._spent = owner, None
        return found

    def go(self, arrival: Arrival) -> None:
        """Tell what has come, and all that follows."""
        arrival.take()
        self.start(arrival.place, arrival.first, self._form.encoder(arrival.info.content_type))

    def told(self) -> str | None:
        """The offset that was told last; None: it has ended."""
        stands = self.stands
        return None if stands is None else self.telling.told(stands.offset)

    @property
    def spoke_at(self) -> float:
        """When it was told something last, on the clock of timers; 0: never."""
        stands = self.stands
        return 0.0 if stands is None else stands.silent_since

    def step(self) -> bool:
        """See `Channel.step`; `slow=disconnect` holds for credit as well."""
        goes_on = super().step()
        if not goes_on and self._spent is None and self.slow.policy is Policy.DISCONNECT and self._is_spent:
            runtime = self._stream.runtime
            self._spent = runtime.timers.after(runtime.limits.slow_seconds, self._stay_spent)
        return goes_on

    def _stay_spent(self) -> None:
        self._spent = None
        if self._is_spent:
            self.detach(0.0, "slow")

    def end(self, retry_after: float, reason: str) -> None:
        """Tell the reader to come back, and end; the others go on."""
        super(OwnedChannel, self).detach(retry_after, reason)

    def _release(self) -> None:
        super()._release()
        if self._spent is not None:
            self._spent.cancel()
            self._spent = None
