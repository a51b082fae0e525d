"""Chromium's own `WebSocket`: both doors, and a page that nobody allowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server

pytestmark = pytest.mark.slow

ROOM = """
async root => {
    const open = (path, protocols) => new Promise((resolve, reject) => {
        const socket = new WebSocket(root.replace("http", "ws") + path, protocols);
        const come = [], waiting = [];
        socket.onmessage = ({data}) => waiting.length ? waiting.shift()(data) : come.push(data);
        const closed = new Promise(done => socket.onclose = ({code, reason}) => done([code, reason]));
        socket.next = () => come.length ? Promise.resolve(come.shift()) : new Promise(take => waiting.push(take));
        socket.closed = closed;
        socket.onopen = () => resolve(socket);
        socket.onerror = () => reject("refused");
    });
    const many = await open("-/connect", "headwater.v1+json");
    const until = async t => {
        for (;;) { const message = JSON.parse(await many.next()); if (message.t === t) return message; }
    };
    for (const message of [
        {t: "hello"},
        {t: "create", id: 1, path: "room", type: "application/json"},
        {t: "sub", id: 2, path: "room", signals: true},
        {t: "append", id: 3, path: "room", r: [{text: "from many"}]},
    ]) many.send(JSON.stringify(message));
    const first = await until("data");
    const one = await open("room?raw=1");
    const told = [first.r[0].text, JSON.parse(await one.next()).text];
    one.send(JSON.stringify({text: "from one"}));
    told.push((await until("data")).r[0].text);
    many.send(JSON.stringify({t: "signal", path: "room", data: "typing"}));
    told.push((await until("signal")).data);
    many.send(JSON.stringify({t: "close", id: 4, path: "room"}));
    told.push((await until("end")).why, await one.closed);
    many.close(1000);
    told.push(await many.closed);
    const none = await open("nothing");
    told.push(await none.closed);
    return told;
}
"""
#: What it gives.
TOLD: Any = [
    *("from many", "from many", "from one", "typing", "closed"),
    [1000, "closed"],
    [1000, ""],
    [4404, "stream-not-found"],
]


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    with headwater_server("memory:") as process:
        yield process


def test_a_page_talks(server: ServerProcess, page: Page) -> None:
    """Through both doors at once; it sees why each ended."""
    page.goto(server.url)
    assert page.evaluate(ROOM, f"{server.url}/v1/stream/") == TOLD


def test_a_page_of_another_origin(server: ServerProcess, page: Page) -> None:
    """It cannot connect, whatever it knows."""
    call(server, "PUT", "/v1/stream/room", content_type="application/json")
    page.route("http://evil.test/", lambda route: route.fulfill(body="<p>evil", content_type="text/html"))
    page.goto("http://evil.test/")
    refused = page.evaluate(
        """root => new Promise(done => {
            const socket = new WebSocket(root);
            socket.onopen = () => done("open");
            socket.onclose = ({code}) => done(code);
        })""",
        f"{server.url.replace('http', 'ws')}/v1/stream/room",
    )
    assert refused == 1006
