"""A provider that is silent for 90 s in the middle of an answer, before every stock client at once.

Once with the limits that servers have by default, and once before servers whose limit this is. Clients that limit how
long they wait for the next byte have 60 s here: what bridges the silence is keepalives.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest
from tests.llm.clients.asking import APIS, headers_of, model_of
from tests.llm.clients.conftest import chat_server, proxy_server
from tests.llm.clients.live import TIMEOUT, Client, Seen
from tests.llm.clients.node import Node
from tests.llm.clients.test_failures import BEGINNING, DOCS, LANGUAGES, NAMES, SDKS, TEXT
from tests.llm.scripted import SILENCE, Scripted
from tests.support.processes import ServerProcess

PAGES = [6, 7]
#: What a keepalive comes after, by default, in seconds.
HEARTBEAT = "15"
#: Milliseconds a page may take in all.
PATIENCE = (SILENCE + TIMEOUT) * 1000

pytestmark = pytest.mark.slow


class Place(msgspec.Struct, frozen=True):
    """Servers before the provider, and what they make of it.

    Attributes:
        behaviour: of the provider.
        proxy: `headwater llm proxy`.
        chat: chat_app.py.
    """

    behaviour: str
    proxy: ServerProcess
    chat: ServerProcess


class Audience:
    """All clients of one place, which ask at the same time.

    Args:
        place: where.
        stack: closes what they need.
        threads: where they wait.
    """

    def __init__(self, place: Place, stack: ExitStack, threads: ThreadPoolExecutor) -> None:
        self._place = place
        self._python = {api: threads.submit(self._see, api) for api in APIS}
        self._commands = [*map(self._stream, APIS), self._agent(), self._plain(), self._quiet()]
        node = stack.enter_context(Node("sdks.mjs"))
        self._node: Future[list[Any]] = threads.submit(node.do, "together", commands=self._commands)
        pages = stack.enter_context(Node("pages.mjs", place.chat.url))
        self._pages = threads.submit(self._show, pages)

    def python(self, api: str) -> Seen:
        """What a user of a Python SDK sees."""
        return self._python[api].result()

    def javascript(self, api: str) -> Seen:
        """What a user of an SDK of JavaScript sees."""
        return Seen(**self._node.result()[APIS.index(api)])

    @property
    def agent(self) -> dict[str, Any]:
        """What a user of `HttpAgent` sees."""
        return self._node.result()[-3]  # type: ignore[no-any-return]

    @property
    def plain(self) -> dict[str, Any]:
        """What a reader with `fetch` sees."""
        return self._node.result()[-2]  # type: ignore[no-any-return]

    @property
    def comments(self) -> int:
        """Keepalives on the wire."""
        return int(self._node.result()[-1]["comments"])

    def page(self, sdk: int) -> dict[str, Any]:
        """What a page with `useChat` shows."""
        return self._pages.result()[sdk]

    def _see(self, api: str) -> Seen:
        model = model_of(self._place.behaviour)
        with Client(api, self._place.proxy.url, headers_of("run", model)) as client:
            return client.see(model)

    def _stream(self, api: str) -> dict[str, Any]:
        model = model_of(self._place.behaviour)
        return {
            "do": "stream",
            "api": api,
            "url": self._place.proxy.url,
            "model": model,
            "headers": headers_of("run", model),
        }

    def _script(self) -> str:
        return json.dumps({"upstream": model_of(self._place.behaviour)})

    def _agent(self) -> dict[str, Any]:
        url = f"{self._place.chat.url}/api/chat?dialect=ag-ui"
        return {"do": "agent", "url": url, "thread": "agent", "content": self._script()}

    def _plain(self) -> dict[str, Any]:
        body = {"id": "plain", "messages": [{"id": "m1", "role": "user", "content": self._script()}]}
        return {"do": "plain", "url": f"{self._place.chat.url}/api/chat?dialect=plain", "body": body}

    def _quiet(self) -> dict[str, Any]:
        body = {"id": "quiet", "messages": [{"id": "m1", "role": "user", "content": self._script()}]}
        return {"do": "quiet", "url": f"{self._place.chat.url}/api/chat", "body": body}

    def _show(self, node: Node) -> dict[int, dict[str, Any]]:
        for sdk in PAGES:
            node.do("mount", page=str(sdk), sdk=sdk, chat=f"page {sdk}", messages=[])
            parts = [{"type": "text", "text": self._script()}]
            node.do("send", page=str(sdk), message={"id": "m1", "role": "user", "parts": parts})
        # The answers' ids: before there is one, a page is ready too.
        ids = {sdk: node.do("until", page=str(sdk), wanted={"text": BEGINNING})["id"] for sdk in PAGES}
        status = "ready" if self._place.behaviour == "late" else "error"
        return {
            sdk: node.do("until", page=str(sdk), wanted={"status": status, "id": id}, patience=PATIENCE)
            for sdk, id in ids.items()
        }


class Audiences(msgspec.Struct, frozen=True):
    """All clients, twice.

    Attributes:
        patient: before servers with the default limits.
        impatient: before servers whose limit is over first.
    """

    patient: Audience
    impatient: Audience


@pytest.fixture(scope="module")
def seen(provider: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audiences]:
    """All clients before both, so that the silence is waited for once."""
    directory = tmp_path_factory.mktemp("silence")
    limit = f"{SILENCE:g}"
    with ExitStack() as stack:
        proxies = [
            stack.enter_context(proxy_server(directory / "patient.db", provider)),
            stack.enter_context(proxy_server(directory / "impatient.db", provider, "--stall-seconds", limit)),
        ]
        chats = [
            stack.enter_context(chat_server(directory / "patient-chat.db", provider, heartbeat=HEARTBEAT)),
            stack.enter_context(chat_server(directory / "impatient-chat.db", provider, limit, HEARTBEAT)),
        ]
        threads = stack.enter_context(ThreadPoolExecutor(20))
        yield Audiences(
            Audience(Place("late", proxies[0], chats[0]), stack, threads),
            Audience(Place("stall", proxies[1], chats[1]), stack, threads),
        )


def row(*cells: str) -> str:
    """What the documentation says of silence."""
    start = f"| {' | '.join(cells)} |"
    (line,) = [line for line in DOCS.read_text("utf-8").splitlines() if line.startswith(start)]
    return line.strip("| ")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("api", APIS)
def test_an_sdk(seen: Audiences, api: str, language: str) -> None:
    """Through the proxy, as a run: the answer is whole; or what came, and the error that the documentation has."""
    whole: Seen = getattr(seen.patient, language)(api)
    assert (whole.text, whole.told, whole.error) == (TEXT, "whole", None)
    given_up: Seen = getattr(seen.impatient, language)(api)
    assert given_up.text == BEGINNING
    assert given_up.told == row(f"{SDKS[api]}, {LANGUAGES[language]}", "run").split(" | ")[6]


def message() -> str:
    """What users of a chat are told."""
    return row(NAMES["stall"]).split(" | ")[2].replace("300", f"{SILENCE:g}")


@pytest.mark.parametrize("sdk", PAGES)
def test_a_page(seen: Audiences, sdk: int) -> None:
    """`useChat`: the answer is whole; or what came, and the error."""
    whole, given_up = seen.patient.page(sdk), seen.impatient.page(sdk)
    assert (whole["status"], whole["text"], whole.get("error")) == ("ready", TEXT, None)
    assert (given_up["status"], given_up["text"], given_up["error"]) == ("error", BEGINNING, message())


@pytest.mark.parametrize("client", ["agent", "plain"])
def test_a_client_of_a_chat(seen: Audiences, client: str) -> None:
    """`HttpAgent` of AG-UI, and `fetch`: the same."""
    whole, given_up = getattr(seen.patient, client), getattr(seen.impatient, client)
    assert (whole["text"], whole.get("error")) == (TEXT, None)
    assert (given_up["text"], given_up["error"], given_up["code"]) == (BEGINNING, message(), "timeout")


def test_the_silence_is_bridged(seen: Audiences) -> None:
    """By a keepalive every 15 s, on the way to every client."""
    assert seen.patient.comments >= 4
    assert seen.impatient.comments >= 4
