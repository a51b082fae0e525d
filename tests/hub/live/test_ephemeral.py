"""What is told to live readers and kept in no log: who is told, in which order, what it costs those who do not ask."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

import pytest
from tests.conftest import Run
from tests.hub.live.test_coded_groups import CODINGS, Decoder
from tests.hub.live.test_pushed import until_ended

from headwater import Hub, Limits
from headwater.hub import Peer
from headwater.hub.live.group import FanoutGroup
from headwater.hub.live.sinks import BufferSink
from headwater.hub.live.wire_format import WireFormat, with_kind
from headwater.model import Policy, SlowPolicy
from headwater.protocol.access.identity import Access
from headwater.protocol.coding import IDENTITY, Coding
from headwater.protocol.ephemeral import SIGNAL, Ephemeral, as_event, as_line
from headwater.protocol.ndjson import JsonLines
from headwater.protocol.sse import Parser
from headwater.protocol.sse_plain import PlainEvents

JSON = "application/json"
PROMPT = Limits(flush_seconds=0)
#: A flush that comes by itself comes much later than anything here.
LATE = Limits(flush_seconds=1000)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def lines_of(coding: Coding = IDENTITY, *, kinds: tuple[str, ...] = (SIGNAL,), envelope: bool = False) -> WireFormat:
    """NDJSON with events of some kinds."""
    encoder = partial(JsonLines, envelope=envelope)
    form = WireFormat(("lines", coding.token, envelope), encoder, bytes, coding=coding, timed=envelope)
    for kind in kinds:
        form = with_kind(form, kind, as_line)
    return form


EVENTS = with_kind(WireFormat(("events",), PlainEvents, bytes), SIGNAL, as_event)


def told(text: bytes) -> list[Any]:
    """Records by their data, events by their kind and data, in their order."""
    found = []
    for line in map(json.loads, text.splitlines()):
        if line.get("control") in ("signal", "other"):
            found.append((line["control"], line["data"]))
        elif "control" not in line:
            found.append(line["data"])
    return found


def test_who_asked_is_told_and_nobody_else(run: Run[None]) -> None:
    """On each wire, alone and in a group; in the order of records and signals."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON, body=b"[1]")
            asks, too, deaf, events = (BufferSink() for _ in range(4))
            for sink, form in ((asks, lines_of()), (too, lines_of()), (deaf, lines_of(kinds=())), (events, EVENTS)):
                await hub.live.subscribe("s", "-1", form, sink)
            assert await hub.signal("s", "a") == 3
            await hub.append("s", 2)
            await settle()
            assert await hub.signal("s", "b") == 3
            assert told(asks.take()) == told(too.take()) == [1, ("signal", "a"), 2, ("signal", "b")]
            assert told(deaf.take()) == [1, 2]
            found = [(event.event, json.loads(event.data)) for event in Parser().feed(events.take())]
            signal = b"stream-signal"
            assert found == [(b"", 1), (signal, {"data": "a"}), (b"", 2), (signal, {"data": "b"})]
            stats = hub.stats
            assert (stats.signals, stats.signals_told, stats.signals_dropped) == (2, 6, 0)
            assert [(info.path, info.size) for info in await hub.list()] == [("s", 2)]

    run(main())


def test_an_event_is_encoded_once_a_group(run: Run[None]) -> None:
    """All of its members are given one object."""
    calls: list[Ephemeral] = []

    def counted(event: Ephemeral) -> bytes:
        calls.append(event)
        return as_line(event)

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            form = with_kind(lines_of(kinds=()), SIGNAL, counted)
            sinks = [BufferSink() for _ in range(50)]
            for sink in sinks:
                await hub.live.subscribe("s", "-1", form, sink)
                sink.take()
            assert await hub.signal("s", 1) == 50
            assert len(calls) == 1
            assert len({id(sink._parts[0]) for sink in sinks}) == 1

    run(main())


def test_a_signal_does_not_overtake_an_acknowledged_append(run: Run[None]) -> None:
    """Also where the flush of the records would come much later; and one that comes later stays behind."""

    async def main() -> None:
        async with Hub(limits=LATE) as hub:
            await hub.create("s", content_type=JSON)
            sinks = [BufferSink() for _ in range(3)]
            for sink, form in zip(sinks, (lines_of(), EVENTS, lines_of(kinds=())), strict=True):
                await hub.live.subscribe("s", "-1", form, sink)
            for number in range(100):
                await hub.append("s", number)
                assert await hub.signal("s", number) == 2
            expected = [each for number in range(100) for each in (number, ("signal", number))]
            assert told(sinks[0].take()) == expected
            assert told(sinks[2].take()) == list(range(100))
            assert hub.stats.coalesced.counts[1] == 300
            assert sum(hub.stats.lag.counts) == 300

    run(main())


@pytest.mark.parametrize("policy", ["replay", "latest", "conflate:k", "disconnect", "unset"])
def test_a_full_reader_is_told_none_and_loses_no_record(run: Run[None], policy: str) -> None:
    """With each policy: what it holds does not grow by what it was not told."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            slow = None if policy == "unset" else SlowPolicy(Policy(policy.partition(":")[0]), policy.partition(":")[2])
            full, quick = BufferSink(high_water=60), BufferSink()
            await hub.live.subscribe("s", "-1", lines_of(), full, slow=slow)
            await hub.live.subscribe("s", "-1", lines_of(), quick)
            assert await hub.signal("s", 0) == 1, "the first line has filled it"
            full.take()
            assert await hub.signal("s", {"long": "x" * 100}) == 2
            held = full.held()
            for number in range(50):
                await hub.append("s", {"k": number % 2, "n": number})
                await settle()
                assert await hub.signal("s", number) == 1
            assert full.held() == held
            assert (hub.stats.signals_told, hub.stats.signals_dropped) == (53, 51)
            text = full.take()
            await settle()
            while rest := full.take():
                text += rest
                await settle()
            records = [each["n"] for each in told(text) if isinstance(each, dict)]
            if policy in ("replay", "unset", "disconnect"):
                assert records == list(range(50))
            elif policy == "latest":
                assert records == []
            else:
                assert records == [48, 49]
            assert [each[1] for each in told(text) if isinstance(each, tuple)] == [{"long": "x" * 100}]
            assert len([each for each in told(quick.take()) if isinstance(each, tuple)]) == 52
            assert await hub.signal("s", "live again") == 2

    run(main())


def test_a_reader_that_was_let_go_for_it_is_told_so(run: Run[None]) -> None:
    """Signals alone may fill a reader, and `disconnect` holds for it as for records."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0, slow_seconds=0.01)) as hub:
            await hub.create("s", content_type=JSON)
            sink = BufferSink(high_water=200)
            await hub.live.subscribe("s", "-1", lines_of(), sink, slow=SlowPolicy(Policy.DISCONNECT))
            sink.take()
            await hub.signal("s", "x" * 300)
            await until_ended(sink)
            last = json.loads(sink.take().splitlines()[-1])
            assert (last["control"], last["reason"]) == ("detached", "slow")
            assert await hub.signal("s", 1) == 0

    run(main())


def test_who_catches_up_is_told_none(run: Run[None]) -> None:
    """It is in no group yet; behind its last record it is told what comes."""

    async def main() -> None:
        async with Hub(limits=Limits(flush_seconds=0, buffer_bytes=40)) as hub:
            await hub.create("s", content_type=JSON, body=b"[1,2,3,4,5,6,7,8,9]")
            sink = BufferSink(high_water=10)
            await hub.live.subscribe("s", "-1", lines_of(), sink)
            text = b""
            for number in range(3):
                assert await hub.signal("s", number) == 0
            while rest := sink.take():
                text += rest
                await settle()
            assert await hub.signal("s", "now") == 1
            assert told(text + sink.take()) == [*range(1, 10), ("signal", "now")]
            assert hub.stats.signals_dropped == 3

    run(main())


@pytest.mark.parametrize("name", CODINGS)
def test_signals_in_a_content_coding(run: Run[None], name: str) -> None:
    """To all, to one of them, to who comes and who leaves: each body decodes to its end, and its checksum is right."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            form = lines_of(CODINGS[name]())
            sinks, decoders = [], []
            texts: list[list[Any]] = []
            for number in range(4):
                sink = BufferSink(high_water=10**6 if number else 400)
                sinks.append(sink)
                decoders.append(Decoder(name))
                texts.append([])
                await hub.live.subscribe("s", "now", form, sink, peer=Peer("ndjson", f"r{number}"))
                await hub.append("s", number)
                await settle()
                await hub.signal("s", f"all {number}", sender="x", keep=number * 10)
                for to in range(4):
                    await hub.signal("s", f"to {to}", to=f"r{to}")
                for each, decoder in zip(sinks[1:], decoders[1:], strict=True):
                    decoder.feed(each.take())
            while rest := sinks[0].take():
                decoders[0].feed(rest)
                await settle()
            await hub.append("s", "end", close=True)
            await settle()
            for sink, decoder in zip(sinks, decoders, strict=True):
                decoder.feed(sink.take())
                if name == "gzip":
                    assert decoder.complete
            alone = [each for each in told(decoders[3].text) if isinstance(each, tuple)]
            kept = ("signal", "all 2")
            assert alone == [kept, ("signal", "all 3"), ("signal", "to 3")]
            assert [each for each in told(decoders[0].text) if not isinstance(each, tuple)] == [0, 1, 2, 3, "end"]

    run(main())


def test_kinds_are_told_apart(run: Run[None]) -> None:
    """A reader is told the kinds it asked for; what greets it is of these, and is told once."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            both, one = BufferSink(high_water=300), BufferSink()
            greeted: list[tuple[str, int, str | None]] = []

            def greet(path: str, since: int, peer: Peer) -> list[Ephemeral]:
                greeted.append((path, since, peer.name))
                return [Ephemeral("other", b'{"data":"all"}')] if not since else []

            hub.runtime.ephemerals.greet_with("other", greet)
            form = lines_of(kinds=(SIGNAL, "other"))
            await hub.live.subscribe("s", "-1", form, both, peer=Peer(name="b"))
            await hub.live.subscribe("s", "-1", lines_of(), one, peer=Peer(name="o"))
            found = hub.events.tell("s", Ephemeral("other", b'{"data":1}'))
            assert (found.told, found.dropped) == (1, 0)
            await hub.signal("s", 2)
            assert told(both.take()) == [("other", "all"), ("other", 1), ("signal", 2)]
            assert told(one.take()) == [("signal", 2)]
            await hub.signal("s", "x" * 300)
            both.take()
            await settle()
            assert greeted == [("s", 0, "b"), ("s", hub.events.number, "b")]
            assert hub.events.tell("none", Ephemeral("other", b'{"data":1}')).told == 0

    run(main())


def test_a_signal_for_one_name(run: Run[None]) -> None:
    """The subject that a reader is known by, or what it calls itself; a name does not stand for a subject."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            sinks: dict[str, BufferSink] = {}
            peers = {
                "ada": Peer("ndjson", "ada"),
                "twice": Peer("ndjson", "ada"),
                "bob": Peer("ndjson", None, None, Access("bob")),
                "liar": Peer("ndjson", "bob", None, Access("eve")),
                "none": Peer("ndjson"),
            }
            for name, peer in peers.items():
                sinks[name] = BufferSink()
                await hub.live.subscribe("s", "-1", lines_of(), sinks[name], peer=peer)
                sinks[name].take()
            assert await hub.signal("s", 1, to="ada") == 2
            assert await hub.signal("s", 2, to="bob") == 1
            assert await hub.signal("s", 3, to="nobody") == 0
            found = {name: told(sink.take()) for name, sink in sinks.items()}
            assert found == {
                "ada": [("signal", 1)],
                "twice": [("signal", 1)],
                "bob": [("signal", 2)],
                "liar": [],
                "none": [],
            }
            assert hub.stats.signals_dropped == 0
            figures = {info.number: (info.signals_told, info.signals_dropped) for info in await hub.live.describe()}
            assert sorted(figures.values()) == [(0, 0), (0, 0), (1, 0), (1, 0), (1, 0)]

    run(main())


def test_readers_are_shown_with_what_they_were_told(run: Run[None]) -> None:
    """Told and dropped of each who asked, across its times in a group; nothing of who did not."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            sinks = {"asks": BufferSink(high_water=200), "deaf": BufferSink()}
            for name, sink in sinks.items():
                form = lines_of(kinds=(SIGNAL,) if name == "asks" else ())
                await hub.live.subscribe("s", "-1", form, sink, peer=Peer("ndjson", name))
            sinks["asks"].take()
            await hub.signal("s", 1)
            await hub.signal("s", "x" * 300)
            await hub.signal("s", 3)
            await hub.signal("s", 4, to="asks")
            sinks["asks"].take()
            await settle()
            await hub.signal("s", 5)
            await hub.signal("s", 6, to="asks")
            found = {info.name: (info.signals_told, info.signals_dropped) for info in await hub.live.describe()}
            assert found == {"asks": (4, 2), "deaf": (None, None)}
            assert (hub.stats.signals_told, hub.stats.signals_dropped) == (4, 2)

    run(main())


def test_envelopes_and_signals(run: Run[None]) -> None:
    """A signal has no offset and no time: it is told as without envelopes."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            sink = BufferSink()
            await hub.live.subscribe("s", "-1", lines_of(envelope=True), sink)
            await hub.append("s", 1)
            await hub.signal("s", 2, sender="ada")
            record, signal = map(json.loads, sink.take().splitlines()[1:])
            assert set(record) == {"offset", "at", "data"}
            assert signal == {"control": "signal", "from": "ada", "data": 2}

    run(main())


def test_text_that_is_cut_in_a_character(run: Run[None]) -> None:
    """What is held back of a text is told behind the signal, whole."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type="text/plain")
            sink = BufferSink()
            await hub.live.subscribe("s", "-1", lines_of(), sink)
            await hub.append("s", "é".encode()[:1])
            await hub.signal("s", 1)
            await hub.append("s", "é".encode()[1:])
            await settle()
            assert told(sink.take()) == [("signal", 1), "é"]

    run(main())


def test_what_nobody_asked_for_costs_nothing(run: Run[None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream without such readers has no object more, and a delivery makes the calls that it made."""

    async def main() -> None:
        async with Hub(limits=PROMPT) as hub:
            await hub.create("s", content_type=JSON)
            sinks = [BufferSink() for _ in range(10)]
            for sink in sinks:
                await hub.live.subscribe("s", "-1", lines_of(kinds=()), sink)
            stream = hub.live.stream("s")
            assert stream is not None
            called: list[str] = []
            for name in ("tell", "greet", "give_some"):
                monkeypatch.setattr(FanoutGroup, name, lambda *_, name=name: called.append(name))
            for number in range(10):
                await hub.append("s", number)
                await settle()
            assert await hub.signal("s", 1) == 0
            listeners = [stream.listeners]
            assert called == []
            await hub.live.subscribe("s", "-1", lines_of(), asks := BufferSink())
            listeners.append(stream.listeners)
            asks.lose()
            listeners.append(stream.listeners)
            assert [each is None for each in listeners] == [True, False, True]

    run(main())
