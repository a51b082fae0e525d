"""WPT's tests of EventSource on ReconnectingEventSource, and on the browser's own, in Chromium.

`python clients/typescript/conformance/wpt.py EVENTSOURCE TESTHARNESS [CHROMIUM]` takes a copy of WPT's folder
`eventsource`, of which it reads `*.any.js` and `*.window.js`, and one of `resources/testharness.js`. What WPT's
resources answer is here.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import run
from urllib.parse import unquote_to_bytes, urlsplit

from playwright.sync_api import Browser, TimeoutError, sync_playwright

CLIENT = Path(__file__).parents[1]
HOST = "wpt.test"
SSE = "text/event-stream"
#: Milliseconds for all tests of one file.
PATIENCE = 12_000
RULES = "--host-resolver-rules=MAP *.wpt.test 127.0.0.1, MAP wpt.test 127.0.0.1"
CALLBACK = """
add_completion_callback((tests) => {
  globalThis.outcome = tests.map(({ name, status, message }) => [name, status, message])
})
"""
Answer = tuple[int, list[tuple[str, str]], bytes]


class Request:
    """What a resource looks at."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        query = urlsplit(handler.path).query
        pairs = [part.partition("=") for part in query.split("&") if part]
        self._query = {name: unquote_to_bytes(value.replace("+", " ")) for name, _, value in pairs}
        self.headers = handler.headers
        self.cookies: SimpleCookie = SimpleCookie(handler.headers.get("cookie", ""))

    def get(self, name: str, default: str | bytes) -> bytes:
        """A parameter of the query."""
        return self._query.get(name, default if isinstance(default, bytes) else default.encode())

    def text(self, name: str, default: str) -> str:
        """The same, as text."""
        return self.get(name, default).decode()

    def has(self, name: str) -> bool:
        """Whether it is there."""
        return name in self._query

    def cookie(self, name: str) -> str:
        """A cookie's value."""
        return self.cookies[name].value if name in self.cookies else ""

    @property
    def last_id(self) -> bytes:
        """`Last-Event-ID` as bytes."""
        return self.headers.get("last-event-id", "").encode("latin1")


def message(request: Request) -> Answer:
    """What it is asked to say."""
    newline = b"" if request.get("newline", "") == b"none" else b"\n\n"
    time.sleep(int(request.get("sleep", "0")) / 1000)
    mime = request.text("mime", SSE)
    return 200, [("Content-Type", mime)], request.get("message", "data: data") + newline + b"\n"


def message2(_request: Request) -> Answer:
    """Lines with and without data."""
    body = b"data:msg\ndata: msg\n\n:\nfalsefield:msg\n\nfalsefield:msg\nData:data\n\ndata\n\ndata:end\n\n"
    return 200, [("Content-Type", SSE)], body


def accept(request: Request) -> Answer:
    """The header `Accept`."""
    return 200, [("Content-Type", SSE)], f"data: {request.headers.get('accept', '')}\n\n".encode()


def cache_control(request: Request) -> Answer:
    """The header `Cache-Control`."""
    return 200, [("Content-Type", SSE)], f"retry: 2\ndata: {request.headers.get('cache-control', '')}\n\n".encode()


def last_event_id(request: Request) -> Answer:
    """The id that came, or the first one."""
    if request.last_id:
        return 200, [("Content-Type", SSE)], b"data: " + request.last_id + b"\n\n"
    body = b"id: " + request.get("idvalue", "\u2026") + b"\nretry: 200\ndata: hello\n\n"
    return 200, [("Content-Type", SSE)], body


def last_event_id2(request: Request) -> Answer:
    """Ids that stay and ids that are reset."""
    bodies = {
        "1": b"id: 1\ndata: 1\n\ndata: 2\n\nid: 2\ndata: 3\n\ndata: 4\n\n",
        "2": b"id: 1\ndata: 1\n\nid:\ndata: 2\n\ndata: 3\n\n",
        "3": b"id: 1\ndata: 1\n\nid\ndata: 2\n\ndata: 3\n\n",
    }
    return 200, [("Content-Type", SSE)], bodies[request.text("type", "1")]


def status_error(request: Request) -> Answer:
    """Any status, with an event."""
    return int(request.text("status", "404")), [("Content-Type", SSE)], b"data: data\n\n"


def status_reconnect(request: Request) -> Answer:
    """A status first, then an event."""
    status = request.text("status", "404")
    name = "request" + request.text("id", status)
    if request.cookie(name) == status:
        return 200, [("Content-Type", SSE), ("Set-Cookie", f"{name}=; Max-Age=0; Path=/")], b"data: data\n\n"
    body = b"retry: 2\n" + (b"data: ok\n\n" if request.has("ok_first") else b"")
    return int(status), [("Content-Type", SSE), ("Set-Cookie", f"{name}={status}; Path=/")], body


def reconnect_fail(request: Request) -> Answer:
    """Twice an event, then the end."""
    name = "recon_fail_" + request.text("id", "")
    match request.cookie(name):
        case "opened":
            return 200, [("Content-Type", SSE), ("Set-Cookie", f"{name}=reconnected")], b"data: reconnected\n\n"
        case "reconnected":
            return 204, [("Content-Type", SSE), ("Set-Cookie", f"{name}=; Max-Age=0")], b""
        case _:
            return 200, [("Content-Type", SSE), ("Set-Cookie", f"{name}=opened")], b"retry: 2\ndata: opened\n\n"


def redirect(request: Request) -> Answer:
    """To where it is asked to."""
    return int(request.text("status", "302")), [("Location", request.text("location", "/"))], b""


def cors(request: Request) -> Answer:
    """Another resource, for other origins."""
    origin = request.text("origin", request.headers.get("origin", ""))
    status, headers, body = RESOURCES[request.text("run", "message")](request)
    allowed = [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true")]
    return status, [*headers, *allowed], body


def cors_cookie(request: Request) -> Answer:
    """Whether a cookie came."""
    ident = request.text("ident", "test")
    there = "COOKIE" if request.cookie(ident) else "NO_COOKIE"
    headers = [("Content-Type", SSE), ("Access-Control-Allow-Origin", request.headers.get("origin", ""))]
    headers.append(("Access-Control-Allow-Credentials", "true"))
    if request.last_id:
        return 200, headers, f"data: second {there}\n\n".encode()
    body = f"id: 1\nretry: 200\ndata: first {there}\n\n".encode()
    return 200, [*headers, ("Set-Cookie", f"{ident}=COOKIE")], body


RESOURCES: dict[str, Callable[[Request], Answer]] = {
    "message": message,
    "message2": message2,
    "accept": accept,
    "cache-control": cache_control,
    "last-event-id": last_event_id,
    "last-event-id2": last_event_id2,
    "status-error": status_error,
    "status-reconnect": status_reconnect,
    "reconnect-fail": reconnect_fail,
    "redirect": redirect,
    "cors": cors,
    "cors-cookie": cors_cookie,
}


class Handler(BaseHTTPRequestHandler):
    """Resources, and the files of one folder."""

    files: Path

    def do_GET(self) -> None:
        """Of any method that has no body."""
        path = urlsplit(self.path).path
        name = path.rpartition("/")[2].partition(".")[0]
        if name in RESOURCES and path.endswith((".py", ".event_stream")):
            return self._reply(*RESOURCES[name](Request(self)))
        file = self.files / path.rpartition("/")[2]
        if not file.is_file():
            return self._reply(404, [], b"")
        types = {".js": "text/javascript; charset=utf-8", ".html": "text/html; charset=utf-8"}
        return self._reply(200, [("Content-Type", types[file.suffix])], file.read_bytes())

    do_OPTIONS = do_GET

    def _reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for header in headers:
            self.send_header(*header)
        self.end_headers()
        # Who does not wait for it has gone.
        with contextlib.suppress(OSError):
            self.wfile.write(b"" if status in (204, 205) else body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is written down."""


#: What the tests know as `EventSource`: the browser's, the drop-in as it is, and without its statuses.
KINDS = {
    "native": "",
    "own": "self.EventSource = class EventSource extends Own {}",
    "strict": "self.EventSource = class EventSource extends Own {\n"
    "  constructor(url, init) { super(url, { ...init, retryStatuses: [] }) }\n}",
}


def bundle(kind: str, folder: Path) -> None:
    """A script that puts an EventSource in place."""
    code = KINDS[kind]
    if not code:
        (folder / f"{kind}.js").write_text("")
        return
    source = (CLIENT / "src" / "eventsource.ts").as_posix()
    entry = folder / f"{kind}.ts"
    entry.write_text(f'import {{ ReconnectingEventSource as Own }} from "{source}"\n{code}')
    esbuild = CLIENT / "node_modules" / ".bin" / "esbuild"
    options = ["--bundle", "--format=iife", "--target=es2022", f"--outfile={folder / kind}.js"]
    run([esbuild, entry, *options], check=True, capture_output=True)


def page(title: str, scripts: Sequence[str], more: str = "") -> str:
    """A page that loads these scripts."""
    tags = "".join(f'<script src="{name}"></script>' for name in scripts)
    return f"<!doctype html><meta charset=utf-8><title>{title}</title>{tags}{more}"


def pages(tests: Path, harness: Path, folder: Path) -> list[str]:
    """Pages for each test and each kind, in the window and, where it is for all globals, in a worker."""
    (folder / "testharness.js").write_bytes(harness.read_bytes())
    (folder / "callback.js").write_text(CALLBACK)
    for kind in KINDS:
        bundle(kind, folder)
    names = []
    for test in sorted([*tests.glob("*.any.js"), *tests.glob("*.window.js")]):
        text = test.read_text()
        (folder / test.name).write_text(text)
        title = text.split("title=")[1].split("\n")[0] if "title=" in text else test.name
        for kind in KINDS:
            name = f"{test.name}.{kind}"
            scripts = ["testharness.js", "callback.js", f"{kind}.js", test.name]
            (folder / f"{name}.window.html").write_text(page(title, scripts))
            names.append(f"{name}.window")
            if test.name.endswith(".any.js"):
                loads = ", ".join(f'"{script}"' for script in scripts if script != "callback.js")
                (folder / f"{name}.worker.js").write_text(f"importScripts({loads}); done()")
                start = f'<script>fetch_tests_from_worker(new Worker("{name}.worker.js"))</script>'
                (folder / f"{name}.worker.html").write_text(page(title, scripts[:2], start))
                names.append(f"{name}.worker")
    return names


def judge(browser: Browser, url: str) -> list[tuple[str, bool, str]]:
    """The outcome of each test of a page."""
    tab = browser.new_page()
    try:
        tab.goto(url, wait_until="commit")
        tab.wait_for_function("globalThis.outcome", timeout=PATIENCE)
        outcome = tab.evaluate("outcome")
        return [(name, status == 0, message or "") for name, status, message in outcome]
    except TimeoutError:
        return [("the page", False, "no outcome in time")]
    finally:
        tab.close()


def main() -> int:
    """Print each failure, and counts."""
    tests, harness = map(Path, sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        names = pages(tests, harness, Path(folder))
        Handler.files = Path(folder)
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://{HOST}:{server.server_address[1]}/eventsource/"
        options = ["--no-sandbox", "--disable-gpu", RULES]
        browser = playwright.chromium.launch(executable_path=sys.argv[3] if len(sys.argv) > 3 else None, args=options)
        counts: dict[str, list[int]] = {}
        for name in names:
            kind = ".".join(name.rsplit(".", 2)[1:])
            for title, passed, told in judge(browser, f"{base}{name}.html"):
                counts.setdefault(kind, [0, 0])[not passed] += 1
                if not passed:
                    sys.stdout.write(f"FAILED {name}: {title}: {told.partition(chr(10))[0]}\n")
        for kind, (passed_count, failed) in sorted(counts.items()):
            sys.stdout.write(f"{kind}: {passed_count} passed, {failed} failed\n")
        browser.close()
        server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
