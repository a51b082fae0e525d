"""The channel of a subscription: it has a window, and may be let go for staying out of credit."""

from __future__ import annotations

from headwater.hub.live.owned import OwnedChannel
from headwater.model import Policy


class SubscribedChannel(OwnedChannel):
    """One stream of a connection."""

    __slots__ = ()

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
        if not goes_on and self._lifetime is None and self.slow.policy is Policy.DISCONNECT and self._is_spent:
            runtime = self._stream.runtime
            self._lifetime = runtime.timers.after(runtime.limits.slow_seconds, self._stay_spent)
        return goes_on

    def _stay_spent(self) -> None:
        self._lifetime = None
        if self._is_spent:
            self.detach(0.0, "slow")

    def end(self, retry_after: float, reason: str) -> None:
        """Tell the reader to come back, and end; the others go on."""
        super(OwnedChannel, self).detach(retry_after, reason)
