"""The proxy: transparent without a run's id, resumable with one, and never a second call for one run."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.llm.proxy.provider import DONE, Provider, chunk, provider

from headwater import Hub
from headwater.asgi.outlet import ResponseCut
from headwater.llm import Runs, RunState, SourceLimits
from headwater.llm.proxy.access import Access
from headwater.llm.proxy.app import Proxy
from headwater.llm.proxy.upstream import Upstream
from headwater.testing.asgi import AsgiClient, AsgiResponse

if TYPE_CHECKING:
    from tests.conftest import Run

URL = "/v1/chat/completions"
ASK = b'{"model": "m", "stream": true, "messages": []}'
JSON = {"content-type": "application/json"}
RUN = {**JSON, "headwater-run": "r1"}
GOOD = [chunk("Hel"), chunk("lo \N{EARTH GLOBE EUROPE-AFRICA}"), chunk(finish="stop"), DONE]


class Setting:
    """A provider, a proxy before it, and a client of the proxy."""

    def __init__(self, double: Provider, runs: Runs, proxy: Proxy) -> None:
        self.provider = double
        self.runs = runs
        self.client = AsgiClient(proxy)


@asynccontextmanager
async def setting(key: str | None = None, **options: Any) -> AsyncIterator[Setting]:
    async with provider() as double:
        runs = Runs(Hub(), grace_seconds=0.0)
        proxy = Proxy(runs, Upstream(double.url, key), **options)
        async with proxy.lifespan():
            yield Setting(double, runs, proxy)


async def until(response: AsgiResponse, words: bytes) -> bytes:
    found = b""
    while words not in found:
        part = await response.part()
        assert part is not None, found
        found += part
    return found


def without_ids(stream: bytes) -> bytes:
    return re.sub(rb"^id: .*\n", b"", stream, flags=re.M)


def test_without_a_run_everything_passes_as_it_is(run: Run[None]) -> None:
    """Target, headers and body go up, status, headers and bytes come down; credentials of the client, too."""

    async def main() -> None:
        async with setting() as at:
            at.provider.pieces = list(GOOD)
            headers = {**JSON, "authorization": "Bearer mine", "x-custom": "1", "x-forwarded-for": "1.2.3.4"}
            answer, body = await at.client.request("POST", f"{URL}?a=b%20c", ASK, headers)
            assert (answer.status, answer.headers["x-request-id"]) == (200, "req-1")
            assert body == b"".join(GOOD)
            (asked,) = at.provider.asked
            assert (asked.method, asked.target, asked.body) == ("POST", f"{URL}?a=b%20c", ASK)
            assert (asked.headers["authorization"], asked.headers["x-custom"]) == ("Bearer mine", "1")
            assert asked.headers["accept-encoding"] == "identity"
            assert "x-forwarded-for" not in asked.headers
            at.provider.head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json"
            at.provider.pieces = [b'{"object": "list"}']
            answer, body = await at.client.request("GET", "/v1/models")
            assert body == b'{"object": "list"}'
            assert at.runs.running == 0
            assert not await at.runs.hub.list(prefix="runs/")

    run(main())


@pytest.mark.parametrize("headers", [JSON, RUN])
def test_errors_pass_as_they_are(run: Run[None], headers: dict[str, str]) -> None:
    """Status, rate limits and body; with a run's id too, and the id is free for the next attempt."""

    async def main() -> None:
        async with setting() as at:
            at.provider.head = b"HTTP/1.1 429 Too Many\r\ncontent-type: application/json\r\nretry-after: 7"
            at.provider.pieces = [b'{"error": {"message": "slow down"}}']
            answer, body = await at.client.request("POST", URL, ASK, headers)
            assert (answer.status, answer.headers["retry-after"]) == (429, "7")
            assert body == b'{"error": {"message": "slow down"}}'
            at.provider.head = Provider().head
            at.provider.pieces = list(GOOD)
            answer, body = await at.client.request("POST", URL, ASK, headers)
            assert (answer.status, without_ids(body)) == (200, b"".join(GOOD))
            assert len(at.provider.asked) == 2

    run(main())


def test_the_provider_s_key_stays_here(run: Run[None]) -> None:
    """With a key of the proxy, no credential of a client goes up, and the key never comes down."""

    async def main() -> None:
        async with setting("sk-secret", access=Access(["one", "two"])) as at:
            at.provider.pieces = list(GOOD)
            for headers in ({"authorization": "Bearer two", "cookie": "a=b"}, {"x-api-key": "one"}):
                answer, body = await at.client.request("POST", URL, ASK, {**RUN, **headers})
                assert answer.status in (200, 409)
                assert b"sk-secret" not in body + repr(answer.headers).encode()
            (asked,) = at.provider.asked
            assert (asked.headers["authorization"], asked.headers["x-api-key"]) == ("Bearer sk-secret", "sk-secret")
            assert "cookie" not in asked.headers
            for headers in ({}, {"authorization": "Bearer three"}, {"x-api-key": ""}):
                for path in (URL, "/v1/runs/r1", "/v1/models"):
                    answer, body = await at.client.request("POST", path, ASK, {**JSON, **headers})
                    assert answer.status == 401
                    assert json.loads(body)["error"]["code"] == "not-authorized"
            assert len(at.provider.asked) == 1

    run(main())


def test_a_client_that_goes_cancels_a_transparent_request(run: Run[None]) -> None:
    """The provider sees it at once."""

    async def main() -> None:
        async with setting() as at:
            at.provider.pieces = [GOOD[0], asyncio.Event()]
            async with at.client.open("POST", URL, ASK, JSON) as response:
                await until(response, b"Hel")
            await asyncio.wait_for(at.provider.asked[0].gone.wait(), 10)

    run(main())


def test_a_run_survives_its_readers(run: Run[None]) -> None:
    """The first goes, the provider goes on; the same request again, and a second viewer, get all of it."""

    async def main() -> None:
        async with setting() as at:
            go_on = asyncio.Event()
            at.provider.pieces = [GOOD[0], go_on, *GOOD[1:]]
            async with at.client.open("POST", URL, ASK, RUN) as response:
                first = await until(response, b"Hel")
                assert response.headers["headwater-run"] == "r1"
                assert response.headers["x-request-id"] == "req-1"
            offset = first.partition(b"id: ")[2].partition(b"\n")[0].decode()
            async with AsyncExitStack() as stack:
                again = await stack.enter_async_context(at.client.open("POST", URL, ASK, RUN))
                viewer = await stack.enter_async_context(at.client.open("GET", "/v1/runs/r1/stream?dialect=plain"))
                resumed = await stack.enter_async_context(
                    at.client.open("POST", URL, ASK, {**RUN, "last-event-id": offset})
                )
                go_on.set()
                assert without_ids(await again.read()) == b"".join(GOOD)
                told = await viewer.read()
                text = "".join(
                    json.loads(line)["content"] for line in re.findall(rb'^data: ({"content.*)$', told, re.M)
                )
                assert text == "Hello \N{EARTH GLOBE EUROPE-AFRICA}"
                assert without_ids(await resumed.read()) == b"".join(GOOD[1:])
            _, ended = await at.client.request("POST", URL, ASK, RUN)
            assert without_ids(ended) == b"".join(GOOD)
            assert (await at.runs.get("r1")).state is RunState.FINISHED
            assert len(at.provider.asked) == 1

    run(main())


def test_many_at_once_are_one_call(run: Run[None]) -> None:
    """A hundred requests with one id at the same moment."""

    async def main() -> None:
        async with setting() as at:
            at.provider.pieces = list(GOOD)
            answers = await asyncio.gather(*(at.client.request("POST", URL, ASK, RUN) for _ in range(100)))
            assert {without_ids(body) for _, body in answers} == {b"".join(GOOD)}
            assert len(at.provider.asked) == 1

    run(main())


def test_one_refusal_for_many_at_once(run: Run[None]) -> None:
    """They are told the same refusal, and nothing of the run is left."""

    async def main() -> None:
        async with setting() as at:
            go_on = asyncio.Event()
            at.provider.head = b"HTTP/1.1 503 No\r\ncontent-type: text/plain"
            at.provider.pieces = [go_on, b"overloaded"]
            asking = [asyncio.ensure_future(at.client.request("POST", URL, ASK, RUN)) for _ in range(10)]
            while not at.provider.asked:  # noqa: ASYNC110 - the request comes over a socket
                await asyncio.sleep(0.001)
            go_on.set()
            answers = await asyncio.gather(*asking)
            assert {(answer.status, body) for answer, body in answers} == {(503, b"overloaded")}
            assert len(at.provider.asked) == 1
            assert not await at.runs.hub.list(prefix="runs/")

    run(main())


def test_another_request_with_the_same_id_is_refused(run: Run[None]) -> None:
    """And so is another client's; neither reaches the provider."""

    async def main() -> None:
        async with setting() as at:
            at.provider.pieces = list(GOOD)
            await at.client.request("POST", URL, ASK, RUN)
            other = b'{"model": "other", "stream": true}'
            for headers, body in ((RUN, other), ({**RUN, "authorization": "Bearer mallory"}, ASK)):
                answer, text = await at.client.request("POST", URL, body, headers)
                error = json.loads(text)["error"]
                assert (answer.status, error["code"]) == (409, "run-exists")
                assert ("they differ in 'messages', 'model'" in error["message"]) is (body == other), error
            answer, text = await at.client.request(
                "GET", "/v1/runs/r1/stream", headers={"authorization": "Bearer mallory"}
            )
            assert (answer.status, json.loads(text)["error"]["code"]) == (404, "run-not-found")
            answer, _ = await at.client.request("POST", "/v1/runs/r1/stop", headers={"x-api-key": "mallory"})
            assert answer.status == 404
            assert len(at.provider.asked) == 1

    run(main())


def test_the_same_request_in_another_spelling_is_the_same_run(run: Run[None]) -> None:
    """Two SDKs write one call in two ways: order, white space, escapes, numbers. Before and after it has ended."""

    async def main() -> None:
        async with setting() as at:
            go_on = asyncio.Event()
            at.provider.pieces = [GOOD[0], go_on, *GOOD[1:]]
            one = '{"model":"m","stream":true,"top_p":1,"messages":[{"role":"user","content":"\u00e9 \u2028"}]}'
            two = '{ "messages": [{"content": "é \\u2028", "role": "user"}],\n "top_p":1e0, "stream":true, "model":"m"}'
            asking = [asyncio.ensure_future(at.client.request("POST", URL, body.encode(), RUN)) for body in (one, two)]
            go_on.set()
            answers = [*await asyncio.gather(*asking), await at.client.request("POST", URL, two.encode(), RUN)]
            assert {answer.status for answer, _ in answers} == {200}
            assert len({without_ids(told) for _, told in answers}) == 1
            assert len(at.provider.asked) == 1

    run(main())


def test_a_stop_reaches_the_provider(run: Run[None]) -> None:
    """The partial answer is kept and told as not complete."""

    async def main() -> None:
        async with setting() as at:
            at.provider.pieces = [GOOD[0], asyncio.Event()]
            async with at.client.open("POST", URL, ASK, RUN) as response:
                told = await until(response, b"Hel")
                answer, body = await at.client.request("POST", "/v1/runs/r1/stop")
                assert (answer.status, json.loads(body)["state"]) == (200, "stopped")
                await asyncio.wait_for(at.provider.asked[0].gone.wait(), 10)
                told += await response.read()
            assert b'"error"' in told
            assert told.endswith(DONE)

    run(main())


@pytest.mark.parametrize(
    ("pieces", "words"),
    [
        ([GOOD[0]], b"truncated"),
        ([GOOD[0], None], b"upstream-unreachable"),
        ([GOOD[0], b'data: {"error": {"message": "overloaded", "code": "busy"}}\n\n', DONE], b"overloaded"),
        ([GOOD[0], b"data: {half"], b"truncated"),
    ],
)
def test_an_answer_that_breaks_off(run: Run[None], pieces: list[bytes | None], words: bytes) -> None:
    """Every event that came is told, then an error in the provider's dialect: never a silent end, nor half an event."""

    async def main() -> None:
        async with setting() as at:
            at.provider.pieces = list(pieces)
            _, told = await at.client.request("POST", URL, ASK, RUN)
            assert b"Hel" in told
            assert words in told
            assert told.count(b"[DONE]") == 1
            assert b"half" not in told
            assert (await at.runs.get("r1")).state is RunState.FAILED

    run(main())


@pytest.mark.parametrize("end", [b"data: [DONE]\n", b"data: [DONE]\r", b"data: [DONE]"])
def test_a_last_event_without_a_blank_line(run: Run[None], end: bytes) -> None:
    """Some providers send none; the answer is whole, and told as it was sent."""

    async def main() -> None:
        async with setting() as at:
            at.provider.pieces = [*GOOD[:-1], end]
            _, told = await at.client.request("POST", URL, ASK, RUN)
            assert without_ids(told) == b"".join(GOOD[:-1]) + end
            assert (await at.runs.get("r1")).state is RunState.FINISHED

    run(main())


async def follow(client: AsgiClient) -> None:
    """To a server that nothing is known of, a cut is an exception."""
    async with client.open("POST", URL, ASK, JSON) as response:
        assert await until(response, b"Hel") == GOOD[0]
        assert await response.read() == b""


def test_a_silent_provider_is_given_up(run: Run[None]) -> None:
    """Without a run the connection is cut, as the provider's would be; a run ends as timed out, and says so."""

    async def main() -> None:
        async with provider() as double:
            double.pieces = [GOOD[0], asyncio.Event()]
            runs = Runs(Hub(), limits=SourceLimits(stall_seconds=0.2))
            proxy = Proxy(runs, Upstream(double.url, read_seconds=0.2))
            async with proxy.lifespan():
                client = AsgiClient(proxy)
                _, told = await client.request("POST", URL, ASK, RUN)
                assert b"Hel" in told
                assert b'"timeout"' in told
                with pytest.raises(ResponseCut):
                    await follow(client)
                for asked in double.asked:
                    await asyncio.wait_for(asked.gone.wait(), 10)

    run(main())


def test_characters_cut_anywhere_stay_whole(run: Run[None]) -> None:
    """The provider's network cuts where it likes; what is told is what was sent."""

    async def main() -> None:
        stream = b"".join(GOOD)
        for size in (1, 2, 3, 5):
            async with setting() as at:
                at.provider.pieces = [stream[index : index + size] for index in range(0, len(stream), size)]
                _, told = await at.client.request("POST", URL, ASK, RUN)
                assert without_ids(told) == stream

    run(main())


def test_a_provider_that_is_not_there(run: Run[None]) -> None:
    """502 in the dialect, with a run's id and without; the id is free afterwards."""

    async def main() -> None:
        runs = Runs(Hub())
        proxy = Proxy(runs, Upstream("http://127.0.0.1:9/v1"))
        async with proxy.lifespan():
            client = AsgiClient(proxy)
            for path, kind in ((URL, "openai"), ("/v1/messages", "anthropic")):
                for headers in (JSON, RUN):
                    answer, body = await client.request("POST", path, ASK, headers)
                    assert answer.status == 502
                    assert "did not answer" in json.loads(body)["error"]["message"]
                    assert (json.loads(body).get("type") == "error") == (kind == "anthropic")
            assert not await runs.hub.list(prefix="runs/")

    run(main())


def test_bad_requests(run: Run[None]) -> None:
    """A body that is no JSON, too large, an id that is none, a path that is not the provider's."""

    async def main() -> None:
        async with setting(max_request_bytes=1000) as at:
            for method, path, body, headers, status in (
                ("POST", URL, b"{", RUN, 400),
                ("POST", URL, b"[]", RUN, 400),
                ("POST", URL, b'{"model": "\xff"}', RUN, 400),
                ("POST", URL, b" " * 1001, JSON, 413),
                ("POST", URL, ASK, {**JSON, "headwater-run": "a/b"}, 400),
                ("GET", "/v2/models", b"", {}, 404),
                ("GET", "/v1/runs/none/stream", b"", {}, 404),
            ):
                answer, text = await at.client.request(method, path, body, headers)
                assert answer.status == status
                assert json.loads(text)["error"]["message"]
            assert at.provider.asked == []
            answer, text = await at.client.request("GET", "/-/health")
            assert json.loads(text)["running"] == 0

    run(main())
