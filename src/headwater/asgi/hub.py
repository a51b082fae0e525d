"""`Hub`: the engine with HTTP on it; what applications import."""

from __future__ import annotations

from functools import cached_property

from headwater.asgi.app import App
from headwater.hub import Engine


class Hub(Engine):
    """Streams in a store, live, in process and over HTTP.

    ::

        hub = Hub("sqlite:app.db")
        app = FastAPI(lifespan=hub.lifespan)
        app.mount("/streams", hub.asgi)
        await hub.append("jobs/7", {"done": 3})  # GET /streams/jobs/7 sees it at once

    Args:
        store: a store, or its URL: `memory:`, `sqlite:app.db`.
        limits: what the hub allows and how long it waits.
    """

    @cached_property
    def asgi(self) -> App:
        """An ASGI application to mount: streams directly below the mount point, introspection under `/-/`.

        The application that mounts it opens the hub, with `lifespan=hub.lifespan`.
        """
        return App(self, prefix="/", with_page=False, manage_hub=False)
