"""What the tests' server process serves; settings come from the environment."""

from __future__ import annotations

import os

from fastapi import FastAPI

from headwater.asgi import App, Hub
from headwater.hub import Limits
from headwater.protocol.compression import Compression

_limits = Limits(heartbeat_seconds=0.2, max_readers=int(os.environ.get("TEST_MAX_READERS", "100")))
hub = Hub(os.environ["TEST_STORE"], limits=_limits)

#: Streams under /v1/stream/.
app = App(hub, compression=Compression(min_bytes=1), multi=True)

#: Streams under /streams/, as in somebody's application.
mounted = FastAPI(lifespan=hub.lifespan)
mounted.mount("/streams", hub.asgi)
