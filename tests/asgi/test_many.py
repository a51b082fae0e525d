"""Reads of many streams over HTTP: GET and POST `-/many`, in both forms, and as one page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import pytest
from tests.conftest import Run

from headwater import Access, Ask, Hub, Operation
from headwater.asgi import App
from headwater.errors import Refused
from headwater.http.authorize import Credential
from headwater.testing.asgi import AsgiClient, AsgiResponse

URL: Final = "/v1/stream/-/many"
JSON: Final = "application/json"
SSE: Final = {"accept": "text/event-stream"}


async def told(answer: AsgiResponse, *words: bytes) -> bytes:
    """What comes until all words have come."""
    text = b""
    while not all(word in text for word in words):
        part = await answer.part()
        assert part is not None, text
        text += part
    return text


def lines(text: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_events(run: Run[None]) -> None:
    """A record is a message without an id; the cursor is a named event with an id and data."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("a", content_type=JSON, body=b"[1]")
            client = AsgiClient(App(hub, multi=True))
            async with client.open("GET", f"{URL}?stream=a&stream=none", headers=SSE) as answer:
                text = await told(answer, b"stream-cursor\ndata:{}\n\n")
                assert answer.status == 200
                assert answer.headers["content-type"] == "text/event-stream"
                assert text.startswith(b"retry:")
                record, waiting, cursor = text.strip().split(b"\n\n")[1:]
                assert record == b'data:{"stream":"a","offset":"%b","data":1}' % (await hub.info("a")).tail.encode()
                assert waiting == b'event: stream-waiting\ndata:{"stream":"none"}'
                assert cursor.startswith(b"id:")
            assert hub.stats.readers == 0

    run(main())


def test_lines_by_get_and_post(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub() as hub:
            await hub.create("a", content_type=JSON, body=b"[1,2]")
            tail = (await hub.info("a")).tail
            client = AsgiClient(App(hub, multi=True))
            body = json.dumps({"streams": {"a": {"last": 1}, "x/*": None}}).encode()
            for method, url, sent in (("GET", f"{URL}?last=1&stream=a&stream=x/*", b""), ("POST", URL, body)):
                async with client.open(method, url, sent) as answer:
                    record, *others, cursor = lines(await told(answer, b'"cursor":'))
                    assert [each["stream"] for each in others] == ([] if method == "GET" else ["x/GET"])
                    assert record == {"stream": "a", "offset": tail, "data": 2}
                    assert cursor["control"] == "cursor"
                    await hub.create(f"x/{method}", content_type="text/plain", body=method.encode())
                    (record,) = lines(await told(answer, b"\n"))
                    assert (record["stream"], record["data"]) == (f"x/{method}", method)

    run(main())


def test_one_page_of_all(run: Run[None]) -> None:
    """It ends with a cursor, and the next page goes on there, until nothing is left."""

    async def main() -> None:
        async with Hub() as hub:
            for path in ("a", "x/1", "x/2", "runs/hidden"):
                await hub.create(path, content_type=JSON, body=json.dumps([path, 1]).encode())
            client = AsgiClient(App(hub, multi=True))
            query = "?live=false&stream=none&stream=x/*&stream=a&stream=**"
            answer, text = await client.request("GET", URL + query)
            assert (answer.status, answer.headers["content-type"]) == (200, "application/x-ndjson")
            *found, end = lines(text)
            assert found[0] == {"control": "waiting", "stream": "none"}
            assert [(each["stream"], each["data"]) for each in found[1:]] == [
                ("x/1", "x/1"), ("x/1", 1), ("x/2", "x/2"), ("x/2", 1), ("a", "a"), ("a", 1),
            ]  # fmt: skip
            assert end["up_to_date"] is True
            await hub.append("x/2", 2)
            await hub.close("x/1")
            await hub.create("x/3", content_type=JSON, body=b"[3]")
            again = {"last-event-id": end["cursor"]}
            _, text = await client.request("GET", URL + query, headers=again)
            *found, end = lines(text)
            assert [(each["stream"], each.get("data", each.get("control"))) for each in found] == [
                ("none", "waiting"), ("x/1", "closed"), ("x/2", 2), ("x/3", 3),
            ]  # fmt: skip
            body = {"streams": dict.fromkeys(("none", "x/*", "a", "**")), "cursor": end["cursor"]}
            _, text = await client.request("POST", f"{URL}?live=false", json.dumps(body).encode())
            assert [each["control"] for each in lines(text)] == ["waiting", "cursor"]

    run(main())


def test_a_stream_that_is_made_between_two_pages_comes_whole(run: Run[None]) -> None:
    """Whatever is asked for; and one that is waited for is not over."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("a", content_type=JSON, body=b"[1]", closed=True)
            client = AsgiClient(App(hub, multi=True))
            cursor: dict[str, str] = {}
            for expected in ([], [], [("late", 1), ("late", 2)]):
                answer, text = await client.request(
                    "GET", f"{URL}?live=false&offset=now&stream=late&stream=a", headers=cursor
                )
                assert answer.status == 200
                *found, end = lines(text)
                assert [(each["stream"], each["data"]) for each in found if "data" in each] == expected
                cursor = {"last-event-id": end["cursor"]}
                if not expected and len(found) == 1:
                    await hub.create("late", content_type=JSON, body=b"[1,2]")

    run(main())


def test_a_page_is_bounded(run: Run[None]) -> None:
    """It has `read_bytes`, and says that there is more."""

    async def main() -> None:
        from headwater import Limits

        async with Hub(limits=Limits(read_bytes=100)) as hub:
            for path in ("a", "b"):
                await hub.create(path, content_type=JSON, body=json.dumps(list(range(200))).encode())
            client, seen, cursor = AsgiClient(App(hub, multi=True)), [], ""
            for _ in range(100):
                headers = {"last-event-id": cursor} if cursor else {}
                _, text = await client.request("GET", f"{URL}?live=false&stream=a&stream=b", headers=headers)
                *found, end = lines(text)
                assert len(text) < 12_000
                seen += [(each["stream"], each["data"]) for each in found]
                cursor = end["cursor"]
                if end["up_to_date"]:
                    break
            for path in ("a", "b"):
                assert [data for stream, data in seen if stream == path] == list(range(200))

    run(main())


def test_what_has_ended_is_204(run: Run[None]) -> None:
    """On which browsers stop; until a stream is made anew at one of the paths."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("a", content_type=JSON, body=b"[1]", closed=True)
            client = AsgiClient(App(hub, multi=True))
            answer, text = await client.request("GET", f"{URL}?stream=a", headers=SSE)
            assert answer.status == 200
            cursor = text[text.rindex(b"id:") + 3 :].split(b"\n")[0].decode()
            again = {**SSE, "last-event-id": cursor}
            assert (await client.request("GET", f"{URL}?stream=a", headers=again))[0].status == 204
            await hub.delete("a")
            assert (await client.request("GET", f"{URL}?stream=a", headers=again))[0].status == 204
            await hub.create("a", content_type=JSON, body=b"[2]")
            async with client.open("GET", f"{URL}?stream=a", headers=again) as answer:
                assert answer.status == 200
                await told(answer, b'"data":2')

    run(main())


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_hub_that_cannot_know_does_not_serve_it(run: Run[None], method: str) -> None:
    """Mounted, or behind a guard of paths: 403, unless it is told to, or asks an application."""

    async def main() -> None:
        async with Hub() as hub:
            answer, body = await AsgiClient(App(hub)).request(method, f"{URL}?stream=a", b'{"streams":{"a":null}}')
            assert (answer.status, json.loads(body)["code"]) == (403, "multi-stream-closed")

    run(main())


def test_the_application_is_asked_for_each_stream(run: Run[None]) -> None:
    """By itself: a refused name is an event, and a match that is refused does not exist; all refused is a refusal."""

    async def main() -> None:
        asked: list[tuple[Ask, ...]] = []

        def authorize(asks: Sequence[Ask], credential: Credential, client: tuple[str, int] | None) -> Access:
            asked.append(tuple(asks))
            if any("other" in ask.path for ask in asks):
                raise Refused("this is somebody else's")
            return Access("me")

        async with Hub(authorize=authorize) as hub:
            for path in ("mine", "other", "x/mine", "x/other"):
                await hub.create(path, content_type=JSON, body=json.dumps([path]).encode())
            client = AsgiClient(hub.asgi)
            url = "/-/many"
            async with client.open("GET", f"{url}?stream=other&stream=mine&stream=x/*", headers=SSE) as answer:
                text = await told(answer, b"stream-cursor")
            assert asked == [(Ask(Operation.READ, path),) for path in ("other", "mine", "x/mine", "x/other")]
            assert text.count(b"stream-error") == 1
            assert b"x/other" not in text
            assert (text.count(b'"data":"mine"'), text.count(b'"data":"x/mine"')) == (1, 1)
            answer, _ = await client.request("GET", f"{url}?stream=other", headers=SSE)
            assert answer.status == 403
            _, text = await client.request("GET", f"{url}?live=false&stream=other&stream=x/*")
            assert [each.get("data", each["stream"]) for each in lines(text)[:-1]] == ["other", "x/mine"]

    run(main())


def test_a_page_keeps_characters_whole(run: Run[None]) -> None:
    """Its cursor stands before the half of one."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create("t", content_type="text/plain", body=b"a\xc3")
            client, cursor, text = AsgiClient(App(hub, multi=True)), "", ""
            for piece in (b"\xa4b", b"c"):
                headers = {"last-event-id": cursor} if cursor else {}
                _, body = await client.request("GET", f"{URL}?live=false&stream=t", headers=headers)
                *found, end = lines(body)
                text += "".join(each["data"] for each in found)
                cursor = end["cursor"]
                await hub.append("t", piece)
            assert text == "aäb"

    run(main())


def test_a_grant_is_asked_for_again_when_a_stream_is_made_anew(run: Run[None]) -> None:
    """It may be somebody else's now."""

    async def main() -> None:
        allowed = True

        def authorize(asks: Sequence[Ask], credential: Credential, client: tuple[str, int] | None) -> Access:
            if not allowed:
                raise Refused("not any more")
            return Access("me")

        async with Hub(authorize=authorize) as hub:
            for path in ("a", "b"):
                await hub.create(path, content_type=JSON, body=b"[1]")
            client = AsgiClient(hub.asgi)
            async with client.open("GET", "/-/many?stream=a&stream=b", headers=SSE) as answer:
                await told(answer, b"stream-cursor")
                allowed = False
                await hub.delete("a")
                await hub.create("a", content_type=JSON, body=b'["secret"]')
                text = await told(answer, b'"code":"refused"')
                await hub.append("b", 2)
                text += await told(answer, b'"data":2')
                assert b"secret" not in text

    run(main())
