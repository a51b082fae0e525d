"""The chat of examples/chat in Chromium, on the scripted model, against a server that is killed on the way."""

from __future__ import annotations

import contextlib
import json
import re
import select
import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any, Self

import httpx2
import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from tests.support.processes import ServerProcess

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "examples" / "chat" / "static"
ANSWERS = ROOT / "examples" / "chat" / "answers"
SURVIVES = (ANSWERS / "survives.md").read_text("utf-8")
HOSTILE = (ANSWERS / "hostile.md").read_text("utf-8")
#: Milliseconds the page may take for an answer, a reconnect and what follows.
PATIENCE = 60_000


@pytest.fixture
def chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerProcess]:
    """The chat's server on the scripted model, with an empty store."""
    monkeypatch.setenv("DEMO_MODEL", "scripted")
    monkeypatch.setenv("DEMO_PAUSE", "0.01")
    monkeypatch.setenv("DEMO_STORE", f"sqlite:{tmp_path}/chat.db")
    command = [sys.executable, "-m", "examples.chat.app", "--port", "{port}"]
    with ServerProcess(command, health="/api/model", cwd=ROOT) as server:
        yield server


@pytest.fixture
def context(context: BrowserContext) -> BrowserContext:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    return context


@pytest.fixture
def errors(page: Page) -> Iterator[list[str]]:
    """What the page's scripts and its policy complain of: nothing, at the end of each test that has this."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    yield found
    assert found == []


def visit(page: Page, server: ServerProcess) -> None:
    page.goto(server.url)
    expect(page.locator("#tries button")).not_to_have_count(0)


def ask(page: Page, text: str) -> None:
    page.get_by_label("Your question").fill(text)
    page.keyboard.press("Enter")


def turn(page: Page, state: str = "") -> Any:
    """The last turn; in a state."""
    return page.locator(f".turn:last-child[data-state={state}]" if state else ".turn:last-child")


def until(page: Page, condition: Callable[[], Any]) -> Any:
    """The first true value of a condition, while the page goes on."""
    for _ in range(PATIENCE // 20):
        if found := condition():
            return found
        page.wait_for_timeout(20)
    raise AssertionError("it did not happen")


def copied(page: Page) -> str:
    """The last answer as the page has it, through its button and the clipboard."""
    button = turn(page).locator(".actions .copy")
    button.click()
    expect(button).to_have_text("Copied")
    return str(page.evaluate("navigator.clipboard.readText()"))


def busy(server: ServerProcess) -> int:
    return int(httpx2.get(f"{server.url}/api/model").json()["busy"])


def run_of(page: Page, server: ServerProcess) -> dict[str, Any]:
    """The last turn's run, as the server has it."""
    id = page.locator("#run").get_attribute("title")
    found: dict[str, Any] = httpx2.get(f"{server.url}/api/runs/{id}").json()
    return found


class Cutter:
    """A network between the page and the server; with a `limit` it cuts each connection after so many bytes."""

    def __init__(self, port: int) -> None:
        self.limit = 0
        self.cuts = 0
        self._port = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = Thread(target=self._accept)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError), ThreadPoolExecutor(50) as connections:
            while True:
                connections.submit(self._serve, self._listening.accept()[0])

    def _serve(self, client: socket.socket) -> None:
        passed = 0
        with client, socket.create_connection(("127.0.0.1", self._port)) as server, contextlib.suppress(OSError):
            while not 0 < self.limit < passed:
                for source in select.select([client, server], [], [])[0]:
                    data = source.recv(512)
                    if not data:
                        return
                    (server if source is client else client).sendall(data)
                    passed += len(data) if source is server else 0
            self.cuts += 1


def hide(page: Page, hidden: bool) -> None:
    """What a browser tells a tab that another one covers, and that is seen again."""
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def test_an_answer_is_written_as_it_comes(page: Page, chat: ServerProcess, errors: list[str]) -> None:
    """Headings, lists, code, quotes, links; a caret while it grows; and nothing is loaded from elsewhere."""
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    visit(page, chat)
    expect(page.locator("#badge")).to_be_visible()
    expect(page.locator("#model")).to_contain_text("no AI")
    ask(page, "What survives?")
    expect(turn(page, "running").locator(".answer li")).not_to_have_count(0)
    expect(page.locator("#state")).to_have_text("running")
    page.wait_for_function(
        """() => {
            const open = document.querySelector(".answer .open");
            return open && getComputedStyle(open, "::after").content === '""';
        }"""
    )
    expect(turn(page, "finished")).to_be_visible(timeout=60_000)
    expect(turn(page, "finished").locator(".verdict")).to_be_hidden()
    answer = turn(page).locator(".answer")
    expect(answer.locator("h4")).to_have_text("What survives")
    expect(answer.locator(".open")).to_have_count(0)
    expect(answer.locator("> ol > li")).to_have_count(5)
    expect(answer.locator("> ol > li > ul > li")).to_have_count(2)
    expect(answer.locator("> ol > li > figure code")).to_have_text(re.compile("^curl -N .*text'$"))
    expect(answer.locator("blockquote p")).to_have_text(re.compile("^No end is silent"))
    expect(answer.locator("> figure code")).to_contain_text('runs = Runs(Hub("sqlite:app.db"))\napp = FastAPI')
    link = answer.get_by_role("link", name="SQLite")
    assert (link.get_attribute("href"), link.get_attribute("rel")) == (
        "https://sqlite.org/",
        "noopener noreferrer nofollow",
    )
    assert copied(page) == SURVIVES
    answer.locator("> figure .copy").click()
    expect(answer.locator("> figure .copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("from fastapi import FastAPI\n")
    assert [url for url in urls if not url.startswith((chat.url, "data:"))] == []


def test_a_reload_in_the_middle(page: Page, chat: ServerProcess, errors: list[str]) -> None:
    """The answer goes on meanwhile; the page has all of it, once."""
    visit(page, chat)
    ask(page, "What survives?")
    expect(turn(page, "running").locator(".answer li").nth(1)).to_be_visible()
    first = run_of(page, chat)["run"]
    page.reload()
    expect(page.locator("#note")).to_contain_text("joined late")
    expect(turn(page, "finished")).to_be_visible()
    assert copied(page) == SURVIVES
    assert run_of(page, chat)["run"] == first
    page.reload()
    expect(turn(page, "finished")).to_be_visible()
    assert copied(page) == SURVIVES
    expect(page.locator(".turn")).to_have_count(1)


def test_a_second_tab_is_in_step(page: Page, context: BrowserContext, chat: ServerProcess) -> None:
    """It shows a question that was asked in the first, and the same answer at the same time, and vice versa."""
    visit(page, chat)
    ask(page, "Fail in the middle")
    expect(turn(page, "failed")).to_be_visible()
    other = context.new_page()
    other.goto(page.url)
    expect(turn(other, "failed").locator(".verdict")).to_contain_text("Failed: the source raised OSError")
    ask(page, "What survives?")
    expect(other.locator(".question").nth(1)).to_have_text("What survives?")
    expect(turn(other, "running").locator(".answer li")).not_to_have_count(0)
    expect(page.locator("#viewers")).to_have_text("2 viewers")
    for tab in (page, other):
        expect(turn(tab, "finished")).to_be_visible()
        tab.bring_to_front()
        assert copied(tab) == SURVIVES
        expect(tab.locator(".turn")).to_have_count(2)
    other.locator(".turn:last-child .again").click()
    expect(turn(page, "running")).to_be_visible()
    other.keyboard.press("Escape")
    expect(turn(page, "stopped")).to_be_visible()
    assert turn(page).locator(".answer").inner_text() == turn(other).locator(".answer").inner_text()
    expect(page.locator(".turn")).to_have_count(2)


def test_a_hidden_tab_lets_go_and_comes_back(page: Page, chat: ServerProcess, errors: list[str]) -> None:
    """It holds no connection meanwhile, and goes on at its offset."""
    visit(page, chat)
    ask(page, "What survives?")
    expect(turn(page, "running").locator(".answer li")).not_to_have_count(0)
    hide(page, True)
    until(page, lambda: run_of(page, chat)["readers"] == 0)
    shown = turn(page).locator(".answer").inner_text()
    offset = page.locator("#offset").get_attribute("title")
    until(page, lambda: run_of(page, chat)["offset"] > str(offset))
    assert turn(page).locator(".answer").inner_text() == shown
    hide(page, False)
    expect(page.locator("#note")).to_have_attribute("title", f"resumed at offset {offset}")
    expect(turn(page, "finished")).to_be_visible()
    assert copied(page) == SURVIVES


def test_every_connection_is_cut(page: Page, chat: ServerProcess) -> None:
    """Again and again, anywhere in an event; the page comes back at its offsets by itself, and has all of it once."""
    with Cutter(chat.port) as network:
        page.goto(network.url)
        expect(page.locator("#tries button")).not_to_have_count(0)
        network.limit = 2500
        ask(page, "What survives?")
        expect(page.locator("#note")).to_contain_text("resumed at offset")
        expect(turn(page, "finished")).to_be_visible()
        network.limit = 0
        assert copied(page) == SURVIVES
        assert network.cuts > 3
        page.close()  # and with it the connections


def test_a_stop_reaches_the_model(page: Page, chat: ServerProcess, errors: list[str]) -> None:
    """By key and by button; what was said is kept, and can be asked for again."""
    visit(page, chat)
    ask(page, "Count, so that I can stop you")
    expect(turn(page, "running").locator(".answer")).to_contain_text("1 2 3 4 5")
    assert busy(chat) == 1
    first = run_of(page, chat)["run"]
    page.keyboard.press("Escape")
    expect(turn(page, "stopped").locator(".verdict")).to_have_text("Stopped. What was said before is kept.")
    assert (busy(chat), run_of(page, chat)["state"]) == (0, "stopped")
    assert copied(page).startswith("1 2 3 4 5 ")
    turn(page).get_by_role("button", name="Regenerate").click()
    expect(turn(page, "running").locator(".answer")).to_contain_text("1 2 3 4 5")
    assert run_of(page, chat)["run"] != first
    page.get_by_role("button", name="Stop").click()
    expect(turn(page, "stopped")).to_be_visible()
    until(page, lambda: busy(chat) == 0)
    page.reload()
    expect(turn(page, "stopped").locator(".verdict")).to_contain_text("Stopped.")
    expect(page.locator(".turn")).to_have_count(1)


def test_a_killed_server_is_no_silent_end(page: Page, chat: ServerProcess) -> None:
    """The partial answer stays and is marked as lost, also after a reload; then the chat goes on."""
    visit(page, chat)
    ask(page, "Count, so that I can stop you")
    expect(turn(page, "running").locator(".answer")).to_contain_text("1 2 3 4 5")
    chat.kill()
    expect(page.locator("#trouble")).to_have_text("The connection is lost. Trying again, from where you are.")
    expect(page.locator("#state")).to_have_text("reconnecting")
    shown = turn(page).locator(".answer").inner_text()
    assert shown.startswith("1 2 3 4 5 ")
    chat.start()
    expect(turn(page, "lost").locator(".verdict")).to_contain_text("Lost: the server went away")
    expect(page.locator("#trouble")).to_be_empty()
    kept = copied(page)
    assert kept.startswith(shown)
    assert kept == "".join(f"{number} " for number in range(1, len(kept.split()) + 1))
    page.reload()
    expect(turn(page, "lost").locator(".answer")).to_have_text(kept.strip())
    turn(page).get_by_role("button", name="Regenerate").click()
    expect(turn(page, "running").locator(".answer")).to_contain_text("1 2 3")
    page.keyboard.press("Escape")
    expect(turn(page, "stopped")).to_be_visible()
    ask(page, "What survives?")
    expect(turn(page, "finished")).to_be_visible()
    assert copied(page) == SURVIVES


def test_a_question_is_asked_once_whatever_happens(page: Page, chat: ServerProcess) -> None:
    """While the server is away the page says so and tries again; the question is there once."""
    visit(page, chat)
    chat.kill()
    ask(page, "What survives?")
    expect(page.locator("#trouble")).to_contain_text("The server does not answer.")
    chat.start()
    expect(turn(page, "finished")).to_be_visible()
    assert copied(page) == SURVIVES
    stream = page.url.partition("#")[2]
    assert len(httpx2.get(f"{chat.url}/history/chats/{stream}").json()) == 1
    chat.kill()
    ask(page, "Never sent")
    expect(page.locator("#trouble")).to_contain_text("The server does not answer.")
    page.keyboard.press("Escape")
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.get_by_label("Your question")).to_have_value("Never sent")


def test_a_stop_before_anybody_took_the_question(page: Page, chat: ServerProcess) -> None:
    """The first try is in the air when Escape is pressed, and fails: nothing is asked, the text comes back."""
    visit(page, chat)
    held: list[Route] = []
    page.route("**/api/chat", lambda route: held.append(route))
    ask(page, "Never sent")
    until(page, lambda: len(held) == 1)
    page.keyboard.press("Escape")
    held[0].abort()
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.get_by_label("Your question")).to_have_value("Never sent")
    assert len(held) == 1


def test_without_a_network(page: Page, context: BrowserContext, chat: ServerProcess) -> None:
    """It is said, and the answer is read on when it is back."""
    visit(page, chat)
    ask(page, "What survives?")
    expect(turn(page, "running").locator(".answer li")).not_to_have_count(0)
    run = run_of(page, chat)["run"]
    # Whole, so that the curl of the how-to can use it.
    expect(page.locator("#run")).to_have_text(f"run {run}")
    context.set_offline(True)
    expect(page.locator("#trouble")).to_contain_text("You are offline.")
    context.set_offline(False)
    expect(page.locator("#trouble")).to_be_empty()
    expect(turn(page, "finished")).to_be_visible()
    assert (copied(page), run_of(page, chat)["run"]) == (SURVIVES, run)


def test_failures_are_told_in_words(page: Page, chat: ServerProcess) -> None:
    """A model that raises, and a server that refuses; both can be tried again."""
    visit(page, chat)
    ask(page, "Fail in the middle")
    expect(turn(page, "failed").locator(".verdict")).to_have_text(
        re.compile("^Failed: .+ What was said before is kept.$")
    )
    expect(turn(page).locator(".answer h4")).to_have_text("What survives")
    expect(page.locator("#state")).to_have_text("failed")
    page.route("**/api/chat", lambda route: route.fulfill(status=403, body="this chat is somebody else's"))
    ask(page, "Refuse me")
    expect(turn(page, "refused").locator(".verdict")).to_have_text("Not accepted: this chat is somebody else's.")
    page.unroute("**/api/chat")
    turn(page).get_by_role("button", name="Try again").click()
    expect(turn(page, "finished").locator(".answer")).to_contain_text("What survives")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_a_hostile_answer_is_text(page: Page, chat: ServerProcess, errors: list[str], width: int) -> None:
    """No element, address or width of its own; what looks like markup is read as it is."""
    page.set_viewport_size({"width": width, "height": 700})
    visit(page, chat)
    ask(page, "Try to break this page")
    expect(turn(page, "finished")).to_be_visible()
    answer = turn(page).locator(".answer")
    assert copied(page) == HOSTILE
    assert page.evaluate("'taken' in window") is False
    assert answer.locator("script, img, iframe, style, b, table").count() == 0
    expect(answer.locator("h3")).to_have_text("<b>Not</b> bold <script>window.taken = 1</script>")
    expect(answer).to_contain_text("[a link that runs](javascript:window.taken=3)")
    links = answer.locator("a").evaluate_all("links => links.map(link => new URL(link.href).protocol)")
    assert set(links) == {"https:"}
    assert {"noopener noreferrer nofollow"} == set(
        answer.locator("a").evaluate_all("links => links.map(link => link.rel)")
    )
    expect(answer.locator("figure code")).to_contain_text("</code></pre><script>window.taken = 6</script>\nwide wide")
    assert answer.locator("> p").last.inner_text().startswith("Half of **everything: `code [link](https://")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("#scroll").evaluate("box => box.scrollWidth <= box.clientWidth")
    assert page.locator("#start").is_hidden()


def test_the_keyboard_is_enough(page: Page, chat: ServerProcess, errors: list[str]) -> None:
    """Ask, break lines, stop, ask again, switch chats; and one sees where one is."""
    page.set_viewport_size({"width": 390, "height": 780})
    visit(page, chat)
    text = page.get_by_label("Your question")
    expect(text).to_be_focused()
    page.keyboard.type("Count")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("please")
    page.keyboard.press("Enter")
    expect(page.locator(".question")).to_have_text("Count\nplease")
    expect(text).to_have_value("")
    expect(text).to_be_focused()
    expect(turn(page, "running").locator(".answer")).to_contain_text("1 2 3")
    page.keyboard.press("Escape")
    expect(turn(page, "stopped")).to_be_visible()
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Regenerate")).to_be_focused()
    focused = page.get_by_role("button", name="Regenerate")
    assert focused.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(turn(page, "running")).to_be_visible()
    expect(text).to_be_focused()
    page.keyboard.press("Escape")
    expect(turn(page, "stopped")).to_be_visible()
    page.get_by_role("button", name="Chats").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="New chat")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Chats")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator("#start")).to_be_visible()
    expect(text).to_be_focused()
    expect(page.locator("aside")).to_be_hidden()


def test_chats_are_listed_and_switched(page: Page, context: BrowserContext, chat: ServerProcess) -> None:
    """The newest first, in every tab; the address is the chat's; a run goes on while another chat is shown."""
    visit(page, chat)
    ask(page, "What survives?")
    expect(turn(page, "running")).to_be_visible()
    page.get_by_role("link", name="New chat").click()
    expect(page.locator(".turn")).to_have_count(0)
    ask(page, "Fail, please")
    expect(turn(page, "failed")).to_be_visible()
    expect(page.locator("#chats a")).to_have_text(["Fail, please", "What survives?"])
    expect(page.locator("#chats a[aria-current]")).to_have_text("Fail, please")
    page.get_by_role("link", name="What survives?").click()
    expect(turn(page, "finished")).to_be_visible()
    assert copied(page) == SURVIVES
    page.go_back()
    expect(page.locator(".question")).to_have_text("Fail, please")
    expect(page.locator("#title")).to_have_text("Fail, please")
    other = context.new_page()
    other.goto(chat.url)
    expect(other.locator("#chats a")).to_have_count(2)


def test_a_chat_is_listed_however_late_it_is_written_down(page: Page, chat: ServerProcess) -> None:
    """A question is answered before that: a list that is read between the two is waited for, also from another chat."""
    lists: list[str] = []

    def tell(route: Route) -> None:
        lists.append(route.request.url)
        if len(lists) == 1:
            route.fulfill(response=empty)
        else:
            route.continue_()

    visit(page, chat)
    empty = page.request.get(f"{chat.url}/history/chats?offset=-1")
    assert empty.json() == []
    page.route("**/history/chats?*", tell)
    ask(page, "What survives?")
    expect(turn(page, "running")).to_be_visible()
    page.get_by_role("link", name="New chat").click()
    expect(page.locator("#chats a")).to_have_text(["What survives?"])
    assert ["live=" in url for url in lists] == [False, True]


def test_scrolling_follows_until_the_reader_scrolls_up(page: Page, chat: ServerProcess) -> None:
    """Then it stays where the reader is, and goes on from the end when asked to."""
    page.set_viewport_size({"width": 390, "height": 480})
    visit(page, chat)
    ask(page, "Count, so that I can stop you")
    box = page.locator("#scroll")
    until(page, lambda: box.evaluate("box => box.scrollTop") > 200)
    expect(page.locator("#to-end")).to_be_hidden()
    page.mouse.move(200, 200)
    page.mouse.wheel(0, -150)
    expect(page.locator("#to-end")).to_be_visible()
    at = box.evaluate("box => box.scrollTop")
    height = box.evaluate("box => box.scrollHeight")
    until(page, lambda: box.evaluate("box => box.scrollHeight") > height + 60)
    assert box.evaluate("box => box.scrollTop") == at
    page.locator("#to-end").click()
    expect(page.locator("#to-end")).to_be_hidden()
    end = "box => box.scrollHeight - box.scrollTop - box.clientHeight"
    height = box.evaluate("box => box.scrollHeight")
    until(page, lambda: box.evaluate("box => box.scrollHeight") > height + 60)
    assert box.evaluate(end) < 40


def test_what_is_read_out(page: Page, chat: ServerProcess) -> None:
    """Whole blocks of an answer as it is given, and its end; never single tokens, nor what was said before."""
    visit(page, chat)
    page.evaluate(
        "() => { window.heard = []; new MutationObserver(changes => changes.forEach(change =>"
        " change.addedNodes.forEach(node => heard.push(node.textContent))))"
        ".observe(document.querySelector('[aria-live=polite]'), { childList: true, subtree: true }); }"
    )
    ask(page, "What survives?")
    expect(turn(page, "running").locator(".answer")).to_have_attribute("aria-busy", "true")
    expect(turn(page, "finished").locator(".answer")).to_have_attribute("aria-busy", "false")
    heard = page.evaluate("heard")
    assert heard[0] == "Asked."
    assert heard[-1] == "The answer is complete."
    assert "Try these while I am talking:" in heard
    assert len(heard) < 30
    page.reload()
    expect(turn(page, "finished")).to_be_visible()
    expect(page.locator("#said")).to_be_empty()


@pytest.fixture
def bare(page: Page) -> Page:
    """An empty page beside the chat's files."""
    page.route(
        "http://files.test/*.js", lambda route: route.fulfill(path=STATIC / route.request.url.rpartition("/")[2])
    )
    page.route("http://files.test/", lambda route: route.fulfill(body="<!doctype html>", content_type="text/html"))
    page.goto("http://files.test/")
    return page


WRITE = """
async ({ text, sizes }) => {
    const { Markdown } = await import("/markdown.js");
    const root = document.createElement("div");
    const markdown = new Markdown(root);
    let drawn = 0;
    const count = changes => changes.forEach(change => {
        change.addedNodes.forEach(node => { drawn += node.textContent.length; });
    });
    const observer = new MutationObserver(count);
    observer.observe(root, { childList: true, subtree: true });
    for (let at = 0, turn = 0; at < text.length; turn += 1) {
        const size = sizes[turn % sizes.length];
        markdown.append(text.slice(at, at + size));
        markdown.draw();
        at += size;
    }
    markdown.end();
    count(observer.takeRecords());
    root.normalize();
    return { html: root.innerHTML, drawn };
}
"""


@pytest.fixture(scope="module")
def tricky() -> str:
    return "\n\n".join(
        [
            SURVIVES,
            HOSTILE,
            "1945 was a year\n- [x] a\n\n  more of a\n- b\ntext of b\n1) c\n   - d\n",
            "12. e\n1.5 is no item\n-5 neither\n\n2. f",
            "**bold *and* more** `a ``b`` c` ``x ` y`` ***both*** __under_score__ a_b_c *open\n* * *\n**\n---\n***x***",
            "> quote\n> goes on\nlazily\n>\n> second\n\n####### seven\n#none\n# \n~~~py\ncode\n```\n~~~\n```js `x`\n",
            "[a [b] c](https://example.org 'title') [d](<https://example.org/e>) <https://example.org/f>, http://g.org.",
            "\U0001f600" * 3000 + " " + "word " * 3000 + "`" * 300 + "*" * 300 + "_" * 300 + "[" * 300,
            "```\nunclosed",
        ]
    )


@pytest.mark.parametrize("sizes", [[1], [7], [1, 2, 3, 100, 1, 50]])
def test_markdown_is_the_same_in_any_pieces(bare: Page, tricky: str, sizes: list[int]) -> None:
    text = tricky if sizes != [1] else tricky[:9000]
    whole = bare.evaluate(WRITE, {"text": text, "sizes": [len(text) * 2]})["html"]
    assert bare.evaluate(WRITE, {"text": text, "sizes": sizes})["html"] == whole


@pytest.mark.parametrize("line", ["word ", "word\n\n", "- item\n", "x", "**", "[a](", "```\ncode\n", "> a\n"])
def test_markdown_costs_the_length_of_what_comes(bare: Page, line: str) -> None:
    """Twice the text is at most about twice the work, whatever it is: what is closed is not drawn again."""
    text = line * (40_000 // len(line))
    half = bare.evaluate(WRITE, {"text": text[: len(text) // 2], "sizes": [40]})["drawn"]
    whole = bare.evaluate(WRITE, {"text": text, "sizes": [40]})["drawn"]
    assert whole < 2.3 * half + 5000


def test_a_stock_client_asks_the_same_routes(chat: ServerProcess) -> None:
    """What `useChat` sends; a conversation that the page then shows as well."""
    message = {"id": "m1", "role": "user", "parts": [{"type": "text", "text": "Fail"}]}
    body = {"id": "stock", "messages": [message], "trigger": "submit-message"}
    answer = httpx2.post(f"{chat.url}/api/chat", json=body, timeout=30)
    chunks = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    assert chunks[0]["type"] == "start"
    assert chunks[-1]["type"] == "error"
    assert httpx2.get(f"{chat.url}/api/chat/stock/stream").status_code == 204
    assert httpx2.get(f"{chat.url}/history/chats/stock").json() == [
        {"id": "m1", "text": "Fail", "run": answer.headers["headwater-run"]}
    ]
    assert httpx2.get(f"{chat.url}/history/chats").json() == [{"chat": "stock", "title": "Fail"}]
    for method, path, status in [
        ("POST", "/history/chats/stock", 405),
        ("DELETE", "/history/chats/stock", 405),
        ("GET", f"/history/runs/{answer.headers['headwater-run']}", 405),
    ]:
        assert httpx2.request(method, f"{chat.url}{path}").status_code == status
    assert httpx2.get(chat.url, headers={"host": "rebound.example"}).status_code == 400
    policy = httpx2.get(chat.url).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
