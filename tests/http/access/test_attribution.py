"""Who appended a record: from the proof of the request alone, kept with it, and told to who asks for envelopes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Run
from tests.http.access.attacks.test_others_names import of_other, of_two
from tests.http.access.test_live import ROOT, guarded, send, status
from tests.support.access import guarded_settings, token
from tests.support.inprocess import InProcess, in_process, rest_of
from tests.support.subprotocols import SUBPROTOCOLS
from tests.support.websocket import Packs, greeted, single

from headwater.model import Principal

JSON = "content-type: application/json"
LINES = "content-type: application/x-ndjson"
ACCEPT_LINES = "accept: application/x-ndjson"
EVENTS = "accept: text/event-stream"

#: The same subject of two issuers, and the bot of this program.
MINE = {"subject": "7", "issuer": "headwater"}
THEIRS = {"subject": "7", "issuer": "other"}
BOT = {"subject": "bot"}


@asynccontextmanager
async def two(folder: Path, **more: Any) -> AsyncIterator[InProcess]:
    """A server of two issuers, with a stream of records of all kinds of writers."""
    async with guarded(folder, **of_two(folder), **more) as server:
        for by, body in ((token("7"), b"1"), (of_other("7"), b'[2,{"by":{"subject":"root"}}]')):
            assert await status(server, "POST", f"{ROOT}a", by, JSON, body=body) == 204
        await server.hub.append("a", 4)
        await server.hub.append("a", 5, by="bot")
        yield server


#: Who appended the records of `a`: the first is the program's own, of which nobody is named.
ALL = [None, MINE, THEIRS, THEIRS, None, BOT]


async def body_of(server: InProcess, method: str, target: str, *more: str, body: bytes = b"") -> bytes:
    sock = await send(server, method, target, token("reader"), "connection: close", *more, body=body)
    with sock:
        return (await rest_of(sock)).partition(b"\r\n\r\n")[2]


async def read_until(server: InProcess, target: str, accept: str, count: int) -> bytes:
    """What a live reader is told, up to so many records."""
    with await send(server, "GET", target, token("reader"), accept) as sock:
        found = b""
        async with asyncio.timeout(10):
            while found.count(b'"offset":') < count:
                found += await asyncio.get_running_loop().sock_recv(sock, 65536)
    return found


def objects(text: bytes) -> list[dict[str, Any]]:
    """The records in a response: of lines, of events, in chunks."""
    found = [line.removeprefix(b"data:").strip() for line in text.splitlines()]
    lines = [json.loads(line) for line in found if line.startswith(b"{")]
    return [line for line in lines if "data" in line and "control" not in line]


async def kept(server: InProcess, path: str) -> list[Principal | None]:
    return [record.by for record in (await server.hub.read_batch(path)).records]


def test_every_way_to_append(run: Run[None], tmp_path: Path) -> None:
    """Each record has the principal of the request that appended it, on whatever wire."""

    async def main() -> None:
        async with guarded(tmp_path, **of_two(tmp_path)) as server:
            mine, theirs = token("7"), of_other("7")
            assert await status(server, "PUT", f"{ROOT}w", mine, JSON, body=b"[1,2]") == 201
            assert await status(server, "POST", f"{ROOT}w", theirs, JSON, body=b"3") == 204
            create = ("stream-create: true",)
            assert await status(server, "POST", f"{ROOT}v", theirs, JSON, *create, body=b"1") == 201
            new = b'{"stream":"u","data":1,"type":"application/json","create":true}'
            lines = b'{"stream":"w","data":4}\n{"stream":"v","data":2}\n' + new
            assert await status(server, "POST", f"{ROOT}-/append", mine, LINES, body=lines) == 200
            async with greeted(server, token=theirs) as client:
                assert (await client.ask("append", path="w", r=[5, 6]))["t"] == "ok"
                assert (await client.ask("append", path="t", type="application/json", r=[1], create=True))["created"]
                assert (await client.ask("create", path="s", type="application/json", r=[1]))["created"]
            async with single(server, "w", f"authorization: Bearer {mine}\r\n".encode()) as client:
                await client.text("7")
                while "offset" not in (told := json.loads(await client.message())) or told.get("control") != "appended":
                    pass
            one, other = Principal("7", "headwater"), Principal("7", "other")
            assert await kept(server, "w") == [one, one, other, one, other, other, one]
            assert await kept(server, "v") == [other, one]
            assert [await kept(server, path) for path in "uts"] == [[one], [other], [other]]
            closing = ("stream-closed: true",)
            assert await status(server, "POST", f"{ROOT}w", theirs, JSON, *closing, body=b"8") == 204
            assert (await kept(server, "w"))[-1] == other

    run(main())


@pytest.mark.parametrize("store", ["memory:", "sqlite"])
def test_every_way_to_read(run: Run[None], tmp_path: Path, store: str) -> None:
    """All envelopes tell the same: lines and events, live and pages, of one stream and of many."""

    async def main() -> None:
        where = store if store == "memory:" else f"sqlite:{tmp_path}/s.db"
        async with two(tmp_path, store=where) as server:
            page = await body_of(server, "GET", f"{ROOT}a?last=10&envelope=1")
            assert [line.get("by") for line in objects(page)] == ALL
            last = await body_of(server, "GET", f"{ROOT}a?last=2&envelope=1")
            assert [line.get("by") for line in objects(last)] == ALL[-2:]
            for target, accept in (
                (f"{ROOT}a?envelope=1", ACCEPT_LINES),
                (f"{ROOT}a?envelope=1", EVENTS),
                (f"{ROOT}-/many?stream=a&envelope=1", ACCEPT_LINES),
                (f"{ROOT}-/many?stream=a&envelope=1", EVENTS),
            ):
                told = objects(await read_until(server, target, accept, len(ALL)))[: len(ALL)]
                assert [line.get("by") for line in told] == ALL, (target, accept)
                assert told[3]["data"] == {"by": {"subject": "root"}}
            finite = objects(await body_of(server, "GET", f"{ROOT}-/many?stream=a&envelope=1&live=false", ACCEPT_LINES))
            assert [line.get("by") for line in finite] == ALL
            bearer = f"authorization: Bearer {token('reader')}\r\n".encode()
            async with single(server, "a?envelope=1", bearer) as client:
                lines = [json.loads(await client.message()) for _ in ALL]
                assert [line.get("by") for line in lines] == ALL
            found = [record.by for record in (await server.hub.page("a", last=10)).batch.records]
            assert found == await kept(server, "a")

    run(main())


def plain(by: Any) -> Any:
    """Who appended a record, as JSON has it; a message of Protobuf has nothing where nobody is named."""
    if by is None or isinstance(by, dict):
        return by
    return {name: value for name in ("subject", "issuer") if (value := getattr(by, name))} or None


@pytest.mark.parametrize("packs", SUBPROTOCOLS, ids=lambda packs: packs.name)
def test_every_subprotocol(run: Run[None], tmp_path: Path, packs: Packs) -> None:
    """Caught up and live, and of pages; without `envelope` it is not there."""

    async def main() -> None:
        async with two(tmp_path) as server, greeted(server, packs, token=token("reader")) as client:
            await client.ask("sub", path="a", envelope=True)
            told: list[Any] = []
            while len(told) < len(ALL):
                told += (await client.until(t="data"))["by"]
            assert list(map(plain, told)) == ALL
            assert await status(server, "POST", f"{ROOT}a", of_other("7"), JSON, body=b"6") == 204
            assert list(map(plain, (await client.until(t="data"))["by"])) == [THEIRS]
            page = await client.ask("read", path="a", envelope=True)
            assert list(map(plain, page["by"])) == [*ALL, THEIRS]
            assert "by" not in await client.ask("read", path="a")
            await server.hub.append("b", 2)
            only = await client.ask("read", path="b", envelope=True)
            assert "by" not in only
            assert len(only["at"]) == 2

    run(main())


def test_who_does_not_ask_is_told_nobody(run: Run[None], tmp_path: Path) -> None:
    """Without envelopes a response has the bytes that it has where nobody is asked who it is."""

    async def main() -> None:
        async with two(tmp_path) as server:
            assert await status(server, "POST", f"{ROOT}b", token("7"), JSON, body=b"2") == 204
            await server.hub.create("same", content_type="application/json", body=b"[1]")
            await server.hub.append("same", 2)
            for query, accept in (
                ("?offset=-1", "accept: */*"),
                ("?last=5", "accept: */*"),
                ("?offset=-1&live=sse", "accept: */*"),
                ("", ACCEPT_LINES),
                ("", EVENTS),
            ):
                with (
                    await send(server, "GET", f"{ROOT}b{query}", token("reader"), accept) as named,
                    await send(server, "GET", f"{ROOT}same{query}", token("reader"), accept) as unnamed,
                ):
                    texts = []
                    for sock in (named, unnamed):
                        found = b""
                        async with asyncio.timeout(10):
                            while b"2" not in found.partition(b"\r\n\r\n")[2]:
                                found += await asyncio.get_running_loop().sock_recv(sock, 65536)
                        texts.append(found.partition(b"\r\n\r\n")[2])
                    assert b'"by"' not in texts[0]
                    assert b"headwater" not in texts[0]
                    assert len(texts[0]) == len(texts[1]), (query, accept)

    run(main())


def test_nobody_writes_who_it_was(run: Run[None], tmp_path: Path) -> None:
    """In a body, a header, a query, a line or a message: it is content, passed over, or refused."""

    async def main() -> None:
        async with guarded(tmp_path, public_append=("open/*",), public_create=("open/*",)) as server:
            mine, one = token("u1"), Principal("u1", "headwater")
            forged = json.dumps({"by": {"subject": "root"}, "at": 1, "offset": "0", "data": 1}).encode()
            headers = ("by: root", "stream-by: root", "from: root", "x-forwarded-user: root", "remote-user: root")
            assert await status(server, "POST", f"{ROOT}a?by=root&envelope=1", mine, JSON, *headers, body=forged) == 204
            line = b'{"stream":"a","data":1,"by":{"subject":"root"}}'
            assert await status(server, "POST", f"{ROOT}-/append", mine, LINES, body=line) == 400
            async with greeted(server, token=mine) as client:
                root = {"subject": "root"}
                assert (await client.ask("append", path="a", r=[2], by=root))["t"] == "ok"
                assert (await client.ask("append", path="a", r=[3], by=[root]))["t"] == "ok"
            assert await kept(server, "a") == [None, one, one, one]
            [told] = objects(await body_of(server, "GET", f"{ROOT}a?last=3&before=now&envelope=1"))[:1]
            assert (told["by"], told["data"]["by"]) == ({"subject": "u1", "issuer": "headwater"}, {"subject": "root"})
            # Who shows nothing, where everybody may append, is nobody, whatever it says.
            create = ("stream-create: true", *headers)
            assert await status(server, "POST", f"{ROOT}open/a", None, JSON, *create, body=forged) == 201
            assert await status(server, "POST", f"{ROOT}open/a", mine, JSON, body=b"2") == 204
            assert await kept(server, "open/a") == [None, one]

    run(main())


def test_a_proof_without_a_subject(run: Run[None], tmp_path: Path) -> None:
    """Is none, and nothing is written; nor is anything of half a surrogate pair, or of a subject that is too long."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            for sub in (None, "", "x" * 257, "\ud800"):
                assert await status(server, "POST", f"{ROOT}a", token(sub), JSON, body=b"2") == 401  # type: ignore[arg-type]
            assert await kept(server, "a") == [None]
            long = "é" * 128
            assert await status(server, "POST", f"{ROOT}a", token(long), JSON, body=b"2") == 204
            assert await kept(server, "a") == [None, Principal(long, "headwater")]

    run(main())


def test_a_retry_by_somebody_else(run: Run[None], tmp_path: Path) -> None:
    """A producer's duplicate leaves who was first."""

    async def main() -> None:
        async with guarded(tmp_path) as server:
            numbers = ("producer-id: p", "producer-epoch: 0", "producer-seq: 0")
            for sub, code in (("u1", 200), ("u2", 204)):
                assert await status(server, "POST", f"{ROOT}a", token(sub), JSON, *numbers, body=b"2") == code
            assert await kept(server, "a") == [None, Principal("u1", "headwater")]

    run(main())


def test_kept_after_a_restart(run: Run[None], tmp_path: Path) -> None:
    """Also of a fork, which has those of its source."""

    async def main() -> None:
        store = f"sqlite:{tmp_path}/s.db"
        async with two(tmp_path, store=store) as server:
            source = (f"stream-forked-from: {ROOT}a",)
            assert await status(server, "PUT", f"{ROOT}f", token("u2"), JSON, *source, body=b"9") == 201
            before = await kept(server, "f")
            assert before[1:] == [*(await kept(server, "a"))[1:], Principal("u2", "headwater")]
        async with in_process(guarded_settings(tmp_path, **of_two(tmp_path), store=store)) as server:
            assert await kept(server, "f") == before

    run(main())
