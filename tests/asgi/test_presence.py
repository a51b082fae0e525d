"""Presence over HTTP: members by request and by live reader, keys, pages, access, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from tests.conftest import Run
from tests.protocol.presence.room_model import Reader, key_of

from headwater import Access, Ask, Hub, Limits, Operation
from headwater.asgi import App
from headwater.errors import Refused
from headwater.http.authorize import Credential
from headwater.testing.asgi import AsgiClient, AsgiResponse

PATH: Final = "rooms/7"
STREAM: Final = f"/v1/stream/{PATH}"
URL: Final = f"{STREAM}/-/presence"
SSE: Final = {"accept": "text/event-stream"}
LINES: Final = {"accept": "application/x-ndjson"}
KEY: Final = key_of("ada")


async def post(client: AsgiClient, url: str = URL, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    """What a request is answered, and its status."""
    answer, body = await client.request("POST", url, json.dumps(fields).encode(), headers=headers or {})
    return answer.status, json.loads(body) if body else None


async def get(client: AsgiClient, url: str = URL) -> Any:
    answer, body = await client.request("GET", url)
    return answer.status, json.loads(body)


class Told:
    """A live reader of plain SSE or NDJSON, and its list."""

    def __init__(self, answer: AsgiResponse) -> None:
        self.list = Reader()
        self.frames: list[dict[str, Any]] = []
        self._answer = answer
        self._text = b""

    async def until(self, holds: Callable[[Reader], bool]) -> Reader:
        """Read on until the list is as it should be."""
        while not holds(self.list):
            part = await self._answer.part()
            assert part is not None, self._text
            *lines, self._text = (self._text + part).split(b"\n")
            for line in lines:
                self._take(line)
        return self.list

    def _take(self, line: bytes) -> None:
        line = line.removeprefix(b"data:")
        found = json.loads(line) if line.startswith(b"{") else {}
        if "version" in found:
            self.frames.append(found)
            self.list.take(found)


def test_a_member_by_request(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub() as hub:
            await hub.create(PATH)
            client = AsgiClient(App(hub))
            assert await get(client) == (200, {"version": 0, "count": 0, "members": []})
            status, joined = await post(client, id="ada", state={"typing": True})
            key = joined.pop("key")
            assert (status, joined) == (200, {"id": "ada", "count": 1, "lease": 30.0, "grace": 5.0})
            assert (await get(client))[1]["members"] == [{"id": "ada", "state": {"typing": True}}]
            assert (await post(client, id="ada", key=key))[0] == 200
            assert (await get(client))[1]["members"] == [{"id": "ada", "state": {"typing": True}}]
            assert (await post(client, id="ada", key=key, state=None))[0] == 200
            assert (await get(client))[1]["members"] == [{"id": "ada"}]
            assert await post(client, id="ada", key=key, leave=True) == (204, None)
            assert (await get(client))[1]["members"] == []
            assert await post(client, id="ada", key=key, leave=True) == (204, None)

    run(main())


@pytest.mark.parametrize("headers", [SSE, LINES], ids=["events", "lines"])
def test_readers_are_told(run: Run[None], headers: dict[str, str]) -> None:
    """A list first, then what changes; a state is any JSON, in one line, with its bytes."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create(PATH, content_type="application/json", body=b"[1]")
            client = AsgiClient(App(hub))
            await post(client, id="ada", key=KEY, state="<b>\u0007\u2028&amp;\n")
            async with (
                client.open("GET", f"{STREAM}?presence=1", headers=headers) as answer,
                client.open("GET", STREAM, headers=headers) as other,
            ):
                reader = Told(answer)
                await reader.until(lambda found: found.members == {"ada": "<b>\u0007\u2028&amp;\n"})
                body = b'{"id": "bob", "key": "%b", "state": {"x":\n 1.50}}' % key_of("bob").encode()
                assert (await client.request("POST", URL, body))[0].status == 200
                await reader.until(lambda found: found.members is not None and found.members.get("bob") == {"x": 1.5})
                assert b'"state":{"x":  1.50}' in hub.rooms.page(PATH, "ada", 9).entries[0]
                await post(client, id="ada", key=KEY, leave=True)
                await reader.until(lambda found: found.members == {"bob": {"x": 1.5}})
                assert (await client.request("POST", URL, rb'{"id": "eve", "state": "\ud83d"}'))[0].status == 200
                await reader.until(lambda found: found.members is not None and found.members.get("eve") == "\ufffd")
                assert [sorted(frame.keys() - {"version", "count", "control"}) for frame in reader.frames] == [
                    ["members"],
                    ["joined"],
                    ["left"],
                    ["joined"],
                ]
                await hub.append(PATH, b"[2]")
                await hub.close(PATH)
                assert b"presence" not in await other.read()

    run(main())


def test_a_reader_that_is_a_member(run: Run[None]) -> None:
    """It is one while it reads, and for the grace; a reload is no event."""

    async def main() -> None:
        async with Hub(limits=Limits(presence_grace=0.3)) as hub:
            await hub.create(PATH)
            client = AsgiClient(App(hub))
            url = f"{STREAM}?presence=join&member=ada&member_key={KEY}&member_state=%7B%22a%22%3A1%7D"
            async with client.open("GET", f"{STREAM}?presence=1", headers=SSE) as answer:
                reader = Told(answer)
                for _ in range(3):  # reloads
                    async with client.open("GET", url, headers=SSE) as page:
                        await Told(page).until(lambda found: found.members == {"ada": {"a": 1}})
                        # What it sends makes it no member of its own.
                        assert (await post(client, id="ada", key=KEY, state={"a": 1}))[0] == 200
                    assert hub.presence(PATH).count == 1
                async with client.open("GET", url, headers=LINES), client.open("GET", url, headers=SSE):
                    assert hub.presence(PATH).count == 1
                await reader.until(lambda found: found.members == {} and found.version > 0)
                assert reader.list.events == [("joined", "ada"), ("left", "ada")]
            assert (hub.stats.readers, hub.stats.members) == (0, 0)

    run(main())


def test_a_reader_that_comes_back_undoes_nothing(run: Run[None]) -> None:
    """Its URL has the state with which it began."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create(PATH)
            client = AsgiClient(App(hub))
            url = f"{STREAM}?presence=join&member=ada&member_key={KEY}&member_state=1"
            async with client.open("GET", url, headers=SSE) as page:
                await Told(page).until(lambda found: found.members == {"ada": 1})
                assert (await post(client, id="ada", key=KEY, state=2))[0] == 200
            async with client.open("GET", url, headers=SSE) as page:
                await Told(page).until(lambda found: found.members == {"ada": 2})

    run(main())


def test_a_page_that_leaves_is_gone_at_once(run: Run[None]) -> None:
    """By its member, or one connection of two."""

    async def main() -> None:
        async with Hub() as hub:
            await hub.create(PATH)
            client = AsgiClient(App(hub))
            url = f"{STREAM}?presence=join&member=ada&member_key={KEY}"
            async with (
                client.open("GET", f"{STREAM}?presence=1", headers=SSE) as answer,
                client.open("GET", f"{url}&member_connection=a", headers=SSE),
                client.open("GET", f"{url}&member_connection=b", headers=SSE),
                client.open("GET", url, headers=SSE),
            ):
                reader = Told(answer)
                await reader.until(lambda found: found.members == {"ada": None})
                for connection in ("a", "a", "b"):
                    assert (await post(client, id="ada", key=KEY, connection=connection, leave=True))[0] == 204
                assert hub.presence(PATH).count == 1
                assert (await post(client, id="ada", key=KEY, leave=True))[0] == 204
                await reader.until(lambda found: found.members == {})

    run(main())


def test_a_reader_that_waits_is_there(run: Run[None]) -> None:
    """With `missing=wait`, before its stream is; it is told with the stream."""

    async def main() -> None:
        async with Hub() as hub:
            client = AsgiClient(App(hub))
            url = f"{STREAM}?missing=wait&presence=join&member=ada&member_key={KEY}"
            async with client.open("GET", url, headers=LINES) as answer:
                assert b"waiting" in (await answer.part() or b"")
                assert hub.presence(PATH).count == 1
                await hub.create(PATH)
                await Told(answer).until(lambda found: found.members == {"ada": None})

    run(main())


def test_many_streams(run: Run[None]) -> None:
    """Who is at each of them."""

    async def main() -> None:
        async with Hub() as hub:
            for path in ("a", "b"):
                await hub.create(path)
            client = AsgiClient(App(hub, multi=True))
            await hub.presence("a").join("ada")
            async with client.open("GET", "/v1/stream/-/many?presence=1&stream=a&stream=b") as answer:
                found: dict[str, Reader] = {"a": Reader(), "b": Reader()}
                text = b""
                await hub.presence("b").join("bob")
                while found["a"].members != {"ada": None} or found["b"].members != {"bob": None}:
                    part = await answer.part()
                    assert part is not None
                    *lines, text = (text + part).split(b"\n")
                    for line in map(json.loads, lines):
                        if line.get("control") == "presence":
                            found[line["stream"]].take(line)

    run(main())


def test_above_the_limit_there_are_pages(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub(limits=Limits(presence_listed=3)) as hub:
            await hub.create(PATH)
            client = AsgiClient(App(hub))
            for number in range(7):
                await hub.presence(PATH).join(f"m{number}")
            async with client.open("GET", f"{STREAM}?presence=1", headers=SSE) as answer:
                await Told(answer).until(lambda found: found.count == 7 and found.members is None)
            found, url = [], f"{URL}?limit=3"
            for _ in range(3):
                _, page = await get(client, url)
                assert page["count"] == 7
                found += [member["id"] for member in page["members"]]
                if "after" in page:
                    url = f"{URL}?limit=3&after={page['after']}"
            assert found == [f"m{number}" for number in range(7)]
            assert "after" not in page

    run(main())


def test_figures(run: Run[None]) -> None:
    async def main() -> None:
        async with Hub() as hub:
            await hub.create(PATH)
            client = AsgiClient(App(hub))
            for id in ("ada", "bob"):
                await hub.presence(PATH).join(id)
            (await hub.presence(PATH).join("ada")).leave()
            await post(client, id="eve", key=key_of("eve"))
            await post(client, id="eve", key=key_of("eve"), leave=True)
            _, stats = await get(client, "/-/stats")
            assert (stats["members"], stats["members_joined"]) == (2, 3)
            assert stats["presence_frames"] == 1
            _, metrics = await client.request("GET", "/-/metrics")
            assert b"\nheadwater_members 2.0\n" in metrics
            assert b"\nheadwater_members_joined_total 3.0\n" in metrics
            assert b"\nheadwater_presence_frames_total 1.0\n" in metrics

    run(main())


class TestKeys:
    def test_forged_keys(self, run: Run[None]) -> None:
        """Who has not the key may do nothing, by no way."""

        async def main() -> None:
            async with Hub() as hub:
                await hub.create(PATH)
                client = AsgiClient(App(hub))
                await post(client, id="ada", key=KEY, state=1)
                forged = key_of("eve")
                leaves: dict[str, Any] = {"leave": True, "connection": ""}
                asks: tuple[dict[str, Any], ...] = ({}, {"state": 2}, {"leave": True}, {"connection": "x"}, leaves)
                for asked in asks:
                    for key in ({}, {"key": forged}):
                        status, problem = await post(client, **{"id": "ada", **asked, **key})
                        assert (status, problem["code"]) == (403, "member-taken")
                async with client.open(
                    "GET", f"{STREAM}?presence=join&member=ada&member_key={forged}", headers=SSE
                ) as answer:
                    assert answer.status == 403
                    assert json.loads(await answer.read())["code"] == "member-taken"
                assert (await get(client))[1]["members"] == [{"id": "ada", "state": 1}]
                assert (hub.stats.members, hub.stats.members_joined, hub.stats.readers) == (1, 1, 0)
                assert KEY not in json.dumps((await get(client))[1])

        run(main())

    def test_a_key_is_in_no_log(self, run: Run[None], caplog: pytest.LogCaptureFixture) -> None:
        from headwater.http.service import log_access

        class Exchange:
            client = None

            class request:
                method, version = "GET", "1.1"
                target = f"/a?presence=join&member_key={KEY}&member%5fkey={KEY}&x=1"

        with caplog.at_level("INFO", "headwater.access"):
            log_access(Exchange(), 200)  # type: ignore[arg-type]
        assert "member_key=***&member%5fkey=***&x=1" in caplog.text
        assert KEY not in caplog.text


class TestAccess:
    def test_the_id_is_the_subject(self, run: Run[None]) -> None:
        """Nobody is anybody else, and needs no key; each device is a connection of the same member."""

        def authorize(asks: tuple[Ask, ...], credential: Credential, client: object) -> Access | None:
            asked.append({ask.operation for ask in asks})
            return Access(credential.bearer) if credential.bearer else None

        asked: list[set[Operation]] = []

        async def main() -> None:
            async with Hub(authorize=authorize) as hub:
                await hub.create(PATH)
                client = AsgiClient(hub.asgi)
                url, ada = f"/{PATH}/-/presence", {"authorization": "Bearer ada"}
                assert (await post(client, url))[0] == 401
                assert (await post(client, url, ada))[1]["id"] == "ada"
                assert (await post(client, url, ada, id="ada", key=key_of("other"), state=1))[1]["count"] == 1
                status, problem = await post(client, url, ada, id="bob")
                assert (status, problem["code"]) == (403, "refused")
                reader = f"/{PATH}?presence=join"
                async with client.open("GET", f"{reader}&member=bob", headers={**SSE, **ada}) as answer:
                    assert answer.status == 403
                async with client.open("GET", reader, headers={**SSE, "authorization": "Bearer bob"}) as answer:
                    await Told(answer).until(lambda found: found.members == {"ada": 1, "bob": None})
                assert await post(client, url, ada, leave=True) == (204, None)
                assert hub.presence(PATH).count == 1
                presence, both = {Operation.PRESENCE}, {Operation.READ, Operation.PRESENCE}
                assert asked == [presence, presence, presence, presence, both, both, presence]

        run(main())

    def test_who_may_read_may_not_see_who_is_there(self, run: Run[None]) -> None:
        def authorize(asks: tuple[Ask, ...], credential: Credential, client: object) -> Access | None:
            if any(ask.operation is Operation.PRESENCE for ask in asks):
                raise Refused
            return Access(None)

        async def main() -> None:
            async with Hub(authorize=authorize, multi=True) as hub:
                await hub.create(PATH)
                client = AsgiClient(hub.asgi)
                undecided = {"accept": "application/x-ndjson;q=0.5, application/*"}
                for url in (f"/{PATH}?presence=1", f"/{PATH}/-/presence", f"/-/many?presence=1&stream={PATH}"):
                    for headers in (SSE, undecided):
                        async with client.open("GET", url, headers=headers) as answer:
                            assert answer.status == 403

        run(main())


#: A body that is refused: its status and code.
BODIES: dict[bytes, tuple[int, str]] = {
    b"": (400, "bad-request"),
    b"[]": (400, "bad-request"),
    b"{": (400, "bad-request"),
    b"{}": (400, "bad-request"),
    b'{"id":""}': (400, "bad-request"),
    b'{"id":7}': (400, "bad-request"),
    b'{"id":"a\\u0000"}': (400, "bad-request"),
    b'{"id":"a","state":1e999}': (400, "invalid-body"),
    b'{"id":"%b"}' % (b"x" * 129): (400, "bad-request"),
    b'{"id":"a","key":"x"}': (400, "bad-request"),
    b'{"id":"a","key":"0.short"}': (400, "bad-request"),
    b'{"id":"a","key":"0.%b"}' % (b"x" * 65): (400, "bad-request"),
    b'{"id":"a","key":"0.%b\\n"}' % (b"x" * 22): (400, "bad-request"),
    b'{"id":"a","connection":"%b"}' % (b"x" * 65): (400, "bad-request"),
    b'{"id":"a","connection":"\\u0000"}': (400, "bad-request"),
    b'{"id":"a","leave":1}': (400, "bad-request"),
    b'{"id":"a","leave":true,"state":1}': (400, "bad-request"),
    b'{"id":"a","other":1}': (400, "bad-request"),
    b'{"id":"a","state":}': (400, "bad-request"),
    b'{"id":"a","state":nope}': (400, "bad-request"),
    b'{"id":"a","state":"\xff"}': (400, "invalid-body"),
    b'{"id":"a","state":' + b"[" * 1000 + b"]" * 1000 + b"}": (400, "bad-request"),
    b'{"id":"a","state":"' + b"x" * 1023 + b'"}': (413, "state-too-large"),
    b'{"id":"a","state":"' + b"x" * 1_000_000 + b'"}': (413, "state-too-large"),
}
#: A target that is refused: its status.
TARGETS: dict[str, int] = {
    "?presence=2": 400,
    "?presence=join": 400,
    "?presence=join&member=ada": 400,
    f"?presence=join&member_key={KEY}": 400,
    f"?presence=join&member=&member_key={KEY}": 400,
    "?presence=join&member=ada&member_key=x": 400,
    f"?presence=join&member=ada&member_key={KEY}&member_state=x": 400,
    f"?presence=join&member=ada&member_key={KEY}&member_state=": 400,
    f"?presence=join&member=ada&member_key={KEY}&member_state=1,2": 400,
    f"?presence=join&member=ada&member_key={KEY}&member_connection={'x' * 65}": 400,
    f"?presence=1&member=ada&member_key={KEY}": 400,
    f"?member=ada&member_key={KEY}": 400,
    "/-/presence?limit=x": 400,
    "/-/presence?limit=1001": 400,
    "/-/presence?limit=1&limit=2": 400,
    "/-/presence?after=%ff": 400,
}


class TestRefused:
    @pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:40].decode("latin-1"))
    def test_bodies(self, run: Run[None], body: bytes) -> None:
        async def main() -> None:
            async with Hub() as hub:
                await hub.create(PATH)
                answer, told = await AsgiClient(App(hub)).request("POST", URL, body)
                assert (answer.status, json.loads(told)["code"]) == BODIES[body]
                assert len(hub.rooms) == 0

        run(main())

    @pytest.mark.parametrize("target", TARGETS)
    def test_targets(self, run: Run[None], target: str) -> None:
        async def main() -> None:
            async with Hub() as hub:
                await hub.create(PATH)
                async with AsgiClient(App(hub)).open("GET", f"{STREAM}{target}", headers=SSE) as answer:
                    assert answer.status == TARGETS[target]
                assert (len(hub.rooms), hub.stats.readers) == (0, 0)

        run(main())

    def test_other_forms(self, run: Run[None]) -> None:
        async def main() -> None:
            async with Hub() as hub:
                await hub.create(PATH)
                client = AsgiClient(App(hub, multi=True))
                for url in (
                    f"{STREAM}?presence=1",
                    f"{STREAM}?presence=1&live=sse&offset=-1",
                    f"{STREAM}?presence=1&live=long-poll&offset=-1",
                    f"/v1/stream/-/many?stream={PATH}&presence=join",
                    f"/v1/stream/-/many?stream={PATH}&presence=1&live=false",
                ):
                    assert (await client.request("GET", url))[0].status == 400
                for method in ("PUT", "DELETE", "HEAD"):
                    answer, _ = await client.request(method, URL)
                    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST, OPTIONS")
                assert (await client.request("OPTIONS", URL))[0].status == 204
                answer, _ = await client.request("POST", URL, b"{}", headers={"content-encoding": "gzip"})
                assert answer.status == 415

        run(main())

    def test_streams_that_are_not_there(self, run: Run[None]) -> None:
        async def main() -> None:
            async with Hub() as hub:
                client = AsgiClient(App(hub))
                assert (await post(client, id="ada"))[0] == 404
                assert (await get(client))[0] == 404
                async with client.open(
                    "GET", f"{STREAM}?presence=join&member=ada&member_key={KEY}", headers=SSE
                ) as answer:
                    assert answer.status == 404
                assert len(hub.rooms) == 0
                await hub.create("runs/1")
                hub.private.add("runs")
                assert (await get(client, "/v1/stream/runs/1/-/presence"))[0] == 403

        run(main())

    def test_limits(self, run: Run[None]) -> None:
        limits = Limits(max_presence_members=1, max_presence_connections=1, presence_changes=1)

        async def main() -> None:
            async with Hub(limits=limits) as hub:
                await hub.create(PATH)
                client = AsgiClient(App(hub))
                assert (await post(client, id="ada", key=KEY, connection="a"))[0] == 200
                status, problem = await post(client, id="bob")
                assert (status, problem["code"]) == (429, "limit-reached")
                assert "max_presence_members=1" in problem["detail"]
                status, problem = await post(client, id="ada", key=KEY, connection="b")
                assert (status, problem["code"]) == (429, "limit-reached")
                assert "max_presence_connections=1" in problem["detail"]
                assert (await post(client, id="ada", key=KEY, state=1))[0] == 200
                status, problem = await post(client, id="ada", key=KEY, state=2)
                assert (status, problem["code"]) == (429, "rate-limited")
                assert "presence_changes=1" in problem["detail"]
                url = f"{STREAM}?presence=join&member=bob&member_key={key_of('bob')}"
                async with client.open("GET", url, headers=SSE) as answer:
                    assert answer.status == 429
                assert hub.stats.readers == 0

        run(main())
