"""The client for TypeScript in a real browser: under a strict content security policy, in a page and in a worker."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import BrowserContext, Page, Route
from tests.browser.client_site import served, until
from tests.browser.conftest import Server

pytestmark = pytest.mark.slow

WORKER = """
import { stream } from "./index.js"
onmessage = async ({ data }) => {
  const got = []
  for await (const record of stream(data, { transport: "ndjson" })) got.push(record.data)
  postMessage(got)
}
"""
SERVICE_WORKER = """
import { stream } from "./index.js"
import { parts } from "./parts.js"
addEventListener("message", async ({ data: [url, whole], ports: [port] }) => {
  const to = stream(url, { retry: false, ...(whole && { parts }) })
  try {
    await to.append("from a service worker")
    port.postMessage(await to.all())
  } catch ({ code }) {
    port.postMessage(code)
  }
})
"""
PAGE = """
import { HeadwaterError, stream } from "./index.js"
import { ReconnectingEventSource, eventsource } from "./eventsource.js"
import { outbox } from "./outbox.js"
Object.assign(window, { HeadwaterError, ReconnectingEventSource, eventsource, outbox, stream })
"""


NOTE_REFUSED = (
    "window.refused = []; addEventListener('securitypolicyviolation', (event) => refused.push(event.blockedURI))"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a page is that has the client, and nothing else."""
    directory = tmp_path_factory.mktemp("site")
    (directory / "worker.js").write_text(WORKER)
    (directory / "service-worker.js").write_text(SERVICE_WORKER)
    with served(directory, ("index", "eventsource", "outbox", "parts"), PAGE) as url:
        yield url


@pytest.fixture
def client(page: Page, site: str) -> Page:
    """A page with the client in `window`, which notes what the policy refuses."""
    page.add_init_script(NOTE_REFUSED)
    page.goto(site)
    until(page, "window.stream !== undefined")
    return page


@pytest.mark.parametrize("transport", ["auto", "ndjson", "long-poll", "live-sse", "eventsource"])
def test_a_crash_of_the_server_loses_and_repeats_nothing(client: Page, server: Server, transport: str) -> None:
    url = f"{server.url}/v1/stream/jobs/7"
    client.evaluate(
        """async ([url, transport]) => {
            window.jobs = stream(url, { retry: { base: 50 } })
            await jobs.create({ type: "application/json", records: [1, 2] })
            window.got = []
            window.reader = jobs.read({ transport: transport === "eventsource" ? eventsource : transport })
            window.done = (async () => { for await (const { data } of reader) got.push(data) })()
        }""",
        [url, transport],
    )
    until(client, "got.length === 2")
    server.restart()
    # Appended while the reader may still be away; the append itself goes on through it.
    client.evaluate("Promise.all([3, 4, 5].map((n) => jobs.append(n)))")
    client.evaluate("jobs.close(6)")
    client.evaluate("window.done")
    assert client.evaluate("got") == [1, 2, 3, 4, 5, 6]
    assert client.evaluate("reader.end.then((end) => end.kind)") == "closed"
    assert httpx2.get(f"{url}?offset=-1").json() == [1, 2, 3, 4, 5, 6]
    assert client.evaluate("refused") == []


def test_what_is_appended_offline_arrives_once_and_in_order(
    client: Page, server: Server, context: BrowserContext
) -> None:
    url = f"{server.url}/v1/stream/notes"
    client.evaluate("async (url) => { window.notes = stream(url, { retry: { base: 50 } }); await notes.create() }", url)
    context.set_offline(True)
    client.evaluate("window.all = Promise.all(Array.from({ length: 100 }, (_each, n) => notes.append(n))); undefined")
    until(client, "!navigator.onLine")
    context.set_offline(False)
    client.evaluate("window.all")
    assert httpx2.get(f"{url}?offset=-1").json() == list(range(100))


def test_what_writes_is_loaded_by_the_first_append_and_asked_for_again(
    client: Page, server: Server, context: BrowserContext
) -> None:
    """Reading loads nothing of it; two times it does not come, and what is appended waits, in order."""
    loaded = "performance.getEntriesByType('resource').filter(({ name }) => name.includes('writing')).length"
    url = f"{server.url}/v1/stream/late"
    httpx2.put(url, content="[0]", headers={"content-type": "application/json"}).raise_for_status()
    refused: list[str] = []

    def refuse(route: Route) -> None:
        refused.append(route.request.url)
        if len(refused) <= 2:
            route.abort()
        else:
            route.continue_()

    context.route("**/writing*.js", refuse)
    client.evaluate(
        "async (url) => { window.late = stream(url, { retry: { base: 50 } });"
        " window.reader = late.read()[Symbol.asyncIterator](); return (await reader.next()).value.data }",
        url,
    )
    assert client.evaluate(loaded) == 0
    client.evaluate("Promise.all([1, 2, 3].map((each) => late.append(each)))")
    assert len(refused) == 3
    assert httpx2.get(f"{url}?offset=-1").json() == [0, 1, 2, 3]
    client.evaluate("reader.return()")


ASK_SERVICE_WORKER = """async (url) => {
    const { active } = await navigator.serviceWorker.register("service-worker.js", { type: "module" })
        .then(() => navigator.serviceWorker.ready)
    const asked = (whole) => new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel()
        port1.onmessage = ({ data }) => resolve(data)
        active.postMessage([url, whole], [port2])
    })
    return [await asked(true), await asked(false)]
}"""


def test_a_service_worker_has_all_of_it_in_one_piece(client: Page, server: Server) -> None:
    """It may load nothing later: with `parts` it writes and reads, without them it says what is missing."""
    url = f"{server.url}/v1/stream/worker"
    httpx2.put(url, headers={"content-type": "application/json"}).raise_for_status()
    assert client.evaluate(ASK_SERVICE_WORKER, url) == [["from a service worker"], "network"]


OPEN_BOX = """(user) => {
    window.box = outbox("notes", { user, stream: (url) => stream(url) })
    window.told = []
    box.on(({ state, data, error }) => told.push([state, data, error?.code ?? null]))
}"""


def test_what_an_outbox_keeps_survives_reloads_and_is_gone_at_sign_out(client: Page, server: Server, site: str) -> None:
    """The page is reloaded while the server is away, and again while it sends; then another user signs in."""
    url = f"{server.url}/v1/stream/notes"
    httpx2.put(url, headers={"content-type": "application/json"}).raise_for_status()
    server.kill()
    client.evaluate(OPEN_BOX, "ada")
    append = """async ([url, from]) => {
        const notes = stream(url, { type: "application/json" })
        await Promise.all(Array.from({ length: 50 }, (_, n) => box.append(notes, from + n, { queued: true })))
    }"""
    for start in (0, 50):
        client.evaluate(append, [url, start])
        until(client, "told.length > 0")
        client.reload()
        until(client, "window.outbox !== undefined")
        client.evaluate(OPEN_BOX, "ada")
    server.start()
    until(client, "told.some(([state, data]) => state === 'acknowledged' && data === 99)")
    assert httpx2.get(f"{url}?offset=-1").json() == list(range(100))
    assert client.evaluate("told.filter(([state]) => state !== 'sent' && state !== 'acknowledged')") == []

    server.kill()
    client.evaluate("(url) => box.append(stream(url, { type: 'application/json' }), 'secret', { queued: true })", url)
    assert client.evaluate("indexedDB.databases().then((all) => all.map(({ name }) => name))") == [
        "headwater/1/notes/ada"
    ]
    client.evaluate("box.clear()")
    until(client, "(await indexedDB.databases()).length === 0")
    client.evaluate(OPEN_BOX, "bob")
    server.start()
    client.evaluate("(url) => box.append(stream(url, { type: 'application/json' }), 'bob', { queued: true })", url)
    until(client, "told.some(([state, data]) => state === 'acknowledged' && data === 'bob')")
    assert httpx2.get(f"{url}?offset=-1").json() == [*range(100), "bob"]
    assert client.evaluate("told.some(([, data]) => data === 'secret')") is False


def test_another_tab_sends_when_the_one_that_did_is_closed(
    client: Page, server: Server, context: BrowserContext, site: str
) -> None:
    url = f"{server.url}/v1/stream/notes"
    httpx2.put(url, headers={"content-type": "application/json"}).raise_for_status()
    client.evaluate(OPEN_BOX, "ada")
    append = "([url, n]) => box.append(stream(url, { type: 'application/json' }), n)"
    client.evaluate(append, [url, 0])
    second = context.new_page()
    second.goto(site)
    until(second, "window.outbox !== undefined")
    second.evaluate(OPEN_BOX, "ada")
    # The first one sends for the second, which is told.
    second.evaluate(append, [url, 1])
    until(client, "told.some(([state, data]) => state === 'acknowledged' && data === 1)")
    client.close()
    second.evaluate(append, [url, 2])
    assert httpx2.get(f"{url}?offset=-1").json() == [0, 1, 2]


def test_in_a_worker(client: Page, server: Server) -> None:
    url = f"{server.url}/v1/stream/work"
    headers = {"content-type": "application/json", "stream-closed": "true"}
    httpx2.put(url, content="[1, 2, 3]", headers=headers).raise_for_status()
    got = client.evaluate(
        """(url) => new Promise((resolve) => {
            const worker = new Worker("worker.js", { type: "module" })
            worker.onmessage = ({ data }) => resolve(data)
            worker.postMessage(url)
        })""",
        url,
    )
    assert got == [1, 2, 3]


def test_a_consumer_that_does_not_pull_stops_the_socket(client: Page, server: Server) -> None:
    """Of 64 MB the server can give away no more than the browser's pipe and two sockets hold."""
    url = f"{server.url}/v1/stream/big"
    body = "[" + ",".join(['"' + "x" * 10_000 + '"'] * 100) + "]"
    # A megabyte takes the time it takes on a machine that is busy.
    with httpx2.Client(headers={"content-type": "application/json"}, timeout=None) as writer:
        writer.put(url).raise_for_status()
        for _ in range(64):
            writer.post(url, content=body).raise_for_status()
    client.evaluate(
        """async (url) => {
            const iterator = stream(url).read({ transport: "sse" })[Symbol.asyncIterator]()
            await iterator.next()
            window.iterator = iterator
        }""",
        url,
    )
    # One that is cut for taking nothing comes back, and is paused again.
    shown = f"(await (await fetch('{server.url}/-/readers')).json()).readers"
    until(client, f"({shown}).some(({{ state }}) => state === 'paused')")
    got = client.evaluate("async () => { let n = 1; while (n < 6400) { await iterator.next(); n += 1 } return n }")
    assert got == 6400
    client.evaluate("iterator.return()")


def test_the_drop_in_is_what_the_browser_has(client: Page, server: Server) -> None:
    """The same events, ids and states as of the browser's own EventSource, on the same stream."""
    url = f"{server.url}/v1/stream/events"
    httpx2.put(
        url, content='[{"kind": "tick", "n": 1}, {"n": 2}]', headers={"content-type": "application/json"}
    ).raise_for_status()
    told = client.evaluate(
        """async (url) => {
            const listen = (source) => new Promise((resolve) => {
                const told = []
                const note = (event) => {
                    told.push([event.type, event.data, event.lastEventId, event.origin, source.readyState])
                    if (told.length === 3) { source.close(); resolve([...told, source.readyState, source.url]) }
                }
                source.onopen = note
                source.onmessage = note
                source.addEventListener("tick", note)
            })
            const sources = [EventSource, ReconnectingEventSource]
            return Promise.all(sources.map((Source) => listen(new Source(`${url}?event=kind`))))
        }""",
        url,
    )
    native, own = told
    assert own == native
