"""A site whose pages have the client for TypeScript, and nothing else: for tests in a real browser."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from conformance.browsers.tab import Tab
from playwright.sync_api import Page
from tests.support.processes import required

CLIENT = Path(__file__).parents[2] / "clients" / "typescript"
POLICY = "default-src 'none'; script-src 'self'; connect-src http://127.0.0.1:* ws://127.0.0.1:*; worker-src 'self'"
INDEX = '<!doctype html><title>client</title><script type="module" src="page.js"></script>'
#: A condition that throws fails the test at once: it would not be looked at again.
_LOOK = """new Promise((resolve, reject) => {{
    const look = async () => ({}) ? resolve() : setTimeout(() => look().catch(reject), 10)
    look().catch(reject)
}})"""


def until(page: Page | Tab, condition: str) -> None:
    """Wait for it. `wait_for_function` would need the policy to allow `eval`."""
    page.evaluate(_LOOK.format(condition))


class Files(SimpleHTTPRequestHandler):
    """Files of a directory, under a strict content security policy."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(directory: Path, entries: Sequence[str], script: str) -> Iterator[str]:
    """Where a page is that runs the script as `page.js`, with the client's entries beside it."""
    esbuild = CLIENT / "node_modules" / ".bin" / "esbuild"
    required("clients/typescript/node_modules: make it", esbuild.exists())
    options = ["--bundle", "--splitting", "--format=esm", "--target=es2022", "--log-level=error"]
    files = [f"src/{name}.ts" for name in entries]
    subprocess.run([esbuild, *files, *options, f"--outdir={directory}"], cwd=CLIENT, check=True, timeout=60)
    (directory / "page.js").write_text(script)
    (directory / "index.html").write_text(INDEX)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(directory)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()
    thread.join()
