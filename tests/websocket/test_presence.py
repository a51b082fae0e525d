"""Members on a connection: joining, states, leaving, what a cut does, and who may."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.conftest import Run
from tests.support.inprocess import in_process, turns
from tests.support.subprotocols import BINARY
from tests.support.websocket import Client, Packs, greeted, single
from tests.websocket.test_access import guarded

from headwater import Access, Ask
from headwater.errors import Refused
from headwater.http.authorize import Credential
from headwater.http.websocket.session import Session
from headwater.http.websocket.sink import MessageSink
from headwater.http.websocket.stay import interval
from headwater.protocol.websocket import frames
from headwater.server.settings import Settings

JSON = "application/json"
SETTINGS = Settings(store="memory:", flush_seconds=0)
#: Nobody waits in these tests for the grace, unless it is none.
AT_ONCE = Settings(store="memory:", flush_seconds=0, presence_grace=0)
KEY = "0.0123456789abcdef0123456789abcdef"


async def watches(client: Client, path: str = "a") -> int:
    """Read a stream with presence, up to the list; gives its number."""
    sub = await client.ask("sub", path=path, presence=True)
    assert sub["t"] == "sub", sub
    told = await client.until(t="presence")
    assert "members" in told
    number: int = sub["s"]
    return number


class Room:
    """The list as a reader makes it of what it is told."""

    def __init__(self) -> None:
        self.members: dict[str, Any] = {}

    def take(self, told: dict[str, Any]) -> None:
        """See the rules of the reference."""
        if told.get("members") is not None:
            self.members = {}
        for entry in (*(told.get("members") or ()), *told.get("joined", ()), *told.get("changed", ())):
            self.members[entry["id"]] = entry.get("state")
        for id in told.get("left", ()):
            del self.members[id]
        assert told["count"] == len(self.members)

    async def until(self, client: Client, wanted: Callable[[dict[str, Any]], bool]) -> None:
        """Read until the list is so."""
        while not wanted(self.members):
            self.take(await client.until(t="presence"))


def test_a_member_comes_changes_and_goes(run: Run[None]) -> None:
    """Told to all who asked, with what it says; and the key comes with the answer."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as reader, greeted(server, name="ada") as ada:
            await server.hub.create("a", content_type=JSON)
            room = Room()
            number = await watches(reader)
            answer = await ada.ask("here", path="a", state={"x": [1]})
            assert (answer["t"], answer["member"], answer["count"]) == ("here", "ada", 1)
            assert answer["key"].startswith("0.")
            await room.until(reader, lambda members: members == {"ada": {"x": [1]}})
            await ada.send(t="here", path="a", state="typing")
            await room.until(reader, lambda members: members == {"ada": "typing"})
            await ada.send(t="here", path="a")
            assert (await ada.ask("here", path="a"))["key"] == answer["key"]
            assert room.members == {"ada": "typing"}
            assert (await ada.ask("here", path="a", state=None))["t"] == "ok"
            await room.until(reader, lambda members: members == {})
            assert (await ada.ask("here", path="a", state=None))["t"] == "ok"
            # Whoever reads it is told itself, and calls the stream by its number.
            await reader.send(t="here", s=number, member="eve", key=KEY)
            told = await reader.until(t="presence")
            assert (told["s"], told["joined"]) == (number, [{"id": "eve"}])

    run(main())


def test_a_cut_has_its_grace(run: Run[None]) -> None:
    """Who comes back within it, with its key, was never away; a close frame says no more than a cut."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as reader:
            await server.hub.create("a", content_type=JSON)
            await watches(reader)
            key = ""
            for ends in (Client.close, None):
                async with greeted(server, name="ada") as ada:
                    answer = await ada.ask("here", path="a", state=1, **({"key": key} if key else {}))
                    key = answer["key"]
                    if ends is not None:
                        await ends(ada, 1001)
                        await ada.closed()
                await turns()
                assert server.hub.presence("a").count == 1
            async with greeted(server, name="ada") as thief:
                assert (await thief.ask("here", path="a"))["code"] == "member-taken"
                assert (await thief.ask("here", path="a", key=KEY))["code"] == "member-taken"
                assert (await thief.ask("here", path="a", key=key))["t"] == "here"
                told = await reader.until(t="presence")
                assert told["joined"] == [{"id": "ada", "state": 1}]
                assert (await reader.ask("ping"))["t"] == "pong"

    run(main())


def test_without_grace_a_cut_is_told(run: Run[None]) -> None:
    async def main() -> None:
        async with in_process(AT_ONCE) as server, greeted(server) as reader:
            await server.hub.create("a", content_type=JSON)
            room = Room()
            await watches(reader)
            async with greeted(server, name="ada") as ada, greeted(server, name="bob") as bob:
                await ada.ask("here", path="a")
                await bob.ask("here", path="a")
                await room.until(reader, lambda members: set(members) == {"ada", "bob"})
            await room.until(reader, lambda members: members == {})
            assert server.hub.stats.members == 0

    run(main())


def test_several_connections_are_one_member(run: Run[None]) -> None:
    """It is there until the last one leaves."""

    async def main() -> None:
        async with (
            in_process(AT_ONCE) as server,
            greeted(server, name="ada") as one,
            greeted(server, name="ada") as two,
        ):
            await server.hub.create("a", content_type=JSON)
            await one.ask("here", path="a", key=KEY, connection="phone")
            assert (await two.ask("here", path="a", key=KEY, state=2))["count"] == 1
            await one.ask("here", path="a", state=None)
            assert [member.state for member in server.hub.presence("a").members()] == [2]
            await two.ask("here", path="a", state=None)
            assert server.hub.presence("a").count == 0

    run(main())


@pytest.mark.parametrize(
    ("fields", "code", "said"),
    [
        ({"path": "a"}, "bad-request", "needs an id"),
        ({"path": "none", "member": "ada"}, "stream-not-found", "'none'"),
        ({"path": "a", "s": 1}, "invalid-message", "path, or s"),
        ({"s": 99}, "invalid-message", "number 99"),
        ({"path": "a", "member": "ada", "key": "short"}, "bad-request", "key"),
        ({"path": "a", "member": "x" * 129}, "bad-request", "128"),
        ({"path": "a", "member": "ada", "state": "x" * 100_000}, "state-too-large", "max_presence_state_bytes="),
        ({"path": "a", "member": "ada", "connection": "\n"}, "bad-request", "connection"),
        ({"path": "a", "member": 7}, "invalid-message", "member"),
    ],
)
def test_what_is_refused(run: Run[None], fields: dict[str, Any], code: str, said: str) -> None:
    """With the limit's name, by the id; nobody is there for it, and the connection goes on."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            await server.hub.create("a", content_type=JSON)
            error = await client.ask("here", **fields)
            assert (error["t"], error["code"]) == ("err", code)
            assert said in error["detail"]
            assert server.hub.stats.members == 0
            assert (await client.ask("ping"))["t"] == "pong"

    run(main())


def test_one_member_for_a_connection(run: Run[None]) -> None:
    """Of a stream; and no more streams than it may read."""

    async def main() -> None:
        settings = Settings(store="memory:", flush_seconds=0, connection_subscriptions=2)
        async with in_process(settings) as server, greeted(server, name="ada") as client:
            for name in "abc":
                await server.hub.create(name, content_type=JSON)
            assert (await client.ask("here", path="a"))["t"] == "here"
            refused = await client.ask("here", path="a", member="bob")
            assert (refused["code"], "here as 'ada'" in refused["detail"]) == ("bad-request", True)
            assert (await client.ask("here", path="a", key=KEY))["code"] == "member-taken"
            assert (await client.ask("here", path="b"))["t"] == "here"
            refused = await client.ask("here", path="c")
            assert (refused["code"], "connection_subscriptions=2" in refused["detail"]) == ("limit-reached", True)
            await client.ask("here", path="b", state=None)
            assert (await client.ask("here", path="c"))["t"] == "here"

    run(main())


def test_a_stream_that_is_deleted_has_nobody(run: Run[None]) -> None:
    """Also when another one is made at its path: the client says again that it is there."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server, name="ada") as client:
            await server.hub.create("a", content_type=JSON)
            await client.ask("here", path="a", state=1)
            await server.hub.delete("a")
            assert server.hub.stats.members == 0
            assert (await client.ask("here", path="a"))["code"] == "stream-not-found"
            await server.hub.create("a", content_type=JSON)
            assert server.hub.presence("a").count == 0
            assert (await client.ask("here", path="a"))["count"] == 1
            assert server.hub.stats.members == 1

    run(main())


def test_a_connection_that_is_gone_does_not_join(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the store takes its time to say that the stream is there."""

    async def main() -> None:
        async with in_process(AT_ONCE) as server:
            await server.hub.create("a", content_type=JSON)
            asked, go_on = asyncio.Event(), asyncio.Event()
            info = server.hub.store.info

            async def slowly(path: str) -> Any:
                asked.set()
                await go_on.wait()
                return await info(path)

            monkeypatch.setattr(server.hub.store, "info", slowly)
            async with greeted(server, name="ada") as client:
                await client.send(t="here", path="a")
                await asked.wait()
            await turns()
            go_on.set()
            await turns()
            assert server.hub.stats.members == server.hub.stats.members_joined == 0

    run(main())


def test_silence_is_told_by_the_socket(run: Run[None]) -> None:
    """A member is heard when its socket was; it is pinged three times a lease, and comes back after its silence."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as reader, greeted(server, name="ada") as ada:
            hub = server.hub
            await hub.create("a", content_type=JSON)
            room = Room()
            await watches(reader)
            await ada.ask("here", path="a", state=1)
            await room.until(reader, lambda members: members == {"ada": 1})
            (session,) = [each for each in hub.runtime.holders if isinstance(each, Session) and each.stay.members]
            assert interval(session.stay, hub) == hub.rooms.lease / 3 < hub.limits.heartbeat_seconds
            (attendance,) = session.stay.members.values()
            found, connection = attendance._room, attendance._connection
            assert found is not None
            assert connection is not None
            sink = session._sink
            assert isinstance(sink, MessageSink)
            sink.heard_at += 5
            session.waited()
            assert connection.heard_at == sink.heard_at
            # It was heard before that: the room knows no more than the socket, and asks.
            sink.heard_at = connection.heard_at - hub.rooms.lease / 2
            session.waited()
            assert (await ada.frame())[0] == frames.PING
            assert connection.heard_at > sink.heard_at
            found.room.advance(connection.heard_at + hub.rooms.lease + 1)
            assert (hub.presence("a").count, attendance.is_there) == (0, False)
            session.waited()
            await turns()
            assert (hub.presence("a").count, attendance.is_there) == (1, True)
            await hub.delete("a")
            session.waited()
            assert (await ada.until(t="err"))["code"] == "stream-not-found"
            session.waited()
            assert (await ada.ask("ping"))["t"] == "pong"

    run(main())


def by_subject(asks: tuple[Ask, ...], credential: Credential, client: Any) -> Access | None:
    """A token is its subject; `guest…` may only read."""
    token = credential.bearer
    if token is None:
        return None
    if token.startswith("guest") and any(ask.operation == "presence" for ask in asks):
        raise Refused("guests are not told who is there")
    return Access(token)


async def slowly(asks: tuple[Ask, ...], credential: Credential, client: Any) -> Access | None:
    """The same, which takes its time."""
    await asyncio.sleep(0)
    return by_subject(asks, credential, client)


@pytest.mark.parametrize("authorize", [by_subject, slowly])
def test_the_subject_is_the_member(run: Run[None], authorize: Any) -> None:
    """Without a key; who may not is refused to be there, and to be told, also by a pattern and at a stream's URL."""

    async def main() -> None:
        async with guarded(authorize) as server:
            async with greeted(server, token="ada", name="zoe") as ada, greeted(server, token="guest") as guest:
                assert (await ada.ask("here", path="shared"))["member"] == "ada"
                assert (await ada.ask("here", path="mine", member="bob"))["code"] == "refused"
                await watches(ada, "shared")
                assert (await guest.ask("here", path="shared"))["code"] == "refused"
                assert (await guest.ask("sub", path="shared", presence=True))["code"] == "refused"
                assert (await guest.ask("sub", path="*", presence=True))["t"] == "ok"
                assert (await guest.ask("sub", path="shared"))["t"] == "sub"
                await ada.send(t="auth", token="guest", id=70)
                codes = set()
                while (message := await ada.next()).get("id") != 70:
                    codes.add(message.get("why") or message.get("code"))
                assert {"forbidden", "refused"} <= codes
                assert server.hub.presence("shared").count == 0
            header = b"authorization: Bearer guest\r\n"
            sock = await server.connect()
            with sock:
                assert await Client(sock).handshake("/v1/stream/shared?presence=1", header) == 403
            async with single(server, "shared", header) as bare:
                assert json.loads(await bare.message())["data"] == "shared"

    run(main())


def test_another_subject_is_another_connection(run: Run[None]) -> None:
    """Shown by `auth`, it closes this one, with 4403; the same subject stays."""

    async def main() -> None:
        async with guarded(by_subject) as server, greeted(server, token="ada") as client:
            await client.ask("here", path="shared")
            assert (await client.ask("auth", token="ada"))["t"] == "ok"
            assert server.hub.presence("shared").count == 1
            await client.send(t="auth", token="bob", id=70)
            assert await client.closed() == 4403

    run(main())


@pytest.mark.parametrize("packs", BINARY, ids=lambda packs: packs.name)
def test_in_binary(run: Run[None], packs: Packs) -> None:
    """Members and states are JSON, as bytes."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server, packs, name="ada") as client:
            await server.hub.create("a", content_type=JSON)
            sub = await client.ask("sub", path="a", presence=True)
            empty = await client.until(t="presence")
            assert (empty["s"], not empty.get("count")) == (sub["s"], True)
            assert (await client.ask("here", s=sub["s"], state=b'{"x":1}', key=KEY))["key"] == KEY
            async with greeted(server, packs) as late:
                await late.ask("sub", path="a", presence=True)
                told = await late.until(t="presence")
                members = told["members"]
                entries = list(getattr(members, "member", members))
                assert [json.loads(entry) for entry in entries] == [{"id": "ada", "state": {"x": 1}}]
            assert (await client.ask("here", s=sub["s"], state=b"null"))["t"] == "ok"
            assert server.hub.presence("a").count == 0

    run(main())


@pytest.mark.parametrize("packs", BINARY, ids=lambda packs: packs.name)
@pytest.mark.parametrize("state", [b"{", b"", b"\xff", b"1 2", b"nul", b'{"x":' * 2000])
def test_a_state_that_is_no_json(run: Run[None], packs: Packs, state: bytes) -> None:
    """It is refused with the id of its message; nobody joins, and the connection goes on."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server, packs, name="ada") as client:
            await server.hub.create("a", content_type=JSON)
            refused = await client.ask("here", path="a", state=state, key=KEY)
            assert (refused["t"], refused["code"]) == ("err", "invalid-message")
            assert "JSON" in refused["detail"]
            assert server.hub.presence("a").count == 0
            assert (await client.ask("ping"))["t"] == "pong"

    run(main())


def test_too_many_for_a_list(run: Run[None]) -> None:
    """Only the count is told, in every subprotocol."""

    async def main() -> None:
        settings = Settings(store="memory:", flush_seconds=0, presence_listed=1)
        async with in_process(settings) as server, greeted(server) as client:
            await server.hub.create("a", content_type=JSON)
            for name in ("ada", "bob", "eve"):
                await server.hub.presence("a").join(name)
            told = None
            await client.ask("sub", path="a", presence=True)
            while told is None or told["members"] is not None:
                told = await client.until(t="presence")
            assert told["count"] == 3
            for packs in BINARY:
                async with greeted(server, packs) as other:
                    await other.ask("sub", path="a", presence=True)
                    found = (await other.until(t="presence"))["members"]
                    assert found is None or found.many

    run(main())
