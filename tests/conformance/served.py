"""The application that servers other than uvicorn run in the conformance tests."""

from __future__ import annotations

import os

from fastapi import FastAPI

from headwater import Hub, Limits
from headwater.asgi import App

limits = Limits(long_poll_seconds=2)
hub = Hub(os.environ.get("HEADWATER_STORE", "memory:"), limits=limits)

#: On its own, below /v1/stream/.
app = App(hub)

#: Below a prefix, in somebody's application.
mounted = FastAPI(lifespan=hub.lifespan)
mounted.mount("/streams", hub.asgi)
