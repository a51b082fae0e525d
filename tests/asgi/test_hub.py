"""A hub in a FastAPI application: `def` endpoints, and two applications that run at the same time."""

from __future__ import annotations

import asyncio

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from headwater import Hub
from headwater.errors import WrongLoop


def application(hub: Hub) -> FastAPI:
    """Endpoints that append in each way."""
    app = FastAPI(lifespan=hub.lifespan)

    @app.post("/thread")
    def thread() -> str:
        return hub.from_thread(hub.append("s", b"thread,")).next_offset

    @app.post("/coroutine")
    async def coroutine() -> str:
        return (await hub.append("s", b"coroutine,")).next_offset

    @app.post("/run")
    def run() -> str:
        return asyncio.run(hub.append("s", b"run,")).next_offset

    app.mount("/streams", hub.asgi)
    return app


def test_an_endpoint_that_is_no_coroutine_appends_from_its_thread() -> None:
    """What is refused was not written."""
    hub = Hub()
    with TestClient(application(hub)) as client:
        client.put("/streams/s", headers={"content-type": "text/plain"})
        assert client.post("/thread").status_code == 200
        with pytest.raises(WrongLoop):
            client.post("/run")
        assert client.post("/coroutine").status_code == 200
        assert client.get("/streams/s").content == b"thread,coroutine,"


def test_two_clients_of_one_hub_at_the_same_time() -> None:
    """Each runs a loop of its own: the second is told, and the first goes on. One after the other they work."""
    hub = Hub()
    for _ in range(2):
        with TestClient(application(hub)) as client:
            client.put("/streams/s", headers={"content-type": "text/plain"})
            with pytest.raises(WrongLoop), TestClient(application(hub)):
                pass
            assert client.post("/thread").status_code == 200
    assert not hub.is_open
