"""Compressed live answers in Chromium and curl: each record is there when it was sent, for early and late readers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Page
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server, required

pytestmark = pytest.mark.slow

URL = "/v1/stream/s"
PATIENCE = 60_000
#: An application whose connections are not handed over, because something wraps `send`.
WRAPPED = """
from headwater import Compression
from headwater.asgi import App, Hub

inner = App(Hub(), compression=Compression(codings={codings!r}))


async def app(scope, receive, send):
    async def wrapped(message):
        await send(message)

    await inner(scope, receive, wrapped if scope["type"] == "http" else send)
"""
EVENTS = """
url => {
    window.seen = [];
    window.ended = false;
    window.source = new EventSource(url);
    source.onmessage = event => seen.push(JSON.parse(event.data).n);
    source.addEventListener("stream-closed", () => { ended = true; });
}
"""
FETCH = """
async url => {
    window.seen = [];
    window.ended = false;
    const answer = await fetch(url, {headers: {accept: "application/x-ndjson"}});
    let rest = "";
    for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + text).split("\\n");
        rest = lines.pop();
        for (const line of lines.map(JSON.parse))
            if (line.data) seen.push(line.data.n);
    }
    window.ended = true;
}
"""


@pytest.fixture(params=["zstd", "gzip"])
def coding(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["handed over", "wrapped"])
def served(request: pytest.FixtureRequest, coding: str, tmp_path: Path) -> Iterator[ServerProcess]:
    if request.param == "handed over":
        process = headwater_server("memory:", "--compression", coding)
    else:
        (tmp_path / "served.py").write_text(WRAPPED.format(codings=(coding,)))
        command = [sys.executable, "-m", "uvicorn", "served:app", "--port", "{port}", "--log-level", "warning"]
        process = ServerProcess(command, cwd=tmp_path)
    with process:
        call(process, "PUT", URL, content_type="application/json")
        yield process


def append(server: ServerProcess, number: int, **headers: str) -> None:
    record = json.dumps({"n": number, "text": "the same words every time"})
    assert call(server, "POST", URL, record, content_type="application/json", **headers).status == 204


@pytest.mark.parametrize("script", [EVENTS, FETCH], ids=["EventSource", "fetch"])
def test_chromium_sees_each_record_as_it_comes(served: ServerProcess, coding: str, page: Page, script: str) -> None:
    """The next one is sent only when the last one was seen; a second tab comes in the middle; both see the end."""
    tabs = [page]
    codings: list[str | None] = []

    def note(tab: Page) -> None:
        tab.on(
            "response",
            lambda answer: codings.append(answer.headers.get("content-encoding")) if URL in answer.url else None,
        )
        tab.goto(f"{served.url}/-/health")
        tab.evaluate(f"url => {{ ({script})(url); }}", URL)

    note(page)
    for number in range(12):
        append(served, number)
        if number == 5:
            tabs.append(page.context.new_page())
            note(tabs[-1])
        for tab in tabs:
            tab.wait_for_function(f"seen.length === {number + 1}", timeout=PATIENCE)
    append(served, 12, stream_closed="true")
    for tab in tabs:
        tab.wait_for_function("ended", timeout=PATIENCE)
        assert tab.evaluate("seen") == list(range(13))
    assert codings[:2] == [coding, coding]


@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson"])
def test_curl_prints_each_record_as_it_comes(served: ServerProcess, accept: str) -> None:
    """`curl --compressed`, and its exit code is 0: the end of the body is a right one."""
    required("curl with zstd", shutil.which("curl") is not None and b"zstd" in subprocess.check_output(["curl", "-V"]))
    command = ["curl", "-sSN", "--compressed", "-D", "/dev/stderr", "-H", f"accept: {accept}", served.url + URL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as curl:
        assert curl.stdout is not None
        assert curl.stderr is not None
        for number in range(8):
            append(served, number)
            while b'"n": %d' % number not in curl.stdout.readline():
                pass
        append(served, 8, stream_closed="true")
        rest = curl.stdout.read()
        assert b'"n": 8' in rest
        assert b"closed" in rest
        assert b"content-encoding: " in curl.stderr.read()
    assert curl.returncode == 0


def test_strict_decoders_take_the_whole_body(served: ServerProcess, coding: str) -> None:
    """The HTTP client decodes as it reads, and a program that decodes a saved body finds it complete."""
    for number in range(100):
        append(served, number)
    headers = {"accept": "text/event-stream", "accept-encoding": coding}
    with httpx2.stream("GET", served.url + URL, headers=headers) as answer:
        lines = answer.iter_lines()
        for number in range(100, 105):
            append(served, number)
            while not (line := next(lines)).startswith(f'data:{{"n": {number},'):
                assert not line.startswith("event")
        append(served, 105, stream_closed="true")
        assert sum(line.startswith("data:{") for line in lines) == 2
    with httpx2.stream("GET", served.url + URL, headers=headers) as answer:
        body = b"".join(answer.iter_raw())
    found = (
        subprocess.run([coding, "-dc"], input=body, capture_output=True, check=True) if shutil.which(coding) else None
    )
    if coding == "gzip":
        assert found is not None
    assert found is None or found.stdout.count(b"\ndata:{") == 107
