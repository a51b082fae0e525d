"""`Expect: 100-continue`: what can be refused without a body is, before the client is asked for it (RFC 9110 10.1.1).

Servers send `100 Continue` when the application first calls `receive`; hypercorn does before the application runs.
"""

from __future__ import annotations

from headwater.asgi.types import Message, Receive


class Asked:
    """A `receive` that knows whether the client was asked for its body.

    Args:
        receive: the server's.

    Attributes:
        is_asked: it was; a refusal before leaves a body that may come or not, so that the connection must close.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.is_asked = False

    async def __call__(self) -> Message:
        """See ASGI."""
        self.is_asked = True
        return await self._receive()
