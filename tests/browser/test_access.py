"""Who may do what, as Chromium sees it: sessions, their refresh and their end, and pages that may not use them."""

from __future__ import annotations

import http.server
import json
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trustme
from playwright.sync_api import Browser, BrowserContext, Page, expect
from tests.docs.pages import ROOT, block
from tests.support.access import EVERYTHING, SECRET, token
from tests.support.processes import ServerProcess, headwater_server

pytestmark = pytest.mark.slow

ROOT_URL = "/v1/stream/"
JSON = {"content-type": "application/json"}

SIGN_IN = """
async ([url, token]) => (await fetch(url, { method: "POST", headers: { authorization: `Bearer ${token}` } })).status
"""
COLLECT = """
url => {
    window.seen = [], window.opens = 0, window.ended = [];
    window.source = new EventSource(url);
    source.onopen = () => { opens += 1; };
    source.onmessage = event => seen.push(event.data);
    source.addEventListener("stream-detached", event => ended.push(event.data));
}
"""


class Guarded(ServerProcess):
    """`headwater serve` that asks for tokens, under the name `localhost`."""

    def __init__(self, folder: Path) -> None:
        (folder / "access.key").write_bytes(SECRET)
        log = ["--access-log", "--log-level", "info"]
        access = ["--access-key-file", str(folder / "access.key"), "--public-read", "news/*", "--multi"]
        command = [sys.executable, "-m", "headwater", "serve", "--port", "{port}", "--store", "memory:", *access, *log]
        super().__init__(command, log=folder / "server.log")
        self.at = f"http://localhost:{self.port}"

    def as_chief(self, method: str, path: str, **more: Any) -> httpx2.Response:
        """A request that may do everything."""
        headers = {**JSON, "authorization": f"Bearer {token('chief')}"}
        return httpx2.request(method, f"{self.url}{path}", headers=headers, **more).raise_for_status()

    def make(self, path: str) -> None:
        """A stream with one record."""
        self.as_chief("PUT", ROOT_URL + path, content=b"[0]")

    def append(self, path: str, value: Any) -> None:
        """One record more."""
        self.as_chief("POST", ROOT_URL + path, json=value)

    def refused(self) -> int:
        """How many requests were another page's."""
        found = self.as_chief("GET", "/-/stats").json()["errors"]
        return int(found.get("origin-not-allowed", 0))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """One for all tests of the module; each has streams of its own."""
    with Guarded(tmp_path_factory.mktemp("guarded")) as server:
        yield server


def sign_in(page: Page, server: Guarded, sub: str, seconds: float = 300, **more: Any) -> None:
    """Begin or refresh a session, from a page of the server's own origin that has no script."""
    if not page.url.startswith(server.at):
        page.goto(f"{server.at}/-/health")
    shown = token(sub, seconds=seconds, **more)
    assert page.evaluate(SIGN_IN, [f"{server.at}{ROOT_URL}-/session", shown]) == 200


def test_a_stock_event_source_through_a_refresh(page: Page, guarded: Guarded) -> None:
    """It is not cut, misses nothing and opens once; no script sees the cookie."""
    guarded.make("refresh")
    sign_in(page, guarded, "u1", seconds=5)
    assert page.evaluate("document.cookie") == ""
    page.evaluate(COLLECT, f"{guarded.at}{ROOT_URL}refresh?offset=-1")
    page.wait_for_function("seen.length === 1")
    sign_in(page, guarded, "u1")
    end = time.time() + 5
    page.wait_for_function(f"Date.now() > {end * 1000 + 500}")
    guarded.append("refresh", "after")
    page.wait_for_function("seen.length === 2")
    assert page.evaluate("[seen, opens, ended]") == [["0", '"after"'], 1, []]


def test_a_session_that_expires_ends_its_event_source(page: Page, guarded: Guarded) -> None:
    """It is told why, comes back by itself, is refused, and stays closed."""
    guarded.make("expiry")
    sign_in(page, guarded, "u1", seconds=3)
    page.evaluate(COLLECT, f"{guarded.at}{ROOT_URL}expiry?offset=-1")
    page.wait_for_function("source.readyState === EventSource.CLOSED")
    guarded.append("expiry", "secret")
    assert page.evaluate("[seen, JSON.parse(ended[0]).reason]") == [["0"], "expired"]


def test_expiry_during_a_sleep(page: Page, guarded: Guarded) -> None:
    """The lines of the docs: a page that slept past the end of its session goes on where it was, each record once."""
    path = "users/u42/inbox"
    guarded.make(path)
    lives = [3.0, 300.0]

    def issue(route: Any) -> None:
        route.fulfill(body=token("u42", seconds=lives.pop(0) if len(lives) > 1 else lives[0]))

    page.route("**/token", issue)
    page.goto(f"{guarded.at}/-/health")
    page.evaluate("() => { window.shown = []; window.show = data => shown.push(JSON.parse(data)); }")
    code = block(ROOT / "docs" / "howto" / "authorize.md", "js", "run: session")
    page.evaluate(f"() => {{ {code.replace('source.addEventListener', '// asleep: source.addEventListener')} }}")
    page.wait_for_function("shown.length === 1")
    sleep = page.context.new_cdp_session(page)
    sleep.send("Page.setWebLifecycleState", {"state": "frozen"})
    end = time.time() + 3
    guarded.append(path, 1)
    while time.time() < end + 0.5:
        time.sleep(0.05)
    guarded.append(path, 2)
    sleep.send("Page.setWebLifecycleState", {"state": "active"})
    page.wait_for_function("shown.length === 3")
    guarded.append(path, 3)
    page.wait_for_function("shown.length === 4")
    assert page.evaluate("shown") == [0, 1, 2, 3]


def test_logout_in_one_tab_ends_the_others(context: BrowserContext, guarded: Guarded) -> None:
    """Their readers end and cannot come back; another subject's in another profile goes on."""
    guarded.make("logout")
    first, second = context.new_page(), context.new_page()
    sign_in(first, guarded, "u1")
    second.goto(f"{guarded.at}/-/health")
    for tab in (first, second):
        tab.evaluate(COLLECT, f"{guarded.at}{ROOT_URL}logout?offset=-1")
        tab.wait_for_function("seen.length === 1")
    ask = "async url => (await (await fetch(url, { method: 'DELETE' })).json()).ended"
    assert first.evaluate(ask, f"{guarded.at}{ROOT_URL}-/session") == 2
    guarded.append("logout", "secret")
    for tab in (first, second):
        tab.wait_for_function("source.readyState === EventSource.CLOSED")
        assert tab.evaluate("[seen, JSON.parse(ended[0]).reason]") == [["0"], "revoked"]


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>evil</title>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[int]:
    """A server of pages at another port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


ATTACK = """
async ([url, stream]) => {
    const told = [];
    const ask = async (path, options) => {
        const answer = await fetch(url + path, { credentials: "include", ...options }).catch(() => ({ status: 0 }));
        told.push(answer.status);
    };
    await ask(stream, { method: "POST", mode: "no-cors", body: "9", headers: { "content-type": "text/plain" } });
    await ask(stream, { method: "POST", body: "9", headers: { "content-type": "application/json" } });
    await ask(stream, { method: "PUT", body: "9" });
    await ask(stream, { method: "DELETE" });
    await ask("-/session", { method: "DELETE" });
    await ask("-/session", { method: "POST", mode: "no-cors" });
    await ask("-/ticket", { method: "POST", mode: "no-cors", body: `{"read":["${stream}"]}` });
    await ask("-/append", { method: "POST", mode: "no-cors", body: `{"stream":"${stream}","data":9}\\n` });
    await ask("-/many?stream=" + stream, { mode: "no-cors" });
    for (const path of [stream, "-/connect"]) told.push(await new Promise(done => {
        const socket = new WebSocket(url.replace("http", "ws") + path, path === stream ? [] : ["headwater.v1+json"]);
        // One that shows nothing may come in, and be told that it may do nothing.
        socket.onopen = () => {
            socket.send('{"t":"hello"}');
            socket.send(`{"t":"append","id":1,"path":"${stream}","r":[9]}`);
        };
        socket.onmessage = ({ data }) => {
            const { t, code } = JSON.parse(data);
            if (t === "err" || t === "ok") { socket.close(); done(code === "not-authorized" ? 401 : 101); }
        };
        socket.onerror = () => done(0);
    }));
    told.push(await new Promise(done => {
        const source = new EventSource(url + stream, { withCredentials: true });
        source.onopen = () => { source.close(); done(200); };
        source.onerror = () => { source.close(); done(0); };
    }));
    told.push(await new Promise(done => {
        const image = new Image();
        image.onload = () => done(200);
        image.onerror = () => done(0);
        image.src = url + stream;
    }));
    return told;
}
"""


@pytest.mark.parametrize("kind", ["same site", "another site", "null"])
def test_another_page_with_the_cookie(page: Page, guarded: Guarded, elsewhere: int, kind: str) -> None:
    """Whatever it tries, nothing is read, written or ended: on every method, on WebSocket, and without scripts."""
    stream = f"attacked-{kind.replace(' ', '-')}"
    guarded.make(stream)
    sign_in(page, guarded, "u1")
    before = guarded.refused()
    # To a browser two ports of a host are one site, and so its cookie goes with all that such a page asks for.
    host = "127.0.0.1" if kind == "another site" else "localhost"
    page.goto(f"http://{host}:{elsewhere}/")
    target: Any = page
    if kind == "null":
        page.evaluate('document.body.innerHTML = \'<iframe sandbox="allow-scripts" srcdoc="<p>evil</p>"></iframe>\'')
        page.frame_locator("iframe").locator("p").wait_for()
        target = page.frames[1]
    told = target.evaluate(ATTACK, [f"{guarded.at}{ROOT_URL}", stream])
    # What is asked without a word of CORS has no status that a page sees: it is 0, allowed or not.
    assert set(told) <= {0, 401, 403}, told
    records = guarded.as_chief("GET", f"{ROOT_URL}{stream}").json()
    assert records == [0]
    if kind == "same site":
        assert guarded.refused() - before >= 9
    page.goto(f"{guarded.at}/-/health")
    mine = page.evaluate("async url => (await fetch(url)).status", f"{guarded.at}{ROOT_URL}-/session")
    assert mine == 200, "the session is as it was"


def test_over_https(browser: Browser, tmp_path: Path) -> None:
    """The cookie is of this host alone; its reader is live over TLS, and a logout ends it."""
    authority, trusted = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(trusted)
    made = authority.issue_cert("localhost")
    made.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "cert.pem"))
    (tmp_path / "access.key").write_bytes(SECRET)
    flags = ["--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "cert.pem")]
    access = ["--access-key-file", str(tmp_path / "access.key")]
    with headwater_server("memory:", *flags, *access, tls=trusted) as server:
        context = browser.new_context(ignore_https_errors=True)
        try:
            page, stream = context.new_page(), f"{server.url}{ROOT_URL}safe"
            page.goto(f"{server.url}/-/health")
            assert page.evaluate(SIGN_IN, [f"{server.url}{ROOT_URL}-/session", token("u1")]) == 200
            (cookie,) = context.cookies()
            assert (cookie["name"], cookie["secure"], cookie["httpOnly"]) == ("__Host-headwater", True, True)
            assert (cookie["sameSite"], cookie["path"]) == ("Strict", "/")
            assert page.evaluate("async url => (await fetch(url, { method: 'PUT', body: '0' })).status", stream) == 201
            page.evaluate(COLLECT, f"{stream}?offset=-1")
            page.wait_for_function("seen.length === 1")
            ask = "async url => (await (await fetch(url, { method: 'DELETE' })).json()).ended"
            assert page.evaluate(ask, f"{server.url}{ROOT_URL}-/session") == 1
            page.wait_for_function("source.readyState === EventSource.CLOSED")
            assert context.cookies() == []
        finally:
            context.close()


MOUNTED = """
from fastapi import FastAPI, Response
from headwater import Access, Hub

def access(request):
    user = request.cookie("app")
    return Access(user, read=["**"], append=["**"], create=["**"], delete=["**"], list=["**"]) if user else None

hub = Hub(access=access)
app = FastAPI(lifespan=hub.lifespan)
app.mount("/v1/stream", hub.asgi)

@app.get("/in")
def sign_in(response: Response):
    response.set_cookie("app", "u1", samesite="none", secure=True)
"""


def test_another_site_with_an_application_s_cookie(page: Page, elsewhere: int, tmp_path: Path) -> None:
    """One that browsers send with whatever site's requests: each is refused, and a WebSocket, too."""
    (tmp_path / "served.py").write_text(MOUNTED)
    command = [sys.executable, "-m", "uvicorn", "served:app", "--port", "{port}", "--log-level", "warning"]
    with ServerProcess(command, health="/v1/stream/-/health", cwd=tmp_path) as server:
        at, mine = f"http://localhost:{server.port}", {**JSON, "cookie": "app=u1"}
        own = {**mine, "origin": at, "host": f"localhost:{server.port}"}
        httpx2.put(f"{server.url}{ROOT_URL}attacked", headers=own, content=b"[0]").raise_for_status()
        page.goto(f"{at}/in")
        ask = "async url => (await fetch(url, { credentials: 'include' })).status"
        assert page.evaluate(ask, f"{at}{ROOT_URL}attacked") == 200
        page.goto(f"http://127.0.0.1:{elsewhere}/")
        before = errors(server, own)
        told = page.evaluate(ATTACK, [f"{at}{ROOT_URL}", "attacked"])
        assert set(told) <= {0, 401, 403}, told
        assert errors(server, own) - before >= 8
        assert httpx2.get(f"{server.url}{ROOT_URL}attacked", headers=own).json() == [0]


def errors(server: ServerProcess, headers: dict[str, str]) -> int:
    """How many requests were another page's."""
    found = httpx2.get(f"{server.url}{ROOT_URL}-/stats", headers=headers)
    return int(found.json()["errors"].get("origin-not-allowed", 0))


def test_the_page_has_a_login(context: BrowserContext, guarded: Guarded) -> None:
    """A token is pasted, the streams are there, another tab too; signed out, nothing is."""
    guarded.make("shown")
    page, other = context.new_page(), context.new_page()
    for tab in (page, other):
        tab.goto(f"{guarded.at}/")
        expect(tab.get_by_role("dialog", name="Sign in")).to_be_visible()
    page.get_by_label("Token").fill("nonsense")
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()
    expect(page.locator("#login-note")).to_contain_text("does not take")
    page.get_by_label("Token").fill(token("u1"))
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()
    for tab in (page, other):
        expect(tab.locator("#subject")).to_have_text("u1")
        expect(tab.locator("#streams")).to_contain_text("shown")
    page.goto(f"{guarded.at}/#shown")
    expect(page.locator("#phase")).to_have_text("Live")
    page.get_by_label("JSON", exact=False).locator("visible=true").last.wait_for()
    page.get_by_role("button", name="Room").click()
    expect(page.locator("#members")).to_contain_text("guest")
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Sign out").click()
    for tab in (page, other):
        expect(tab.get_by_role("dialog", name="Sign in")).to_be_visible()
        expect(tab.locator("#subject")).to_have_text("Not signed in")


def test_a_login_without_list(page: Page, guarded: Guarded) -> None:
    """Who may read one stream reads it, and is not told what else there is."""
    guarded.make("mine")
    streams = {"read": ["mine"]}
    assert set(streams) < set(EVERYTHING)
    sign_in(page, guarded, "u2", streams=streams)
    page.goto(f"{guarded.at}/#mine")
    expect(page.locator("#phase")).to_have_text("Live")
    expect(page.locator("#streams-note")).to_contain_text("does not allow list")
    assert json.loads(page.evaluate("async () => (await fetch('/-/readers')).text()"))["code"] == "not-granted"


def test_the_page_shows_who_appended(page: Page, guarded: Guarded) -> None:
    """By the proof of each, as text, with the issuer in a title; what a record says of itself is only data."""
    guarded.make("who")

    def append(sub: str, value: Any) -> None:
        headers = {"authorization": f"Bearer {token(sub)}"}
        httpx2.post(f"{guarded.url}{ROOT_URL}who", json=value, headers=headers).raise_for_status()

    append("u1", {"by": {"subject": "root"}})
    append("<b>u2</b>", 2)
    sign_in(page, guarded, "chief")
    page.goto(f"{guarded.at}/#who")
    names = page.locator("#rows .by")
    expect(names).to_have_text(["chief", "u1", "<b>u2</b>"])
    expect(page.locator("#rows .data").nth(1)).to_have_text('u1 {"by":{"subject":"root"}}')
    expect(names.first).to_have_attribute("title", "Appended by chief of headwater")
    append("u3", 3)
    expect(names.last).to_have_text("u3")
