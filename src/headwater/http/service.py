"""The one gate: every request passes here, whoever carries it, short or live, of streams, runs or the proxy.

Rule 1: a request is let in (`check`), then routed (`route`). What is wrong with it is raised, and refused in one place,
        which counts it and logs what is a mistake of ours.
Rule 2: what is remembered of a head follows from its bytes. Whether its request is let in is decided each time.
Rule 3: a response of our own is given through the exchange. A driver adds the date and the connection's framing.
"""

from __future__ import annotations

import logging
import re
from abc import ABC, abstractmethod
from typing import Final

from headwater.errors import HeadwaterError
from headwater.http.exchange import ClientGone, Exchange, Work
from headwater.http.request import Request
from headwater.hub import Engine, Limits
from headwater.hub.intake import Intake
from headwater.protocol.responses import Answer, HeaderList
from headwater.protocol.ticket_query import without_tickets

_log: Final = logging.getLogger("headwater")
_access_log: Final = logging.getLogger("headwater.access")
#: A member's key in a URL, which no log has.
_KEY: Final = re.compile(r"(?i)\b(member(?:_|%5f)key)=[^&]*")


class Service(ABC):
    """What drivers give requests to. Subclassed for what is served.

    Args:
        hub: behind it.
        limits: of requests; None: the hub's.

    Attributes:
        hub: as given.
        limits: as they hold.
        intake: request bodies under way.
        stats: where requests are counted.
    """

    def __init__(self, hub: Engine, limits: Limits | None = None) -> None:
        self.hub: Final = hub
        self.limits: Final = limits or hub.limits
        self.intake: Final = hub.intake if limits is None else Intake(limits.max_inflight_bytes, limits.max_body_bytes)
        self.stats: Final = hub.stats

    def begin(self, exchange: Exchange) -> Work | None:
        """Serve a request.

        Returns:
            What takes waiting, for the driver to await; it raises nothing. None: the response is given, or will be.
        """
        request = exchange.request
        try:
            if request.extra is None:
                exchange.extra = self.headers(request)
                if request.fault is not None:
                    raise request.fault
                self.check(request)
                request.extra = exchange.extra
            else:
                exchange.extra = request.extra
            work = self.route(exchange)
        except ClientGone:
            self.stats.disconnects += 1
            return None
        except Exception as error:
            self.refuse(exchange, error)
            return None
        return None if work is None else self._finish(exchange, work)

    async def _finish(self, exchange: Exchange, work: Work) -> None:
        try:
            await work
        except ClientGone:
            self.stats.disconnects += 1
        except Exception as error:
            self.refuse(exchange, error)

    def refuse(self, exchange: Exchange, error: Exception) -> None:
        """Respond with an error.

        Args:
            exchange: to which nothing was given yet.
            error: a refusal, or a mistake in the program, of which the client is told nothing.
        """
        if not isinstance(error, HeadwaterError):
            _log.error("%s %s", exchange.request.method, exchange.request.raw_path, exc_info=error)
            error = HeadwaterError.of_mistake()
        error.unread |= not exchange.is_asked
        # A head keeps its fault: with the frames that refused it, and so the connection, they would hold each other.
        error.__traceback__ = None
        exchange.respond(self.refused(error, exchange.request))

    def refused(self, error: HeadwaterError, request: Request | None) -> Answer:
        """The response to what is refused, counted.

        Args:
            error: why.
            request: None: there was no whole head.
        """
        self.stats.errors[error.code] += 1
        return self.refusal(error, request)

    # What is served.

    @abstractmethod
    def headers(self, request: Request | None) -> HeaderList:
        """Headers for every response to a request, those for pages, whatever its target.

        Args:
            request: None: one whose head is not known.
        """

    @abstractmethod
    def check(self, request: Request) -> None:
        """Let a request in, by its head without the target, and the settings: such a head is not asked about again.

        Raises:
            HeadwaterError: it may not come, whatever it wants: its host or its origin is another one.
        """

    @abstractmethod
    def route(self, exchange: Exchange) -> Work | None:
        """Do what the request asks for; see `begin`.

        Raises:
            HeadwaterError: refused.
        """

    @abstractmethod
    def refusal(self, error: HeadwaterError, request: Request | None) -> Answer:
        """How an error is told."""


def log_access(exchange: Exchange, status: int) -> None:
    """Log a request and its status, in the form of most servers; keys of members and tickets are left out."""
    request, client = exchange.request, exchange.client
    address = "-" if client is None else f"{client[0]}:{client[1]}"
    target = _KEY.sub(r"\1=***", without_tickets(request.target))
    _access_log.info('%s - "%s %s HTTP/%s" %d', address, request.method, target, request.version, status)
