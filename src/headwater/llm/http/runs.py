"""Routes for runs by their ids: for further viewers, other dialects, and runs that have ended.

| request | answer |
| --- | --- |
| `GET /{run}` | its state, as JSON |
| `GET /{run}/stream` | the run, from its start or behind `?offset=`, in `?dialect=`, whether it runs or has ended |
| `POST /{run}/stop` | stops it; the partial answer is kept |
"""

from __future__ import annotations

from headwater.errors import RouteNotFound, RunNotFound
from headwater.llm.http.routes import Request, Routes, only
from headwater.llm.runs.layout import RunInfo
from headwater.protocol.asks import Operation
from headwater.protocol.responses import Answer


class Watch(Routes):
    """The routes, as an ASGI application to mount: `app.mount("/runs", Watch(runs))`. See `Routes`.

    A run that has an owner is that owner's alone. One without is for whoever knows its id and, where the hub says who
    may do what, is granted `runs/{run}`: `read` to watch it, `close` to stop it.
    """

    async def answer(self, request: Request) -> Answer | None:
        """See `Routes.answer`."""
        match request.parts:
            case [run]:
                only(request, "GET")
                return self.described(await self._found(request, Operation.READ, run))
            case [run, "stream"]:
                only(request, "GET")
                await self._found(request, Operation.READ, run)
                await self.tell(request, run)
                return None
            case [run, "stop"]:
                only(request, "POST")
                await self._found(request, Operation.CLOSE, run)
                return self.described(await self.runs.stop(run, reason="stopped by a reader"))
        raise RouteNotFound("there are: GET {run}, GET {run}/stream and POST {run}/stop")

    async def _found(self, request: Request, operation: Operation, run: str) -> RunInfo:
        """A run, if its asker may do this with it.

        Raises:
            HeadwaterError: they may not.
            RunNotFound: there is none, or it is somebody else's.
        """
        asker = await self.asker_of(request, operation, f"runs/{run}")
        info = await self.runs.get(run)
        if not asker.has(info):
            raise RunNotFound(f"there is no run {run!r}")
        return info
