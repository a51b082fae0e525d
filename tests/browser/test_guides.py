"""The scripts that the README, the tutorial and the how-tos show, in Chromium, against a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from playwright.sync_api import Page
from tests.docs.pages import README, ROOT, block

if TYPE_CHECKING:
    from tests.browser.conftest import Server

pytestmark = pytest.mark.slow

PREPARE = "() => { window.shown = []; window.show = window.report = window.failed = (value) => shown.push(value); }"


def fill(server: Server, path: str, body: str, **headers: str) -> None:
    """Create a JSON stream with records."""
    headers = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    httpx2.put(f"{server.url}/v1/stream/{path}", content=body, headers=headers).raise_for_status()


def evaluate(page: Page, server: Server, code: str) -> None:
    """Run a script in a page of the server's origin that has none of its own."""
    page.goto(f"{server.url}/-/health")
    page.evaluate(PREPARE)
    page.evaluate(f"() => {{ {code} }}")


def test_the_event_source_of_the_readme(page: Page, server: Server) -> None:
    """Each record is logged with its id."""
    fill(server, "hello", '[{"text":"hi"}]')
    code = block(README, "js", "run: event source").replace("http://localhost:4437", server.url)
    with page.expect_console_message(lambda message: '{"text":"hi"}' in message.text):
        evaluate(page, server, code)


def test_the_page_of_the_tutorial(page: Page, server: Server) -> None:
    """The steps, then the end."""
    fill(server, "jobs/7", '[{"step":1},{"step":2}]', stream_closed="true")
    code = block(ROOT / "docs" / "tutorial.md", "js", "run: progress").replace("/streams/", "/v1/stream/")
    evaluate(page, server, f"window.done = () => show('done'); {code}")
    page.wait_for_function("shown.at(-1) === 'done'")
    assert page.evaluate("shown") == [{"step": 1}, {"step": 2}, "done"]


def test_a_page_resumes_after_everything(page: Page, server: Server) -> None:
    """A stream that does not exist yet, a crash of the server, and a reload of the page: each record is shown once."""
    code = block(ROOT / "docs" / "howto" / "resume.md", "js", "run: resume in a page")
    with page.expect_response(lambda response: response.status == 404):
        evaluate(page, server, code)
    fill(server, "jobs/7", "[1]")
    page.wait_for_function("shown.length === 1")
    server.restart()
    httpx2.post(f"{server.url}/v1/stream/jobs/7", json=[2]).raise_for_status()
    page.wait_for_function("shown.length === 2")
    httpx2.post(f"{server.url}/v1/stream/jobs/7", json=[3]).raise_for_status()
    page.wait_for_function("shown.length === 3")
    assert page.evaluate("shown") == [1, 2, 3]
    httpx2.post(f"{server.url}/v1/stream/jobs/7", json=[4]).raise_for_status()
    page.wait_for_function("shown.length === 4")
    evaluate(page, server, code)
    httpx2.post(f"{server.url}/v1/stream/jobs/7", json=[5]).raise_for_status()
    page.wait_for_function("shown.length === 1")
    assert page.evaluate("shown") == [5]
