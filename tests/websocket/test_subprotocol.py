"""What many clients ask for is made once of the bytes; what each may do, and has, is looked at each time."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.conftest import Run
from tests.support.inprocess import InProcess, in_process
from tests.support.subprotocols import SUBPROTOCOLS
from tests.support.websocket import Json, greeted

from headwater.errors import HeadwaterError
from headwater.http.websocket.session import Session
from headwater.http.websocket.shared import Door
from headwater.http.websocket.subprotocol import MAX_BYTES, MAX_KEPT, AskedSub
from headwater.hub.live.first_frames import FROM_READERS, MAX_ANSWERS
from headwater.protocol.websocket import messages as m
from headwater.server.settings import Settings

JSON = "application/json"
SETTINGS = Settings(store="memory:", flush_seconds=0)


def door_of(server: InProcess) -> Door:
    """Through which the connections came that there are."""
    return next(each.door for each in server.hub.runtime.holders if isinstance(each, Session))


@pytest.mark.parametrize("packs", SUBPROTOCOLS, ids=lambda packs: packs.name)
def test_the_same_bytes_are_one_message(run: Run[None], packs: Any) -> None:
    """Of a subprotocol; whoever sends them is told its own stream."""

    async def main() -> None:
        async with (
            in_process(SETTINGS) as server,
            greeted(server, packs) as one,
            greeted(server, packs) as two,
        ):
            await server.hub.create("a", content_type=JSON, body=b"[1]")
            for client in (one, two):
                told = await client.ask("sub", path="a", from_="-1")
                assert (told["t"], told["path"]) == ("sub", "a")
                assert (await client.until(t="live"))["s"] == told["s"]
            known = [
                each for each in door_of(server).subprotocols[packs.name].known.values() if isinstance(each, AskedSub)
            ]
            assert len(known) == 1
            # One subscription of a stream and connection, however well its `sub` is known.
            assert (await one.ask("sub", path="a", from_="-1"))["code"] == "already-subscribed"

    run(main())


def test_who_asks_with_the_same_words_is_told_by_its_own_number(run: Run[None]) -> None:
    """Also where others came before it, whatever numbers they had."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, AsyncExitStack() as stack:
            await server.hub.create("a", content_type=JSON, body=b"[1]")
            for number in range(FROM_READERS + 2 * MAX_ANSWERS):
                client = await stack.enter_async_context(greeted(server))
                await client.send(t="sub", id=number, path="a", from_="-1")
                told = [await client.next() for _ in range(3)]
                assert [each["t"] for each in told] == ["sub", "data", "live"]
                assert told[0]["id"] == number

    run(main())


def test_what_is_wrong_is_told_each_time(run: Run[None]) -> None:
    """It is not remembered, and has its number."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server) as client:
            for _ in range(2):
                await client.send(t="sub", id=7, path="a", window=-1)
                refused = await client.next()
                assert (refused["id"], refused["code"]) == (7, "invalid-message")
            assert server.hub.stats.websocket_messages["sub"] == 2
            subprotocol = door_of(server).subprotocols[Json().name]
            assert not any(isinstance(each, AskedSub) for each in subprotocol.known.values())

    run(main())


def test_so_many_are_kept(run: Run[None]) -> None:
    """The newest small ones; a token never is."""

    async def main() -> None:
        async with in_process(SETTINGS) as server, greeted(server):
            subprotocol = door_of(server).subprotocols[Json().name]

            def say(**fields: object) -> m.ClientMessage | AskedSub:
                data = json.dumps(fields).encode()
                found = subprotocol.known.get(data) or subprotocol.read(data)
                if isinstance(found, AskedSub):
                    assert found.plan or subprotocol.plan(found)
                return found

            for number in range(2 * MAX_KEPT):
                say(t="sub", id=1, path=f"a/{number}")
            assert len(subprotocol.known) == MAX_KEPT
            newest = say(t="sub", id=1, path=f"a/{2 * MAX_KEPT - 1}")
            assert newest is say(t="sub", id=1, path=f"a/{2 * MAX_KEPT - 1}")
            for fields in (
                {"t": "hello", "token": "secret"},
                {"t": "hello", "name": "ada"},
                {"t": "sub", "id": 1, "path": "x" * MAX_BYTES},
                {"t": "ping"},
            ):
                assert say(**fields) is not say(**fields)
            with pytest.raises(HeadwaterError):
                say(t="sub", id=1, path="../a")
            assert len(subprotocol.known) == MAX_KEPT
            assert all(len(data) <= MAX_BYTES for data in subprotocol.known)

    run(main())
