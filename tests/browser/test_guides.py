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


MANY = ROOT / "docs" / "howto" / "many-streams.md"


def append(server: Server, path: str, *values: int) -> None:
    httpx2.post(f"{server.url}/v1/stream/{path}", json=list(values)).raise_for_status()


@pytest.mark.parametrize(
    ("mark", "keeps"),
    [
        ("run: many streams in a page", "cursor = event.lastEventId"),
        ("run: many streams with fetch", "cursor = line.cursor"),
    ],
)
def test_many_streams_on_one_connection(mark: str, keeps: str, page: Page, server: Server) -> None:
    """Streams that are there, come later and match; through a crash of the server each record is shown once."""
    fill(server, "jobs/7", "[1,2]")
    fill(server, "rooms/a", "[0]")
    code = block(MANY, "js", mark)
    assert keeps in code
    evaluate(page, server, code.replace(keeps, keeps.replace("=", "= window.kept =")))
    page.wait_for_function("shown.some(each => each.data === 2) && window.kept")
    server.restart()
    fill(server, "users/42/inbox", "[3]")
    fill(server, "rooms/b", "[4,5]")
    append(server, "jobs/7", 6)
    append(server, "rooms/a", 7)
    page.wait_for_function("[3, 4, 5, 6, 7].every(value => shown.some(each => each.data === value))")
    found = page.evaluate("shown.map(each => [each.stream, each.data])")
    by_stream = {path: [data for stream, data in found if stream == path] for path, _ in found}
    assert by_stream.pop("rooms/a") in ([0, 7], [7])
    assert by_stream == {"jobs/7": [1, 2, 6], "users/42/inbox": [3], "rooms/b": [4, 5]}


def test_typing_indicators(page: Page, server: Server) -> None:
    """Two pages see each other type, one of them comes later; a stop is told behind the message; a crash ends none."""
    fill(server, "rooms/7", "[]")
    code = block(ROOT / "docs" / "howto" / "typing.md", "js", "run: typing in a page")
    code += "; Object.assign(window, { typed, stopped, signal, events })"

    def come(where: Page, name: str) -> None:
        where.goto(f"{server.url}/-/health?me={name}")
        where.evaluate(PREPARE)
        where.evaluate(f"() => {{ {code} }}")
        where.wait_for_function("events.readyState === EventSource.OPEN")

    come(page, "ada")
    page.evaluate("typed()")
    other = page.context.new_page()
    come(other, "bob")
    other.wait_for_function("shown.at(-1) === 'ada is typing'")
    other.evaluate("typed()")
    page.wait_for_function("shown.at(-1) === 'bob is typing'")
    message = {"from": "ada", "text": "hi"}
    httpx2.post(f"{server.url}/v1/stream/rooms/7", json=message).raise_for_status()
    page.evaluate("stopped()")
    other.wait_for_function("shown.at(-1) === ''")
    assert other.evaluate("shown").index("ada: hi") == len(other.evaluate("shown")) - 2
    server.restart()
    other.wait_for_function("events.readyState === EventSource.OPEN")
    page.evaluate("typed()")
    other.wait_for_function("shown.at(-1) === 'ada is typing'")
    assert other.evaluate("shown").count("ada: hi") == 1
    page.close()
    other.wait_for_function("shown.at(-1) === ''")


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
