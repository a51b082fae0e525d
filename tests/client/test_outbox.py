"""What is kept survives: restarts, lost answers, servers that forget, refusals, full disks, two processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from tests.client.made_up_door import Answering, MadeUpDoor
from tests.support.processes import ServerProcess

from headwater.client import Connection, Fate, Outbox, OutboxExpired, OutboxFull, OutboxStorage, Retry, Stopped, Stream
from headwater.client.errors import BadAnswer, NetworkError, UnknownOutcome
from headwater.errors import HeadwaterError, ProducerFenced, ProducerGap, Refused, SchemaMismatch

Run = Callable[[Coroutine[Any, Any, Any]], Any]

URL = "http://127.0.0.1:1/v1/stream/a"


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Where records are kept."""
    return str(tmp_path / "box")


class Clocked(Outbox):
    """One with a clock of the test's."""

    moment = 1_000_000.0

    def clock(self) -> float:
        return self.moment


def made(file: str, answers: Answering, fates: list[Fate], **options: Any) -> tuple[Clocked, Stream[Any]]:
    """An outbox over a made-up network, and a stream on it."""
    door = MadeUpDoor(answers)
    box = Clocked(file, stream=lambda url: Stream(url, http=door), retry=Retry(base=0.0001, cap=0.0002), **options)
    box.on(fates.append)
    return box, Stream(URL, http=door)


def states(fates: list[Fate], *, of: Any = None) -> list[str]:
    return [fate.state for fate in fates if of is None or fate.data == of]


def test_a_record_is_kept_then_sent_then_acknowledged(run: Run, file: str) -> None:
    """With an event for each; what is appended while one is under way goes together."""
    fates: list[Fate] = []

    async def test() -> None:
        answers = Answering()
        box, stream = made(file, answers, fates)
        async with box:
            assert await box.append(stream, {"n": 1}) == "0001"
            answers.gate.clear()
            assert await box.append(stream, {"n": 2}, queued=True) == ""
            await answers.reached(2)
            for n in (3, 4):
                await box.append(stream, {"n": n}, queued=True)
            answers.gate.set()
            await box.drained()
            assert await box.waiting() == (0, 0)
        assert states(fates, of={"n": 1}) == ["stored", "sent", "acknowledged"]
        assert [body for _, body in answers.taken] == [[{"n": 1}], [{"n": 2}], [{"n": 3}, {"n": 4}]]
        assert [seq for (_, seq), _ in answers.taken] == [0, 1, 2]

    run(test())


def test_an_answer_that_is_lost_is_asked_for_again_with_the_same_bytes(run: Run, file: str) -> None:
    """Also by the next life over the file, in order, and once."""
    fates: list[Fate] = []

    async def test() -> None:
        first = Answering(loses=3)
        box, stream = made(file, first, fates)
        async with box:
            await box.append(stream, 1, queued=True)
            await box.append(stream, 2, queued=True)
            await first.reached(2)
        second = Answering(first.server, loses=1)
        box, _ = made(file, second, fates)
        async with box:
            await box.drained()
        bodies = [body for _, body in first.asked + second.asked]
        assert bodies[:3] == [[1], [1], [1]] or bodies[0] == bodies[1]
        assert [value for _, body in first.server.log for value in body] == [1, 2]
        assert states(fates, of=1)[-1] == "acknowledged"
        assert [fate.key for fate in fates if fate.state == "acknowledged"] == [1, 2]

    run(test())


def test_a_server_that_forgot(run: Run, file: str) -> None:
    """What it never answered is unknown; what was never sent goes out under a new epoch; nothing is dropped."""
    fates: list[Fate] = []

    async def test() -> None:
        answers = Answering()
        box, stream = made(file, answers, fates)
        async with box:
            await box.append(stream, 0)
            answers.loses = 1
            answers.gate.clear()
            lost = asyncio.create_task(box.append(stream, "lost"))
            await answers.reached(2)
            await box.append(stream, "unsent", queued=True)
            answers.server.forget()
            answers.gate.set()
            with pytest.raises(UnknownOutcome):
                await lost
            await box.drained()
        assert states(fates, of="unsent")[-1] == "acknowledged"
        assert next(each for each in answers.server.log if each[1] == ["unsent"])[0] == (1, 0)

    run(test())


def test_a_number_above_ours_says_that_it_has_the_batch(run: Run, file: str) -> None:
    """It was accepted, and the answer was lost with the memory of the batch."""
    fates: list[Fate] = []

    async def test() -> None:
        answers = Answering(refuses=[ProducerGap("x", expected=1, received=0)])
        box, stream = made(file, answers, fates)
        async with box:
            await box.append(stream, 1)
        assert states(fates) == ["stored", "sent", "acknowledged"]

    run(test())


def test_another_epoch_of_ours_is_gone_above(run: Run, file: str) -> None:
    """A file that was copied: it goes on above the other one."""
    fates: list[Fate] = []

    async def test() -> None:
        answers = Answering(refuses=[ProducerFenced("x", epoch=4)])
        box, stream = made(file, answers, fates)
        async with box:
            await box.append(stream, 1)
        assert answers.taken[-1][0] == (5, 0)

    run(test())


def test_a_refusal_is_told_and_the_next_goes_out(run: Run, file: str) -> None:
    """Under another epoch: the number was not used, and what is still on its way must not be taken for it."""
    fates: list[Fate] = []

    async def test() -> None:
        answers = Answering(refuses=[Refused("no")])
        box, stream = made(file, answers, fates)
        async with box:
            with pytest.raises(Refused):
                await box.append(stream, "bad")
            await box.append(stream, "good")
        assert states(fates, of="bad") == ["stored", "sent", "refused"]
        assert answers.taken == [((1, 0), ["good"])]

    run(test())


def test_one_record_at_fault_does_not_take_the_others_with_it(run: Run, file: str) -> None:
    """A batch that a schema refuses is sent record by record."""
    fates: list[Fate] = []

    async def test() -> None:
        answers = Answering(wrong="bad")
        box, stream = made(file, answers, fates)
        async with box:
            answers.gate.clear()
            await box.append(stream, 0, queued=True)
            await answers.reached(1)
            for value in ("one", "bad", "two"):
                await box.append(stream, value, queued=True)
            answers.gate.set()
            await box.drained()
        assert [value for _, body in answers.server.log for value in body] == [0, "one", "two"]
        assert [fate.data for fate in fates if fate.state == "refused"] == ["bad"]

    run(test())


@pytest.mark.parametrize("passing", [NetworkError(), BadAnswer("a login page"), msgspec.UNSET])
def test_what_passes_is_no_end(run: Run, file: str, passing: Any) -> None:
    """A lost network, a login page, 401 until there is a fresh token."""
    from headwater.errors import NotAuthorized

    error = NotAuthorized("no token") if passing is msgspec.UNSET else passing

    async def test() -> None:
        fates: list[Fate] = []
        answers = Answering(refuses=[error] * 5)
        box, stream = made(file, answers, fates)
        async with box:
            await box.append(stream, 1)
        assert len(answers.asked) == 6
        assert {numbers for numbers, _ in answers.asked} == {(0, 0)}

    run(test())


def test_what_waits_for_too_long_expires(run: Run, file: str) -> None:
    """What was never sent is expired; of what may have arrived nobody knows."""
    fates: list[Fate] = []

    async def test() -> None:
        answers = Answering(loses=1_000_000)
        box, stream = made(file, answers, fates, age=100.0)
        async with box:
            sent = asyncio.create_task(box.append(stream, "sent"))
            await answers.reached(1)
            unsent = asyncio.create_task(box.append(stream, "unsent"))
            while (await box.waiting())[0] < 2:  # noqa: ASYNC110  # a state is not told
                await asyncio.sleep(0)
            box.moment += 100.0
            box.reconnect()
            with pytest.raises(UnknownOutcome):
                await sent
            with pytest.raises(OutboxExpired):
                await unsent
        assert [(fate.data, fate.state) for fate in fates if fate.error] == [("sent", "unknown"), ("unsent", "expired")]

    run(test())


def test_a_server_that_forgets_sooner_makes_it_expire_sooner(run: Run, file: str) -> None:
    """Behind that it could take what is sent again for something new."""

    async def test() -> None:
        answers = Answering()
        answers.headers = {"stream-producer-age": "1000"}
        box, stream = made(file, answers, [])
        async with box:
            await box.append(stream, 1)
            assert box.age == 900.0

    run(test())


def test_it_is_bounded(run: Run, file: str) -> None:
    """By records and by bytes; nothing is dropped to make room, and there is room again when something is sent."""

    async def test() -> None:
        fates: list[Fate] = []
        answers = Answering()
        answers.gate.clear()
        box, stream = made(file, answers, fates, records=3, size=100)
        async with box:
            await box.append(stream, "x" * 80, queued=True)
            with pytest.raises(OutboxFull, match="size=100"):
                await box.append(stream, "y" * 40, queued=True)
            await box.append(stream, 1, queued=True)
            await box.append(stream, 2, queued=True)
            with pytest.raises(OutboxFull, match="records=3"):
                await box.append(stream, 3, queued=True)
            assert states(fates).count("full") == 2
            answers.gate.set()
            await box.drained()
            await box.append(stream, 4)
        wrongs: list[dict[str, Any]] = [{"records": 0}, {"size": 0}, {"age": 0}, {"age": 604_800}]
        for wrong in wrongs:
            with pytest.raises(ValueError, match="outbox"):
                Outbox(file, **wrong)

    run(test())


def test_a_file_that_cannot_be_used_says_so(run: Run, tmp_path: Path) -> None:
    """No folder, no database, a layout of a newer version; nothing is kept, and nothing is left behind."""
    (tmp_path / "text").write_text("this is no database, and is long enough to be looked at as one" * 20)
    with sqlite3.connect(tmp_path / "newer") as db:
        db.execute("PRAGMA user_version=99")

    async def test() -> None:
        for name in ("none/box", "text", "newer"):
            with pytest.raises(OutboxStorage):
                await Outbox(str(tmp_path / name)).append(Stream(URL, http=MadeUpDoor(Answering())), 1)

    run(test())


def test_a_full_disk(run: Run, file: str) -> None:
    """An append is refused and nothing is kept; what was kept is sent, and its going waits until there is room."""
    fates: list[Fate] = []

    async def test() -> None:
        answers = Answering()
        answers.gate.clear()
        box, stream = made(file, answers, fates)
        async with box:
            await box.append(stream, "kept", queued=True)
            await answers.reached(1)
            pages = await box.call(lambda store: store._db.execute("PRAGMA page_count").fetchone()[0])
            await box.call(lambda store: store._db.execute(f"PRAGMA max_page_count={pages}"))
            with pytest.raises(OutboxStorage, match="full"):
                await box.append(stream, "x" * 100_000, queued=True)
            answers.gate.set()
            await box.call(lambda store: store._db.execute("PRAGMA max_page_count=1000000"))
            await box.append(stream, "after")
        assert [value for _, body in answers.server.log for value in body] == ["kept", "after"]

    run(test())


def test_a_listener_that_fails_ends_nothing(run: Run, file: str) -> None:
    """It is told to the loop, and the others are called."""

    async def test() -> None:
        told: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        fates: list[Fate] = []
        box, stream = made(file, Answering(), fates)

        async def late(fate: Fate) -> None:
            fates.append(fate)

        box.on(lambda fate: 1 / 0)  # type: ignore[arg-type, return-value]
        off = box.on(late)
        async with box:
            await box.append(stream, 1)
            off()
        assert len(told) == 3
        assert states(fates).count("acknowledged") == 2

    run(test())


def test_clear_and_close(run: Run, file: str) -> None:
    """Who waits is told; what is kept is sent by the next one, what was cleared by nobody."""

    async def test() -> None:
        answers = Answering()
        answers.gate.clear()
        box, stream = made(file, answers, [])
        await box.open()
        waiting = asyncio.create_task(box.append(stream, 1))
        await answers.reached(1)
        await box.aclose()
        with pytest.raises(Stopped, match="kept"):
            await waiting
        with pytest.raises(Stopped):
            await box.append(stream, 2)
        box, _ = made(file, answers, [])
        assert await box.waiting() == (1, 1)
        await box.clear()
        with sqlite3.connect(file) as db:
            assert db.execute("SELECT count(*) FROM records").fetchone() == (0,)

    run(test())


def test_two_over_one_file(run: Run, file: str) -> None:
    """One sends what both append, both are told, and when it ends the other one goes on."""

    async def test() -> None:
        answers = Answering()
        told: list[list[Fate]] = [[], []]
        one, stream = made(file, answers, told[0])
        two, _ = made(file, answers, told[1])
        await one.open()
        await one.append(stream, "one")
        await two.open()
        await two.append(stream, "two")
        await one.append(stream, "three")
        while states(told[1], of="three") != ["acknowledged"]:  # noqa: ASYNC110  # see above
            await asyncio.sleep(0.01)
        await one.aclose()
        await two.append(stream, "four")
        await two.aclose()
        assert [value for _, body in answers.server.log for value in body] == ["one", "two", "three", "four"]
        assert states(told[0], of="two")[-1] == "acknowledged"
        assert len({numbers for numbers, _ in answers.taken}) == 4

    run(test())


PROGRAM = """
import asyncio, sys
from headwater.client import Outbox, Stream

async def main():
    url, file, first, last = sys.argv[1:]
    async with Outbox(file) as box:
        stream = Stream(url)
        for n in range(int(first), int(last)):
            await box.append(stream, n, queued=True, create=True)
        print("kept", flush=True)
        await box.drained()
        print("sent", flush=True)

asyncio.run(main())
"""


def program(url: str, file: str, first: int, last: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, url, file, str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.slow
def test_a_program_that_is_killed_with_100_records(run: Run, file: str, server: ServerProcess) -> None:
    """The next one sends them: all arrive, once and in order, and so do those of two programs at once."""
    url = f"{server.url}/v1/stream/t/{uuid4().hex}"
    with program(url, file, 0, 100) as first:
        assert line_of(first) == "kept"
        first.send_signal(signal.SIGKILL)
    with program(url, file, 100, 150) as one, program(url, file, 150, 200) as two:
        for process in (one, two):
            assert [line_of(process), line_of(process)] == ["kept", "sent"]
    assert (one.returncode, two.returncode) == (0, 0)

    async def test() -> list[Any]:
        async with Stream[Any](url) as stream:
            return await stream.all()

    found = run(test())
    assert sorted(found) == list(range(200))
    for part in (range(100), range(100, 150), range(150, 200)):
        assert [n for n in found if n in part] == list(part)


@pytest.mark.slow
def test_it_sends_over_a_connection_as_well(run: Run, file: str, server: ServerProcess) -> None:
    """A stream of either kind will do."""

    async def test() -> None:
        async with Connection(f"{server.url}/v1/stream/") as connection, Outbox(file) as box:
            stream = connection.stream(f"t/{uuid4().hex}")
            for n in range(3):
                await box.append(stream, n, create=True)
            assert await stream.all() == [0, 1, 2]
            await stream.close_stream()
            with pytest.raises(HeadwaterError, match="closed"):
                await box.append(stream, 3)

    run(test())


def test_a_schema_is_a_refusal() -> None:
    """For good, whatever the server's other words are."""
    from headwater.client.outbox.verdicts import verdict

    found = verdict(SchemaMismatch("no"), (0, 3), is_lost=False, size=1)
    assert (found.state, found.next) == ("refused", (1, 0))
