"""Routes for runs by their ids: for further viewers, other dialects, and runs that have ended.

| request | answer |
| --- | --- |
| `GET /{run}` | its state, as JSON |
| `GET /{run}/stream` | the run, from its start or behind `?offset=`, in `?dialect=`, whether it runs or has ended |
| `POST /{run}/stop` | stops it; the partial answer is kept |
"""

from __future__ import annotations

from headwater.errors import RouteNotFound
from headwater.llm.http.routes import Request, Routes, only
from headwater.protocol.asks import Operation
from headwater.protocol.responses import Answer


class Watch(Routes):
    """The routes, as an ASGI application to mount: `app.mount("/runs", Watch(runs))`. See `Routes`."""

    async def answer(self, request: Request) -> Answer | None:
        """See `Routes.answer`."""
        match request.parts:
            case [run]:
                only(request, "GET")
                owner = await self.owner_of(request, Operation.READ, f"runs/{run}")
                return self.described(await self.runs.get(run, owner=owner))
            case [run, "stream"]:
                only(request, "GET")
                owner = await self.owner_of(request, Operation.READ, f"runs/{run}")
                await self.runs.get(run, owner=owner)
                await self.tell(request, run)
                return None
            case [run, "stop"]:
                only(request, "POST")
                owner = await self.owner_of(request, Operation.CLOSE, f"runs/{run}")
                info = await self.runs.stop(run, owner=owner, reason="stopped by a reader")
                return self.described(info)
        raise RouteNotFound("there are: GET {run}, GET {run}/stream and POST {run}/stop")
