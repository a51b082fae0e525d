"""Signals over HTTP: sent by POST, told on the wires that have a place for them, and refused with a reason."""

from __future__ import annotations

import contextlib
import json
import sys
import zlib
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import pytest
from tests.conftest import Run
from tests.support.inprocess import in_process, turns

from headwater import Access, Ask, Hub, Limits, Operation
from headwater.asgi import App
from headwater.errors import Refused
from headwater.http.authorize import Credential
from headwater.hub import signals as hub_signals
from headwater.protocol.compression import Compression
from headwater.protocol.sse import Parser
from headwater.server.settings import Settings
from headwater.testing.asgi import AsgiClient, AsgiResponse

ROOT: Final = "/v1/stream/"
JSON: Final = "application/json"
SSE: Final = {"accept": "text/event-stream"}
LINES: Final = {"accept": "application/x-ndjson"}
TYPE: Final = {"content-type": JSON}


@asynccontextmanager
async def served(limits: Limits | None = None, **options: Any) -> AsyncIterator[tuple[Hub, AsgiClient]]:
    """A hub with an empty stream."""
    async with Hub(limits=limits or Limits(flush_seconds=0)) as hub:
        await hub.create("s", content_type=JSON)
        yield hub, AsgiClient(App(hub, multi=True, **options))


async def send(
    client: AsgiClient, query: str = "", body: bytes = b"1", headers: Mapping[str, str] = TYPE, path: str = "s"
) -> tuple[int, dict[str, Any], dict[str, str]]:
    """POST a signal; status, problem and headers of the answer."""
    answer, text = await client.request("POST", f"{ROOT}{path}/-/signal{query}", body, dict(headers))
    return answer.status, json.loads(text) if text else {}, dict(answer.headers)


async def until(answer: AsgiResponse, *words: bytes) -> bytes:
    """What comes until all words have come."""
    text = b""
    while not all(word in text for word in words):
        part = await answer.part()
        assert part is not None, text
        text += part
    return text


def signals_in(text: bytes) -> list[dict[str, Any]]:
    """Of lines or of events, whichever it is."""
    if text.lstrip().startswith(b"{"):
        lines = map(json.loads, text.splitlines())
        return [line for line in lines if line.get("control") == "signal"]
    return [json.loads(event.data) for event in Parser().feed(text) if event.event == b"stream-signal"]


def test_each_wire_that_has_a_place(run: Run[None]) -> None:
    """Plain SSE, NDJSON, and many streams on one read in both forms; who does not ask is told none."""

    async def main() -> None:
        async with served() as (hub, client), AsyncExitStack() as stack:
            await hub.create("t", content_type="text/plain")
            many = f"{ROOT}-/many?signals=1&stream=s&stream=t"

            async def open_(url: str, headers: dict[str, str]) -> AsgiResponse:
                return await stack.enter_async_context(client.open("GET", url, headers=headers))

            asks = [await open_(f"{ROOT}s?signals=1", SSE), await open_(f"{ROOT}s?signals=1", LINES)]
            asks += [await open_(many, SSE), await open_(many, LINES)]
            deaf = [await open_(f"{ROOT}s", LINES), await open_(f"{ROOT}s?offset=-1&live=sse", {})]
            for answer, word in zip(asks, (b"\n\n", b"up-to-date", b"cursor", b"cursor"), strict=True):
                await until(answer, word)
            assert (await send(client, "?from=ada&topic=typing", b'{"on": true}'))[0] == 204
            text = {"content-type": "text/plain"}
            assert (await send(client, body="grüße\n".encode(), headers=text, path="t"))[0] == 204
            await hub.append("s", "end")
            await hub.append("t", "end")
            expected = {"from": "ada", "topic": "typing", "data": {"on": True}}
            for number, answer in enumerate(asks):
                found = signals_in(await until(answer, b'"end"'))
                for each in found:
                    each.pop("control", None)
                if number < 2:
                    assert found == [expected]
                else:
                    assert found == [{"stream": "s", **expected}, {"stream": "t", "data": "grüße\n"}]
            for answer in deaf:
                assert b"signal" not in await until(answer, b'"end"')
            assert (hub.stats.signals, hub.stats.signals_told) == (2, 6)

    run(main())


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("s?signals=1&offset=-1&live=sse", {}),
        ("s?signals=1&offset=-1&live=long-poll", {}),
        ("s?signals=1", {}),
        ("s?signals=1&last=1", {}),
        ("s?signals=true", SSE),
        ("s?signals=", LINES),
        ("-/many?signals=1&live=false&stream=s", LINES),
        ("-/many?signals=yes&stream=s", SSE),
    ],
)
def test_where_there_is_no_place(run: Run[None], url: str, headers: dict[str, str]) -> None:
    """400, with a sentence that says so."""

    async def main() -> None:
        async with served() as (_, client):
            answer, body = await client.request("GET", ROOT + url, headers=headers)
            assert (answer.status, answer.json(body)["code"]) == (400, "bad-request")
            assert "signals" in answer.json(body)["detail"]

    run(main())


@pytest.mark.parametrize(
    ("query", "body", "headers", "path", "status", "code", "says"),
    [
        ("", b"1", TYPE, "none", 404, "stream-not-found", "'none'"),
        ("", b"1", TYPE, "closed", 409, "stream-closed", "closed"),
        ("", b"", TYPE, "s", 400, "invalid-body", "no data"),
        ("", b" \n", TYPE, "s", 400, "invalid-body", "no data"),
        ("", b"{", TYPE, "s", 400, "invalid-body", "JSON"),
        ("", b'"\0"', TYPE, "s", 400, "invalid-body", "JSON"),
        ("", b"\xff", TYPE, "s", 400, "invalid-body", "UTF-8"),
        ("", b"1", {}, "s", 400, "bad-request", "Content-Type"),
        ("", b"1", {"content-type": "json"}, "s", 400, "bad-request", "media type"),
        ("", b"1", {**TYPE, "content-encoding": "gzip"}, "s", 415, "unsupported-coding", "gzip"),
        ("", b"x" * 1_000_000, {"content-type": "a/b"}, "s", 413, "too-large", "max_signal_bytes=4096"),
        ("?from=%0A", b"1", TYPE, "s", 400, "bad-request", "from"),
        ("?to=" + "x" * 257, b"1", TYPE, "s", 400, "bad-request", "to"),
        ("?topic=a&topic=b", b"1", TYPE, "s", 400, "bad-request", "topic"),
        ("?keep=1", b"1", TYPE, "s", 400, "bad-request", "say from"),
        ("?keep=61&from=a", b"1", TYPE, "s", 400, "bad-request", "signal_keep_seconds=60"),
        ("?keep=x&from=a", b"1", TYPE, "s", 400, "bad-request", "keep"),
        ("", b"1", TYPE, "runs/x", 403, "stream-private", "runs"),
        ("", b"1", TYPE, "-/many", 400, "invalid-path", "'-'"),
        ("", b"1", TYPE, "a//b", 400, "invalid-path", "segment"),
        ("", b"1", TYPE, "a%00b", 400, "invalid-path", "control"),
        ("", b"1", TYPE, "s%zz", 400, "invalid-path", "percent"),
        ("", b"1", TYPE, "x" * 1025, 414, "path-too-long", "1025"),
    ],
)
def test_bad_input(
    run: Run[None],
    query: str,
    body: bytes,
    headers: dict[str, str],
    path: str,
    status: int,
    code: str,
    says: str,
) -> None:
    """Each with its code and a sentence; nobody is told anything, and nothing is kept."""

    async def main() -> None:
        async with served() as (hub, client):
            await hub.create("closed", content_type=JSON, closed=True)
            async with client.open("GET", f"{ROOT}s?signals=1", headers=LINES) as answer:
                await until(answer, b"up-to-date")
                found = await send(client, query, body, headers, path)
                assert (found[0], found[1]["code"]) == (status, code)
                assert says in found[1]["detail"]
                await send(client, body=b'"after"')
                assert [each["data"] for each in signals_in(await until(answer, b"after"))] == ["after"]
            assert hub.stats.signals == 1
            assert len(hub.signal_sender.kept) == 0

    run(main())


class Clock:
    """Time as rates see it: none goes by."""

    def monotonic(self) -> float:
        return 1000.0


def test_a_flood_is_refused_with_the_name_of_the_limit(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """429 with Retry-After for one sender, by its address; another one goes on. Also of signals to no stream."""

    async def main() -> None:
        monkeypatch.setattr(hub_signals, "time", Clock())
        async with served(Limits(signal_rate=20)) as (hub, client):
            for path, expected in (("s", 204), ("none", 404)):
                assert [(await send(client, path=path))[0] for _ in range(10)] == [expected] * 10
            for _ in range(30):
                status, problem, headers = await send(client)
                assert (status, problem["code"], headers["retry-after"]) == (429, "rate-limited", "1")
                assert "signal_rate=20" in problem["detail"]
            assert hub.stats.errors["rate-limited"] == 30
            other = AsgiClient(_from_elsewhere(App(hub)))
            assert (await send(other))[0] == 204

    run(main())


def _from_elsewhere(app: App) -> Any:
    async def called(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "client": ("192.0.2.1", 4)}, receive, send)

    return called


def test_an_application_decides_who_may_send(run: Run[None]) -> None:
    """To send is asked as an operation of its own; the sender is who the application says it is."""
    asked: list[tuple[Ask, ...]] = []

    async def authorize(asks: tuple[Ask, ...], credential: Credential, client: object) -> Access | None:
        asked.append(asks)
        who = credential.bearer
        if who == "reader" and asks[0].operation is not Operation.READ:
            raise Refused("only reads")
        return None if who is None else Access(None if who == "backend" else who)

    def as_(who: str) -> dict[str, str]:
        return {**TYPE, "authorization": f"Bearer {who}"}

    async def main() -> None:
        async with served(authorize=authorize) as (hub, client):
            read = {**LINES, "authorization": "Bearer reader"}
            async with client.open("GET", f"{ROOT}s?signals=1", headers=read) as answer:
                await until(answer, b"up-to-date")
                for who, query, status in (
                    ("ada", "", 204),
                    ("ada", "?from=ada", 204),
                    ("ada", "?from=bob", 403),
                    ("reader", "", 403),
                    ("backend", "?from=bob", 204),
                    ("ada", "?to=reader", 204),
                ):
                    assert (await send(client, query, headers=as_(who)))[0] == status, (who, query)
                assert (await send(client))[0] == 401
                assert (await send(client, path="none"))[0] == 401
                await hub.append("s", "end")
                found = [each.get("from") for each in signals_in(await until(answer, b'"end"'))]
                assert found == ["ada", "ada", "bob", "ada"]
            assert asked.count((Ask(Operation.SIGNAL, "s"),)) == 7
            assert (Ask(Operation.SIGNAL, "none"),) in asked

    run(main())


def test_a_page_of_another_origin_asks_first(run: Run[None]) -> None:
    """The preflight allows what a page sends."""

    async def main() -> None:
        async with served(cors_origins=("https://app.example",)) as (_, client):
            headers = {"origin": "https://app.example", "access-control-request-method": "POST"}
            answer, _ = await client.request("OPTIONS", f"{ROOT}s/-/signal", headers=headers)
            assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, "https://app.example")
            assert "POST" in answer.headers["access-control-allow-methods"]

    run(main())


def test_in_a_content_coding(run: Run[None]) -> None:
    """gzip: the body decodes to its end."""

    async def main() -> None:
        compression = Compression(codings=("gzip",))
        async with served(compression=compression) as (hub, client):
            headers = {**SSE, "accept-encoding": "gzip"}
            await send(client, "?from=ada&keep=9", b'"kept"')
            async with client.open("GET", f"{ROOT}s?signals=1", headers=headers) as answer:
                decoder = zlib.decompressobj(31)
                text = b""
                while b"kept" not in text:
                    text += decoder.decompress(await answer.part() or b"")
                assert answer.headers["content-encoding"] == "gzip"
                await send(client, body=b'"one"')
                await hub.append("s", 2, close=True)
                while (part := await answer.part()) is not None:
                    text += decoder.decompress(part)
                assert decoder.eof
                names = [event.event for event in Parser().feed(text)]
                assert names == [b"stream-signal", b"stream-signal", b"", b"stream-closed"]

    run(main())


def test_figures(run: Run[None]) -> None:
    """What was sent, told and dropped, and what is kept."""

    async def main() -> None:
        async with served() as (_, client), AsyncExitStack() as stack:
            url = f"{ROOT}s?signals=1&reader=me"
            live = await stack.enter_async_context(client.open("GET", url, headers=LINES))
            await until(live, b"up-to-date")
            await send(client, "?from=ada&keep=9", b"[12]")
            answer, body = await client.request("GET", "/-/stats")
            stats = answer.json(body)
            assert {name: stats[name] for name in stats if "signal" in name} == {
                "signals": 1,
                "signals_told": 1,
                "signals_dropped": 0,
                "kept_signals": 1,
                "kept_signal_bytes": 7,
            }
            answer, body = await client.request("GET", "/-/readers")
            (shown,) = answer.json(body)["readers"]
            assert (shown["name"], shown["signals_told"], shown["signals_dropped"]) == ("me", 1, 0)
            _, body = await client.request("GET", "/-/metrics")
            for line in (b"signals_total 1.0", b"signals_told_total 1.0", b"kept_signals 1.0"):
                assert b"\nheadwater_" + line in body

    run(main())


def test_on_a_connection_of_our_own(run: Run[None]) -> None:
    """Pipelined, in one segment: each is answered in its order, refused ones too; the reader is told in that order."""

    async def main() -> None:
        async with in_process(Settings(store="memory:", flush_seconds=0, signal_rate=1000)) as served_:
            await served_.hub.create("s", content_type=JSON)
            reader, sender = await served_.connect(), await served_.connect()
            reader.sendall(
                b"GET /v1/stream/s?signals=1 HTTP/1.1\r\nhost: localhost\r\naccept: application/x-ndjson\r\n\r\n"
            )
            await turns()
            requests = b""
            for number in range(100):
                body = b"%d" % number if number % 3 else b"{"
                requests += (
                    b"POST /v1/stream/s/-/signal?from=x HTTP/1.1\r\nhost: localhost\r\n"
                    b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
                )
            sender.sendall(requests)
            reader.setblocking(False)
            text = b""
            for _ in range(200):
                await turns()
                with contextlib.suppress(BlockingIOError):  # who is full is told no signals
                    text += reader.recv(10**6)
            answers = sender.recv(10**6)
            assert answers.count(b"HTTP/1.1 204") == 66
            assert answers.count(b"HTTP/1.1 400") == 34
            found = [int(part.partition(b"}")[0]) for part in text.split(b'"from":"x","data":')[1:]]
            assert found == [number for number in range(100) if number % 3]
            for each in (reader, sender):
                each.close()
            await turns()

    run(main())


def test_a_reader_more_is_a_system_call_more(run: Run[None]) -> None:
    """Telling fifty sockets takes the functions of Python that telling one takes, for a record and for a signal."""

    async def calls(count: int, *, asks: bool) -> tuple[int, int]:
        async with in_process(Settings(store="memory:", flush_seconds=0)) as served_:
            await served_.hub.create("s", content_type=JSON)
            clients = []
            for _ in range(count):
                client = await served_.connect()
                query = b"?signals=1" if asks else b""
                client.sendall(
                    b"GET /v1/stream/s%b HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n" % query
                )
                clients.append(client)
            await turns(60)
            stream = served_.hub.live.stream("s")
            assert stream is not None
            assert stream.readers == count

            async def counted(work: Coroutine[Any, Any, object]) -> int:
                found = 0

                def count_call(frame: object, event: str, argument: object) -> None:
                    nonlocal found
                    found += event == "call"

                sys.setprofile(count_call)
                await work
                stream.flush(10**6)
                sys.setprofile(None)
                return found

            await served_.hub.append("s", 0)
            await turns(60)
            await served_.hub.signal("s", 0)
            found = await counted(served_.hub.append("s", 1)), await counted(served_.hub.signal("s", 1))
            for client in clients:
                assert client.recv(10**6).count(b"stream-signal") == 2 * asks
                client.close()
            await turns()
            return found

    async def main() -> None:
        for asks in (False, True):
            assert await calls(1, asks=asks) == await calls(50, asks=asks)
        assert (await calls(1, asks=False))[0] == (await calls(1, asks=True))[0]

    run(main())


def test_a_large_one_is_refused_before_its_body(run: Run[None]) -> None:
    """By its length, or, without one, by what has come."""

    async def main() -> None:
        async with in_process(Settings(store="memory:")) as served_:
            await served_.hub.create("s", content_type=JSON)
            head = b"POST /v1/stream/s/-/signal HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/plain\r\n"
            for sent in (
                head + b"content-length: 1000000\r\nexpect: 100-continue\r\n\r\n",
                head + b"transfer-encoding: chunked\r\n\r\n1389\r\n" + b"x" * 5001 + b"\r\n0\r\n\r\n",
            ):
                client = await served_.connect()
                client.sendall(sent)
                await turns(40)
                answer = client.recv(10**5)
                assert answer.startswith(b"HTTP/1.1 413 "), answer
                assert b"max_signal_bytes=4096" in answer
                client.close()
            await turns()

    run(main())
