"""Close codes (RFC 6455 section 7.4): how a connection ends, and what its client does about it.

Rule: the errors of the one table have theirs (`HeadwaterError.ws_close`). Here are those that are no errors.
"""

from __future__ import annotations

from typing import Final

from headwater.errors import NotAuthorized, Refused, ShuttingDown, StreamFailed, Unavailable

#: The stream is complete, or the client has closed.
NORMAL: Final = 1000
#: A message of a kind that the subprotocol has not, such as binary in JSON.
WRONG_KIND: Final = 1003
#: The server stops; come back.
GOING: Final = ShuttingDown.ws_close
#: The server lets the reader go, for it was slow; come back.
DETACHED: Final = Unavailable.ws_close
#: Nobody said how it ended; never sent.
NO_CLOSE: Final = 1006
#: A stream that ended before it was complete.
FAILED: Final = StreamFailed.ws_close
#: The credential has expired; come back with another one.
EXPIRED: Final = NotAuthorized.ws_close
#: The credential was taken back, or is somebody else's now; do not come back with it.
REVOKED: Final = Refused.ws_close
#: The server lets the client go, who may come back later.
KICKED: Final = 4409

#: By the reason for which an access ends.
OF_ACCESS: Final = {"expired": EXPIRED, "revoked": REVOKED, "kicked": KICKED, "changed": DETACHED}
