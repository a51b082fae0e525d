"""What the server, its store, its sources and its upstreams cannot do, now or at all."""

from __future__ import annotations

from headwater.errors.base import HeadwaterError


class LimitReached(HeadwaterError):
    """A limit of the server is reached."""

    code, status, ws_close, retry_after = "limit-reached", 429, 4429, 5
    advice = "Wait for Retry-After, then try again; the message names the setting."


class RateLimited(LimitReached):
    """The client sends too often."""

    code, retry_after = "rate-limited", 1
    advice = "Wait for Retry-After, then send less often; or raise the setting that the message names."


class Unavailable(HeadwaterError):
    """The server cannot do this now."""

    code, status, ws_close, retry_after = "unavailable", 503, 1013, 1
    advice = "Try again after Retry-After; nothing was written."


class StoreUnavailable(Unavailable):
    """The store cannot write now."""

    code, retry_after = "store-unavailable", 1


class HubNotOpen(StoreUnavailable):
    """The hub is not open."""

    code = "hub-not-open"
    advice = "Open it before use: `async with hub`, or `lifespan=hub.lifespan` in the application; nothing was done."


class TooManyConnections(Unavailable):
    """The server has as many connections as it takes."""

    code, retry_after = "too-many-connections", 5
    advice = "Try again after Retry-After, or raise max_connections."


class TooManyBodies(Unavailable):
    """The server has as many unfinished bodies as it takes, and this one is the slowest."""

    code, retry_after = "too-many-bodies", 5
    advice = "Try again after Retry-After, in smaller appends; or raise max_inflight_bytes."


class ShuttingDown(Unavailable):
    """The server is shutting down."""

    code, ws_close = "shutting-down", 1012
    advice = "Connect again after Retry-After; another process or the restarted one will answer."


class KeysUnavailable(Unavailable):
    """The keys of who issued the token are not known."""

    code, retry_after = "keys-unavailable", 5
    advice = "Try again after Retry-After; the server's log says why the issuer's keys could not be fetched."


class AccessUnknown(Unavailable):
    """The application does not say who may do this."""

    code, retry_after = "access-unknown", 5
    advice = "Try again after Retry-After; the server's log says what its function did."


class SourceFailed(HeadwaterError):
    """The source of a run failed."""

    code, status, ws_close = "source-failed", 502, 1011
    advice = "Read the message; what the source gave before is kept. Start another run to try again."


class UnknownItem(SourceFailed):
    """The source gave an item that nothing recognises."""

    code = "unknown-item"
    advice = "Yield text, bytes, parts, or the events of a known SDK from the source."


class UpstreamUnreachable(HeadwaterError):
    """The provider did not answer, or its answer broke off."""

    code, status, ws_close, retry_after = "upstream-unreachable", 502, 1014, 1
    advice = "Try again; if it stays, check the upstream's URL and state."


class NotAtomic(HeadwaterError):
    """The store cannot write several appends in one step."""

    code, status, ws_close = "not-atomic", 501, 4501
    advice = "Append one by one, or use a store that has transactions: memory or SQLite."


class MissingExtra(HeadwaterError, ImportError):
    """An optional part of Headwater is not installed."""

    code, status = "missing-extra", 501
    advice = "Install it where the server runs, then start the server again."

    @classmethod
    def of(cls, what: str, extra: str) -> MissingExtra:
        """The error that says how to install an extra.

        Args:
            what: what needs it, as the message begins.
            extra: its name in `headwater[...]`.
        """
        return cls(f"{what} needs an optional part. Install it with: pip install 'headwater[{extra}]'")


class WrongLoop(HeadwaterError, RuntimeError):
    """The hub belongs to another event loop."""

    code = "wrong-loop"
    advice = "In a thread: `hub.from_thread(hub.append(...))`. Elsewhere: one event loop, or a hub for each."
