"""A stop, a deploy, and a client that goes, in each state of a proxied answer, in each form of stream.

Rule: the reader is told how it ends, in the provider's words and never half an event; what was whole stays whole; and
the provider's work is cancelled, or was done.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.llm.proxy.provider import Provider, provider
from tests.llm.proxy.test_proxy import GOOD, JSON, without_ids
from tests.llm.proxy.test_wires import ARRAY, ARRAY_URL, AS_JSON, ASK, EVENTS, GEMINI, GEMINIS, LINES, OLLAMA, OLLAMAS
from tests.llm.readers import read
from tests.llm.sample_runs import START, told

from headwater import Hub
from headwater.llm import Runs, RunState
from headwater.llm.parts import Finish, Part, Text, TextEnd, TextStart, Usage
from headwater.llm.providers import wire
from headwater.llm.providers.provider import Endpoint
from headwater.llm.providers.registry import PROVIDERS, VOICES
from headwater.llm.proxy.app import Proxy
from headwater.llm.proxy.upstream import Upstream
from headwater.testing.asgi import AsgiClient, AsgiResponse

if TYPE_CHECKING:
    from tests.conftest import Run

#: What reads each stream.
READERS = {name: voice for voice in VOICES.values() for name in voice.wires}
RUN = {**JSON, "headwater-run": "r1"}
PATIENCE = 30.0


class Form(msgspec.Struct, frozen=True):
    """A provider: where it is asked, and the events of an answer; the first ones are text, the last ends it."""

    dialect: str
    url: str
    head: bytes
    events: list[bytes]


#: An answer that every dialect can tell.
HELLO: list[Part] = [START, TextStart("t"), Text("t", "Hel"), Text("t", "lo"), TextEnd("t"), Usage(1, 1), Finish()]
HEADS = {"sse": EVENTS, "lines": LINES, "array": AS_JSON}
ENDS = {"sse": b"\n\n", "lines": b"\n", "array": b"}"}


def form_of(endpoint: Endpoint, example: str) -> Form:
    """What a provider tells whose streams are known, by its own dialect."""
    dialect = endpoint.stream_of(example.partition("?")[2], {"stream": True})
    form = wire.FORMS[dialect]
    parts = told(dialect, HELLO, ids=False).split(ENDS[form])
    events = [part + ENDS[form] for part in parts[:-1]]
    return Form(dialect, example.replace("MODEL", "m"), HEADS[form], events)


STREAMS = [
    form_of(endpoint, example)
    for provider in PROVIDERS
    for endpoint in provider.endpoints
    for example in endpoint.examples
]
FORMS = {form.dialect: form for form in STREAMS}
#: Those as providers have sent them.
FORMS |= {
    form.dialect: form
    for form in (
        Form("openai", "/v1/chat/completions", EVENTS, GOOD),
        Form("gemini", GEMINI, EVENTS, GEMINIS),
        Form("gemini-array", ARRAY_URL, AS_JSON, ARRAY),
        Form("ollama", OLLAMA, LINES, OLLAMAS),
    )
}
#: How much of the answer has come: whole events, and bytes of the next; None: not even the head.
STATES: dict[str, tuple[int, int] | None] = {
    "before the head": None,
    "before the text": (0, 0),
    "in the text": (1, 0),
    "within an event": (1, 9),
    "behind the last event": (99, 0),
}


class Setting:
    """A provider in a state, the proxy before it, and somebody who has asked.

    Attributes:
        whole: the answer was complete.
        no_run_yet: states in which it is not known whether the answer will be a run.
    """

    def __init__(self, form: Form, state: str, double: Provider, runs: Runs, proxy: Proxy) -> None:
        self.form = form
        self.provider = double
        self.runs = runs
        self.client = AsgiClient(proxy)
        self.whole = state == "behind the last event"
        # What has no type of streams is one when it has begun like one.
        self.no_run_yet = ("before the head", "before the text") if form.head == AS_JSON else ("before the head",)
        double.head = form.head
        came = STATES[state]
        if came is None:
            double.hold = asyncio.Event()
            return
        events, more = came
        rest = [form.events[events][:more]] if more else []
        double.pieces = [*form.events[:events], *rest, asyncio.Event()]

    async def begun(self, response: AsgiResponse) -> None:
        """Wait until all that comes has come."""
        whole = [piece for piece in self.provider.pieces if piece in self.form.events]
        came = b""
        while b"".join(whole) not in without_ids(came):
            part = await response.part()
            assert part is not None
            came += part

    def check(self, body: bytes, said: str) -> None:
        seen = read(self.form.dialect, body)
        if self.whole:
            assert (seen.text.replace("]}", "")[:5], seen.error) == ("Hello"[: len(seen.text)][:5], None)
            return
        assert seen.error is not None or seen.finish == "incomplete"  # a word that only Responses has
        assert said in (seen.error or body.decode())
        assert seen.text in ("", "Hel")


@asynccontextmanager
async def setting(form: Form, state: str) -> AsyncIterator[tuple[Setting, AsyncExitStack]]:
    """And a stack that ends the proxy when it is closed."""
    async with provider() as double, AsyncExitStack() as life:
        runs = Runs(Hub(), grace_seconds=0.0)
        proxy = Proxy(runs, Upstream(double.url))
        await life.enter_async_context(proxy.lifespan())
        yield Setting(form, state, double, runs, proxy), life


async def asked(at: Setting) -> None:
    """Wait until the provider has been asked."""
    await asyncio.wait_for(at.provider.arrived.wait(), PATIENCE)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", FORMS)
def test_a_stop(run: Run[None], name: str, state: str) -> None:
    async def main() -> None:
        async with setting(FORMS[name], state) as (at, _):
            asking = asyncio.create_task(at.client.request("POST", at.form.url, ASK, RUN))
            await asked(at)
            if state not in ("before the head", "before the text"):
                async with at.client.open("POST", at.form.url, ASK, RUN) as second:
                    await at.begun(second)
            answer, state_now = await asyncio.wait_for(at.client.request("POST", "/v1/runs/r1/stop"), PATIENCE)
            assert answer.status in (200, 404)  # a run that has come to nothing is none
            answer, body = await asyncio.wait_for(asking, PATIENCE)
            await asyncio.wait_for(at.provider.asked[0].gone.wait(), PATIENCE)
            if answer.status != 200:
                assert (answer.status, state in at.no_run_yet) == (502, True)
                assert b"stopped" in body
                return
            assert json.loads(state_now)["state"] in ("stopped", "finished" if at.whole else "stopped")
            at.check(body, "stopped")

    run(main())


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", FORMS)
def test_a_deploy(run: Run[None], name: str, state: str) -> None:
    async def main() -> None:
        async with setting(FORMS[name], state) as (at, life):
            asking = asyncio.create_task(at.client.request("POST", at.form.url, ASK, RUN))
            await asked(at)
            if state not in ("before the head", "before the text"):
                async with at.client.open("POST", at.form.url, ASK, RUN) as second:
                    await at.begun(second)
            await asyncio.wait_for(life.aclose(), PATIENCE)
            answer, body = await asyncio.wait_for(asking, PATIENCE)
            await asyncio.wait_for(at.provider.asked[0].gone.wait(), PATIENCE)
            if answer.status != 200:
                assert state in at.no_run_yet
                assert answer.status in (502, 503)
            else:
                at.check(body, "the server was stopped")

    run(main())


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", FORMS)
def test_a_client_that_goes_and_comes_back(run: Run[None], name: str, state: str) -> None:
    """It stops nothing, and has the whole answer then, of one call."""

    async def main() -> None:
        async with setting(FORMS[name], state) as (at, _):
            events = at.form.events
            came = STATES[state]
            first = asyncio.create_task(at.client.request("POST", at.form.url, ASK, RUN))
            await asked(at)
            first.cancel()
            gate = at.provider.hold or at.provider.pieces[-1]
            assert isinstance(gate, asyncio.Event)
            count, more = came or (0, 0)
            at.provider.pieces += [events[count][more:], *events[count + 1 :]] if count < len(events) else []
            again = asyncio.create_task(at.client.request("POST", at.form.url, ASK, RUN))
            gate.set()
            _, body = await asyncio.wait_for(again, PATIENCE)
            await asyncio.gather(first, return_exceptions=True)  # whose response waits for the head
            seen = read(name, body)
            assert (seen.text.replace("]}", "")[:5], seen.error) == ("Hello", None)
            assert len(at.provider.asked) == 1
            assert (await at.runs.get("r1")).state is RunState.FINISHED

    run(main())


ENDING = [name for name in FORMS if READERS[name].ends_stream or wire.FORMS[name] == "array"]


@pytest.mark.parametrize("name", ["openai", *ENDING])
def test_a_connection_that_stays_open(run: Run[None], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the last event the run is finished, though the provider does not close."""
    monkeypatch.setattr("headwater.llm.proxy.resumable.LINGER_SECONDS", 0.01)

    async def main() -> None:
        async with setting(FORMS[name], "behind the last event") as (at, _):
            _, body = await asyncio.wait_for(at.client.request("POST", at.form.url, ASK, RUN), PATIENCE)
            at.check(body, "")
            assert (await at.runs.get("r1")).state is RunState.FINISHED
            await asyncio.wait_for(at.provider.asked[0].gone.wait(), PATIENCE)

    run(main())


HOSTILE: dict[str, tuple[bytes, Sequence[bytes], str]] = {
    "gzip that is cut": (b"content-encoding: gzip", [gzip.compress(b"".join(GOOD))[:-20]], ""),
    "gzip that is none": (b"content-encoding: gzip", GOOD, "upstream-unreachable"),
    "gzip that is broken": (b"content-encoding: gzip", [gzip.compress(b"".join(GOOD))[:30], b"x" * 99], "upstream"),
    "bytes of another charset": (
        b"x: y",
        [b'data: {"choices": [{"delta": {"content": "\xfc"}}]}\n\n'],
        "unreadable-event",
    ),
    "a line without end": (b"x: y", [b"data: " + b"x" * (1 << 20)] * 18, "too-large"),
    "an event that is no object": (b"x: y", [b"data: [1, 2]\n\n"], "unreadable-event"),
    "JSON that is deep": (b"x: y", [b"data: " + b"[" * 100_000 + b"\n\n"], "unreadable-event"),
    "nothing": (b"x: y", [], "truncated"),
    "NUL bytes": (b"x: y", [b"\0" * 1000], "truncated"),
    "comments alone": (b"x: y", [b": hi\n\n"] * 1000, "truncated"),
    "a page": (b"x: y", [b"<!doctype html>\n\n<p>Bad gateway</p>\n\n"], "truncated"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_provider(run: Run[None], name: str) -> None:
    """Whatever it sends as an event stream, the run ends, and who watches it in any dialect is told an error."""
    head, pieces, said = HOSTILE[name]

    async def main() -> None:
        async with provider() as double:
            double.head, double.pieces = EVENTS + b"\r\n" + head, list(pieces)
            runs = Runs(Hub(), grace_seconds=0.0)
            proxy = Proxy(runs, Upstream(double.url))
            async with proxy.lifespan():
                client = AsgiClient(proxy)
                _, body = await asyncio.wait_for(client.request("POST", "/v1/chat/completions", ASK, RUN), PATIENCE)
                assert b'"error"' in body
                assert body.count(b"[DONE]") <= 1
                info = await runs.get("r1")
                assert info.state is RunState.FAILED
                for dialect in ("ai-sdk", "anthropic", "plain", "gemini-array"):
                    _, watched = await client.request("GET", f"/v1/runs/r1/stream?dialect={dialect}")
                    seen = read(dialect, watched)
                    assert seen.error is not None
                    assert said in watched.decode() or dialect in ("ai-sdk", "anthropic")

    run(main())
