"""HTTP over ASGI: what every answer promises, and how bad input is met. The published suite covers the protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest

from headwater import Hub, Limits
from headwater.asgi import App
from headwater.asgi.types import Message
from headwater.errors import StoreUnavailable
from headwater.model import StreamInfo
from headwater.stores.memory import MemoryStore
from headwater.testing.asgi import AsgiClient

Run = Callable[[Coroutine[Any, Any, Any]], Any]
URL = "/v1/stream/s"
JSON = {"content-type": "application/json"}


def problem(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(body)
    return found


async def statuses(client: AsgiClient, *requests: tuple[str, str, bytes, dict[str, str]]) -> list[int]:
    return [(await client.request(*request))[0].status for request in requests]


def test_create_append_read_close_delete(run: Run) -> None:
    """The life of a stream over HTTP."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            created, _ = await client.request("PUT", URL, headers=JSON)
            assert (created.status, created.headers["location"]) == (201, "http://test/v1/stream/s")
            await client.request("POST", URL, b'[{"n":1},{"n":2}]', JSON)
            read, body = await client.request("GET", URL)
            assert body == b'[{"n":1},{"n":2}]'
            assert read.headers["stream-up-to-date"] == "true"
            tag = {"if-none-match": read.headers["etag"]}
            assert (await client.request("GET", URL, headers=tag))[0].status == 304
            await client.request("POST", URL, headers={"stream-closed": "true"})
            assert (await client.request("GET", URL, headers=tag))[0].status == 200
            head, nothing = await client.request("HEAD", URL)
            assert (head.headers["stream-closed"], nothing) == ("true", b"")
            assert (await client.request("DELETE", URL))[0].status == 204
            assert (await client.request("GET", URL))[0].status == 404

    run(main())


BAD: list[tuple[str, str, bytes, dict[str, str], int, str]] = [
    ("POST", URL, b'{"half":', JSON, 400, "invalid-body"),
    ("POST", URL, b'"\xff"', JSON, 400, "invalid-body"),
    ("POST", URL, b"[]", JSON, 400, "invalid-body"),
    ("POST", URL, b"[" * 100_000, JSON, 400, "invalid-body"),
    ("POST", URL, b"text", {"content-type": "text/plain"}, 409, "content-type-mismatch"),
    ("POST", URL, b"1", {}, 400, "bad-request"),
    ("POST", URL, b"1", {"content-type": "application/json\r\nx: y"}, 400, "bad-request"),
    ("POST", URL, b"1", {**JSON, "stream-seq": "a\r\nb"}, 400, "bad-request"),
    ("POST", URL, b"1", {**JSON, "producer-id": "p"}, 400, "invalid-producer"),
    ("POST", URL, b"1" * 150_001, JSON, 413, "too-large"),
    ("POST", URL, b"1", {**JSON, "content-length": "-5"}, 400, "bad-request"),
    ("POST", URL, b"1", {**JSON, "content-length": "150001"}, 413, "too-large"),
    ("POST", "/v1/stream/none", b"1", JSON, 404, "stream-not-found"),
    ("GET", URL + "?offset=12", b"", {}, 400, "invalid-offset"),
    ("GET", URL + "?offset=9999999999999999_0000000000000000", b"", {}, 400, "invalid-offset"),
    ("GET", URL + "?offset=-1&offset=-1", b"", {}, 400, "bad-request"),
    ("GET", URL + "?live=maybe", b"", {}, 400, "bad-request"),
    ("GET", URL + "?offset=%ff", b"", {}, 400, "bad-request"),
    ("GET", URL, b"", {"accept": "text/event-stream", "last-event-id": "1; drop"}, 400, "invalid-offset"),
    ("PUT", "/v1/stream/../etc/passwd", b"", {}, 400, "invalid-path"),
    ("PUT", "/v1/stream/a/%2e%2e/b", b"", {}, 400, "invalid-path"),
    ("PUT", "/v1/stream/a//b", b"", {}, 400, "invalid-path"),
    ("PUT", "/v1/stream/", b"", {}, 400, "invalid-path"),
    ("PUT", "/v1/stream/-/health", b"", {}, 400, "invalid-path"),
    ("PUT", "/v1/stream/a%00b", b"", {}, 400, "invalid-path"),
    ("PUT", "/v1/stream/" + "x" * 2000, b"", {}, 414, "path-too-long"),
    (
        "PUT",
        "/v1/stream/new",
        b"",
        {"stream-ttl": "1", "stream-expires-at": "2030-01-01T00:00:00Z"},
        400,
        "bad-request",
    ),
    ("PUT", "/v1/stream/new", b"", {"stream-retention": "forever"}, 400, "bad-request"),
    ("PUT", "/v1/stream/new", b"", {"stream-slow": "somewhat"}, 400, "bad-request"),
    ("PUT", "/v1/stream/new", b"", {"stream-slow": "conflate:k"}, 400, "bad-request"),
    ("PUT", "/v1/stream/new", b"", {"stream-forked-from": "/v1/stream/none"}, 404, "stream-not-found"),
    ("PATCH", URL, b"", {}, 405, "method-not-allowed"),
    ("GET", "/elsewhere", b"", {}, 404, "route-not-found"),
    ("GET", "/-/secrets", b"", {}, 404, "route-not-found"),
    ("POST", "/-/health", b"", {}, 405, "method-not-allowed"),
    ("GET", "/-/streams?limit=many", b"", {}, 400, "bad-request"),
    ("GET", "/-/streams?%zz", b"", {}, 200, ""),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "status", "code"), BAD)
def test_bad_input_is_told_and_counted(
    run: Run, method: str, path: str, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    """A problem with code, detail and advice; a metric; and the stream beside it is as it was."""

    async def main() -> None:
        async with Hub(limits=Limits(max_body_bytes=150_000, max_path_bytes=200)) as hub:
            await hub.create("s", content_type="application/json", body=b"1")
            answer, text = await AsgiClient(App(hub)).request(method, path, body, headers)
            assert answer.status == status, text
            assert answer.headers["x-content-type-options"] == "nosniff"
            if code:
                found = problem(text)
                assert (found["code"], found["status"]) == (code, status)
                assert found["detail"]
                assert found["advice"]
                assert answer.headers["content-type"] == "application/problem+json"
                assert hub.stats.errors[code] == 1
            assert [record.data async for record in hub.read("s")] == [b"1"]

    run(main())


def test_an_unread_body_closes_the_connection(run: Run) -> None:
    """After 413 the rest of the body would be taken for the next request."""

    async def main() -> None:
        async with Hub(limits=Limits(max_body_bytes=4)) as hub:
            answer, _ = await AsgiClient(App(hub)).request("PUT", URL, [b"123", b"45", b"6"])
            assert (answer.status, answer.headers["connection"]) == (413, "close")

    run(main())


def test_a_slow_body_is_given_up(run: Run) -> None:
    """408 after body_seconds, and nothing of it is kept."""

    async def main() -> None:
        async with Hub(limits=Limits(body_seconds=0.01, linger_seconds=0.01)) as hub:
            await hub.create("s", content_type="text/plain")
            sent: list[Message] = []
            first = [{"type": "http.request", "body": b"ha", "more_body": True}]

            async def receive() -> Message:
                if first:
                    return first.pop()
                return await asyncio.Future()

            async def send(message: Message) -> None:
                sent.append(message)

            scope = AsgiClient(None)._scope("POST", URL, {"content-type": "text/plain", "content-length": "4"})
            await App(hub)(scope, receive, send)
            assert sent[0]["status"] == 408
            assert [message.get("more_body", False) for message in sent[1:]] == [True, False]
            assert ((await hub.info("s")).size, hub.stats.linger_cuts) == (0, 1)

    run(main())


def test_a_half_sent_body_is_not_appended(run: Run) -> None:
    """A client that vanishes inside its body has said nothing."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type="text/plain")
            client = AsgiClient(App(hub))
            async with client.open("POST", URL, [b"ha", b"lf"], {"content-type": "text/plain"}, vanish=True) as answer:
                assert answer.status == 0
            assert (await hub.info("s")).size == 0
            assert hub.stats.disconnects == 1

    run(main())


def test_an_event_source_reads_resumes_and_stops(run: Run) -> None:
    """Plain SSE: ids are offsets, the last one resumes, the end is told, and coming back after it gets 204."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type="application/json", body=b'[{"t":"a"},{"t":"b"}]')
            client = AsgiClient(App(hub))
            sse = {"accept": "text/event-stream"}
            async with client.open("GET", URL + "?event=t", headers=sse) as answer:
                assert answer.headers["content-type"] == "text/event-stream"
                text = await answer.until(b'data:{"t":"b"}\n\n')
                assert text.startswith(b"retry:1000\n\n")
                assert b"event: a\n" in text
                first_id = text.split(b"id:")[1].split(b"\n")[0].decode()
            async with client.open("GET", URL, headers={**sse, "last-event-id": first_id}) as answer:
                assert b'data:{"t":"a"}' not in await answer.until(b'data:{"t":"b"}\n\n')
                await hub.append("s", {"t": "c"}, close=True)
                rest = await answer.read()
                assert b'data:{"t":"c"}' in rest
                assert b"event: stream-closed" in rest
                assert answer.complete
            tail = (await hub.info("s")).tail
            again, body = await client.request("GET", URL, headers={**sse, "last-event-id": tail})
            assert (again.status, body, again.headers["stream-closed"]) == (204, b"", "true")
            assert hub.stats.resumes == 2
            whole, body = await client.request("GET", URL, headers=sse)
            assert (whole.status, body.count(b"event: stream-closed")) == (200, 1)

    run(main())


def test_ndjson_tells_everything(run: Run) -> None:
    """Records with offsets, then up-to-date, then how it ended."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type="text/plain", body="é".encode()[:1])
            client = AsgiClient(App(hub))
            async with client.open("GET", URL, headers={"accept": "application/x-ndjson"}) as answer:
                assert b'"up-to-date"' in (await answer.part() or b"")
                await hub.append("s", "é".encode()[1:] + b"!", close=True)
                lines = [msgspec.json.decode(line) for line in (await answer.read()).splitlines()]
            assert lines[0]["data"] == "é!"
            assert lines[1]["control"] == "closed"

    run(main())


def test_a_deleted_stream_ends_its_readers_with_an_error(run: Run) -> None:
    """No silent end, in either format."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            for accept, word in (("text/event-stream", b"event: stream-error"), ("application/x-ndjson", b'"error"')):
                await hub.create("s")
                async with client.open("GET", URL, headers={"accept": accept}) as answer:
                    await answer.part()
                    await hub.delete("s")
                    rest = await answer.read()
                    assert word in rest
                    assert b"stream-not-found" in rest

    run(main())


def test_draining_tells_readers_when_to_come_back(run: Run) -> None:
    """Event streams get a retry time, NDJSON a line, also who comes now; a long-poll 503 with Retry-After."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s", content_type="text/plain", body=b"one")
            client = AsgiClient(App(hub))
            async with (
                client.open("GET", URL, headers={"accept": "text/event-stream"}) as events,
                client.open("GET", URL, headers={"accept": "application/x-ndjson"}) as lines,
            ):
                await events.part()
                await lines.part()
                hub.drain()
                assert b"stream-detached" in await events.read()
                assert b'"detached"' in await lines.read()
            # A browser's EventSource gives up for ever at a status that is not 200 (HTML, section 9.2.3).
            answer, events_now = await client.request("GET", URL, headers={"accept": "text/event-stream"})
            assert answer.status == 200
            told = [events_now.index(b"data:one"), events_now.rindex(b"retry:"), events_now.index(b"stream-detached")]
            assert told == sorted(told)
            answer, lines_now = await client.request("GET", URL, headers={"accept": "application/x-ndjson"})
            assert answer.status == 200
            assert b'"detached"' in lines_now
            answer, _ = await client.request("GET", f"{URL}?offset=now&live=long-poll")
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
            assert hub.stats.readers == 0
            assert (await client.request("GET", "/-/ready"))[0].status == 503
            assert (await client.request("GET", "/-/health"))[0].status == 200

    run(main())


def test_a_reader_that_leaves_is_counted_out(run: Run) -> None:
    """A closed tab costs nothing afterwards."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("s")
            client = AsgiClient(App(hub))
            async with client.open("GET", URL, headers={"accept": "text/event-stream"}) as answer:
                await answer.part()
                assert hub.stats.readers == 1
            assert hub.stats.readers == 0
            assert hub.stats.disconnects == 1

    run(main())


def test_conditions_guard_every_write(run: Run) -> None:
    """Compare-and-append with the ETag of any response; an exclusive create; a delete of what was read."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            exclusive = {**JSON, "if-none-match": "*"}
            made, _ = await client.request("PUT", URL, headers=exclusive)
            assert made.status == 201
            again, body = await client.request("PUT", URL, headers=exclusive)
            assert (again.status, problem(body)["code"]) == (412, "precondition-failed")
            assert again.headers["stream-next-offset"] == made.headers["stream-next-offset"]
            at_start = {**JSON, "if-match": made.headers["etag"]}
            first, _ = await client.request("POST", URL, b"1", at_start)
            late, _ = await client.request("POST", URL, b"2", at_start)
            assert (first.status, late.status) == (204, 412)
            assert late.headers["stream-next-offset"] == first.headers["stream-next-offset"]
            for method in ("HEAD", "PUT"):
                found, _ = await client.request(method, URL, headers=JSON)
                assert found.headers["etag"] == first.headers["etag"]
            read = (await client.request("GET", URL))[0].headers["etag"]
            as_read = {**JSON, "if-match": read}
            assert await statuses(
                client,
                ("POST", URL, b"3", as_read),
                ("DELETE", URL, b"", as_read),
                ("DELETE", URL, b"", {"if-match": "none"}),
                ("DELETE", URL, b"", {"if-match": 'W/"x:y"'}),
                ("DELETE", URL, b"", {"if-match": "*"}),
                ("DELETE", URL, b"", {"if-match": "*"}),
                ("POST", URL, b"1", {**JSON, "if-match": "*"}),
                ("PUT", URL, b"", {**JSON, "if-match": "*"}),
            ) == [204, 412, 400, 412, 204, 404, 404, 412]

    run(main())


def test_an_append_creates_its_stream(run: Run) -> None:
    """201 with `Location` for the first, exactly an append for the next; nothing is made by one that is refused."""

    async def main() -> None:
        async with Hub(limits=Limits(max_streams=2)) as hub:
            client = AsgiClient(App(hub))
            creating = {**JSON, "stream-create": "true", "stream-ttl": "60"}
            assert await statuses(
                client,
                ("POST", URL, b"{", creating),
                ("POST", URL, b"", creating),
                ("POST", URL, b"[]", creating),
                ("POST", URL, b"1", {**creating, "if-match": "*"}),
                ("POST", URL, b"1", {**creating, "stream-forked-from": "a"}),
                ("POST", URL, b"1", {"stream-create": "true"}),
                ("HEAD", URL, b"", {}),
            ) == [400, 400, 400, 412, 400, 400, 404]
            made, _ = await client.request("POST", URL, b"[1,2]", creating)
            assert (made.status, made.headers["location"]) == (201, "http://test/v1/stream/s")
            assert made.headers["etag"] == (await client.request("HEAD", URL))[0].headers["etag"]
            next_one, _ = await client.request("POST", URL, b"3", {**JSON, "stream-create": "true"})
            assert (next_one.status, "location" in next_one.headers) == (204, False)
            assert await statuses(
                client,
                ("POST", URL, b"x", {**creating, "content-type": "text/plain"}),
                ("POST", URL, b"4", {**creating, "if-none-match": "*"}),
                ("POST", URL + "/2", b"", {**creating, "stream-closed": "true"}),
                ("POST", URL + "/3", b"1", creating),
                ("POST", URL, b"4", {**creating, "stream-failure": "broken"}),
            ) == [409, 412, 201, 429, 204]
            head, _ = await client.request("HEAD", URL)
            assert (head.headers["stream-ttl"], head.headers["stream-failure"]) == ("60", "broken")
            assert (await client.request("GET", URL))[1] == b"[1,2,3,4]"
            assert hub.stream_count == 2

    run(main())


def test_pages_of_other_origins(run: Run) -> None:
    """Pages from this machine may; others may not write, and may not read answers."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            local, foreign = {"origin": "http://localhost:5173"}, {"origin": "https://evil.example"}
            answer, _ = await client.request("PUT", URL, headers=local)
            assert (answer.status, answer.headers["access-control-allow-origin"]) == (201, "http://localhost:5173")
            answer, body = await client.request("POST", URL, b"x", {**foreign, "content-type": "text/plain"})
            assert (answer.status, problem(body)["code"]) == (403, "origin-not-allowed")
            answer, _ = await client.request("GET", URL, headers=foreign)
            assert "access-control-allow-origin" not in answer.headers
            anyone = AsgiClient(App(hub, cors_origins=("*",)))
            answer, _ = await anyone.request("DELETE", URL, headers=foreign)
            assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, "*")

    run(main())


def test_introspection(run: Run) -> None:
    """Streams with their readers page by page, counters, versions."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            for path in ("a", "b", "c"):
                await hub.create(path)
            with await hub.live.open_reader("b", "-1"):
                _, body = await client.request("GET", "/-/streams?limit=2")
                page = problem(body)
                assert [(one["path"], one["readers"]) for one in page["streams"]] == [("a", 0), ("b", 1)]
                _, body = await client.request("GET", f"/-/streams?limit=2&after={page['next']}")
                assert [one["path"] for one in problem(body)["streams"]] == ["c"]
                assert problem(body)["next"] is None
            _, body = await client.request("GET", "/-/stats")
            assert (problem(body)["streams"], problem(body)["readers_total"]) == (3, 1)
            _, body = await client.request("GET", "/-/version")
            assert problem(body)["protocol"] == "1.0"
            head, body = await client.request("HEAD", "/-/version")
            assert (head.status, body) == (200, b"")

    run(main())


def test_a_mounted_hub_answers_below_its_prefix(run: Run) -> None:
    """Streams lie directly below the mount point; forks may name their source either way."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(hub.asgi, root_path="/streams")
            made, _ = await client.request("PUT", "/a/b", b"x", {"content-type": "text/plain"})
            assert made.headers["location"] == "http://test/streams/a/b"
            for number, source in enumerate(("/streams/a/b", "/a/b", "a/b")):
                fork = {"stream-forked-from": source}
                assert (await client.request("PUT", f"/fork{number}", headers=fork))[0].status == 201
            assert (await client.request("GET", "/-/health"))[0].status == 200

    run(main())


def test_a_hub_nobody_opened_is_a_message(run: Run) -> None:
    """Forgetting lifespan=hub.lifespan is told in the answer."""

    async def main() -> None:
        for method, target in (("PUT", "/s"), ("POST", "/s"), ("DELETE", "/s"), ("GET", "/s"), ("GET", "/-/streams")):
            for headers in ({}, {"accept": "text/event-stream"}):
                answer, body = await AsgiClient(Hub().asgi).request(method, target, headers=headers)
                assert (answer.status, problem(body)["code"]) == (503, "hub-not-open")
                assert "the hub is not open" in problem(body)["detail"]
                assert "lifespan=hub.lifespan" in problem(body)["detail"]
        answer, _ = await AsgiClient(Hub().asgi).request("GET", "/-/ready")
        assert answer.status == 503

    run(main())


class Broken(MemoryStore):
    """A store with a bug, and one that cannot be opened."""

    async def info(self, path: str) -> StreamInfo:
        raise ZeroDivisionError("secret detail")

    async def open(self) -> None:
        if self.time() == -1:
            raise StoreUnavailable("no such disk")
        if self.time() == -2:
            raise ZeroDivisionError("a detail for the log")


def test_a_bug_is_500_without_its_details(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """The client learns nothing of the inside; the log has it."""

    async def main() -> None:
        async with Hub(Broken()) as hub:
            answer, body = await AsgiClient(App(hub)).request("HEAD", URL)
            assert (answer.status, body) == (500, b"")
            answer, body = await AsgiClient(App(hub)).request("GET", URL, headers={"accept": "text/event-stream"})
            assert (answer.status, problem(body)["code"]) == (500, "internal")
            assert b"secret" not in body

    run(main())
    assert "secret detail" in caplog.text


async def lifespan(app: App) -> list[Message]:
    incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[Message] = []

    async def receive() -> Message:
        return incoming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await app({"type": "lifespan"}, receive, send)
    return sent


def test_the_lifespan_opens_and_closes_the_hub(run: Run) -> None:
    """A standalone App manages its hub; a mounted one leaves that to the application; failures are told."""

    async def main() -> None:
        hub = Hub()
        assert [message["type"] for message in await lifespan(App(hub))] == [
            "lifespan.startup.complete",
            "lifespan.shutdown.complete",
        ]
        assert not hub.is_open
        assert len(await lifespan(hub.asgi)) == 2

    run(main())


def test_a_start_that_fails_is_told_to_the_server(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """It logs what it is told: the reason in a sentence, a bug with its traceback. Nothing else is logged."""

    async def main() -> None:
        (failed,) = await lifespan(App(Hub(Broken(clock=lambda: -1.0))))
        assert failed == {"type": "lifespan.startup.failed", "message": "the hub cannot be opened: no such disk"}
        (failed,) = await lifespan(App(Hub(Broken(clock=lambda: -2.0))))
        assert failed["message"].startswith("the hub cannot be opened: Traceback")
        assert "a detail for the log" in failed["message"]

    run(main())
    assert not caplog.records


def test_a_websocket_is_refused(run: Run) -> None:
    """Where there is nothing, and where the server cannot be told why: before it is accepted."""

    async def main() -> None:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "websocket", "path": "/nothing", "query_string": b"", "headers": [(b"host", b"localhost")]}
        await App(Hub())(scope, receive, send)
        assert sent == [{"type": "websocket.close"}]
        sent.clear()
        await App(Hub())({**scope, "extensions": {"websocket.http.response": {}}}, receive, send)
        assert [(message["type"], message.get("status")) for message in sent] == [
            ("websocket.http.response.start", 404),
            ("websocket.http.response.body", None),
        ]

    run(main())


def test_the_prefix_has_slashes() -> None:
    """A prefix that could not match anything is refused at once."""
    with pytest.raises(ValueError, match="slash"):
        App(Hub(), prefix="v1")


def test_the_client_of_the_kit_ends_with_the_application(run: Run) -> None:
    """An application that raises ends the answer, so no test hangs on it."""

    async def broken(scope: object, receive: object, send: object) -> None:
        raise RuntimeError("broken")

    async def main() -> None:
        with pytest.raises(RuntimeError, match="broken"):
            await AsgiClient(broken).request("GET", "/")

    run(main())


def test_the_server_as_a_whole_has_options(run: Run) -> None:
    """`OPTIONS *` (RFC 9110 section 9.3.7); nothing else is at `*`."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            assert await statuses(client, ("OPTIONS", "*", b"", {}), ("GET", "*", b"", {})) == [204, 404]

    run(main())
