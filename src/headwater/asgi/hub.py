"""`Hub`: the engine with HTTP on it; what applications import."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from headwater.asgi.app import App
from headwater.asgi.uvicorn import call_when_stopping
from headwater.http.access.application import AccessFunction, ApplicationProofs
from headwater.http.access.guard import Guard
from headwater.http.authorize import Authorize
from headwater.hub import Engine, Limits
from headwater.protocol.compression import Compression
from headwater.protocol.cors import LOOPBACK
from headwater.stores import Store


class Hub(Engine):
    """Streams in a store, live, in process and over HTTP.

    ::

        hub = Hub("sqlite:app.db")
        app = FastAPI(lifespan=hub.lifespan)
        app.mount("/streams", hub.asgi)  # whoever reaches it may read, write and delete: see `access`
        await hub.append("jobs/7", {"done": 3})  # GET /streams/jobs/7 sees it at once

    Args:
        store: a store, or its URL: `memory:`, `sqlite:app.db`.
        limits: what the hub allows and how long it waits.
        schemas: what streams hold, by path or pattern (`rooms/*`, `jobs/**`): types of msgspec or pydantic, classes of
            Protobuf's messages, JSON Schemas as dicts, and `StreamSchema` of these for records and signals. Whoever
            appends what does not fit, over HTTP or in process, gets `SchemaMismatch`. Private streams have none.
        cors_origins: pages of other origins that may use `asgi`: `*`, `loopback`, or whole origins.
        introspection: answer below `/-/` in `asgi`: streams, readers and counters, for whoever reaches it.
        compression: of `asgi`'s answers to reads, for clients that accept it; None: they are sent as they are.
        serve_private: let `asgi` serve the streams of runs like all others, to whoever reaches it; without, it answers
            403.
        authorize: in place of `access`, for rules that no patterns can list: who may do what over HTTP, asked for each
            request, with every path that it names, before the store is touched; see docs/howto/authorize.md. None:
            everybody everything. Calls in process are not checked.
        access: who asks over HTTP, and what they may do: a function that is given an `AccessRequest` and gives an
            `Access` or None; see docs/howto/authorize.md. Calls in process are not checked.
        public: with `access`: patterns of what everybody may do, by the operation: `{"read": ["news/**"]}`.
        multi: serve what names several streams in one request, such as POST `-/append`. Only with this, `authorize` or
            `access`: a guard by path in front of `asgi` does not see which streams they are.
        hash_paths: lines of the log about what was refused have hashes in place of streams' paths.

    Attributes:
        authorize: who decides; None: nobody.
        cors_origins: as given.

    Raises:
        ValueError: both `authorize` and `access` are given, or a public pattern is none.
    """

    _watch: asyncio.Task[None] | None = None

    def __init__(
        self,
        store: str | Store = "memory:",
        *,
        limits: Limits | None = None,
        schemas: Mapping[str, Any] | None = None,
        cors_origins: tuple[str, ...] = (LOOPBACK,),
        introspection: bool = True,
        compression: Compression | None = None,
        serve_private: bool = False,
        authorize: Authorize | None = None,
        access: AccessFunction | None = None,
        public: Mapping[str, Iterable[str]] | None = None,
        multi: bool = False,
        hash_paths: bool = False,
    ) -> None:
        super().__init__(store, limits=limits, schemas=schemas)
        self.runtime.refusals.hash_paths = hash_paths
        self.cors_origins = cors_origins
        self._introspection = introspection
        self._compression = compression
        self._serve_private = serve_private
        if authorize is not None and (access is not None or public is not None):
            raise ValueError("authorize decides about each path by itself; give either that or access and public")
        if access is not None or public is not None:
            authorize = Guard(None if access is None else ApplicationProofs(access), public)
        self.authorize = authorize
        self._multi = multi

    async def _open(self) -> None:
        """Open the store and start; from now on a stop of uvicorn lets the live readers go."""
        await super()._open()
        self._watch = asyncio.create_task(call_when_stopping(self.drain), name="headwater-shutdown")

    async def _aclose(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        await super()._aclose()

    @cached_property
    def inside(self) -> App:
        """The application for calls in this process, such as those of `headwater.client.Stream(path, hub=hub)`.

        As with all such calls nobody is asked who may do what, and private streams are served. Do not mount it.
        """
        return App(self, with_page=False, introspection=False, manage_hub=False, serve_private=True, multi=True)

    @cached_property
    def asgi(self) -> App:
        """An ASGI application to mount: streams directly below the mount point, introspection under `/-/`.

        The application that mounts it opens the hub, with `lifespan=hub.lifespan`.
        """
        return App(
            self,
            prefix="/",
            cors_origins=self.cors_origins,
            with_page=False,
            introspection=self._introspection,
            manage_hub=False,
            compression=self._compression,
            serve_private=self._serve_private,
            authorize=self.authorize,
            multi=self._multi,
        )
