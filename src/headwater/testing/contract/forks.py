"""Forks: how they are made and what they inherit (protocol section 4.2)."""

from __future__ import annotations

from headwater.errors import BadRequest, ContentTypeMismatch, InvalidOffset, StreamExists, StreamNotFound
from headwater.model import BEGINNING, Expiry, Producer
from headwater.protocol.batches import MAX_READ_RECORDS
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal, holds, refused
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("forks")


@chapter.promise
async def a_fork_inherits_and_diverges(trial: Trial) -> None:
    """A fork has its source's records up to the fork point; after it both go their own ways."""
    await trial.create("a")
    for body in (b"one", b"two"):
        await trial.append("a", body)
    created = await trial.fork("f", "a")
    equal((created.created, created.info.forked_from, created.info.content_type), (True, "a", TEXT), "the fork")
    await trial.append("a", b"source")
    await trial.append("f", b"fork")
    equal(await trial.contents("a"), (b"one", b"two", b"source"), "contents of the source")
    equal(await trial.contents("f"), (b"one", b"two", b"fork"), "contents of the fork")


@chapter.promise
async def a_fork_leaves_at_an_offset(trial: Trial) -> None:
    """A fork can leave its source at any offset that was given out, -1 included."""
    await trial.create("a")
    offsets = [BEGINNING, *[(await trial.append("a", body)).next_offset for body in (b"one", b"two", b"three")]]
    for index, offset in enumerate(offsets):
        path = f"f{index}"
        await trial.fork(path, "a", offset)
        await trial.append(path, b"own")
        equal(await trial.contents(path), (*(b"one", b"two", b"three")[:index], b"own"), f"fork at {offset}")


@chapter.promise
async def a_fork_leaves_inside_a_record(trial: Trial) -> None:
    """A fork can leave inside a record of bytes: at an offset of a cut read, or at a sub-offset."""
    await trial.create("a", TEXT, b"hello")
    await trial.append("a", b"you")
    cut = (await trial.store.read("a", BEGINNING, limit=2)).next_offset
    await trial.fork("cut", "a", cut)
    await trial.fork("sub", "a", BEGINNING, 3)
    await trial.fork("both", "a", cut, 2)
    await trial.fork("end", "a", cut, 3)
    for path, expected in (("cut", b"he"), ("sub", b"hel"), ("both", b"hell"), ("end", b"hello")):
        equal(b"".join(await trial.contents(path)), expected, f"contents of {path!r}")
        await trial.append(path, b"!")
        for limit in (1, 2, 100):
            joined = b"".join(await trial.contents(path, limit=limit))
            equal(joined, expected + b"!", f"contents of {path!r} after an append, read by {limit}")


@chapter.promise
async def a_json_sub_offset_counts_values(trial: Trial) -> None:
    """In a JSON stream the sub-offset counts values, over the bounds of the appends."""
    await trial.create("a", JSON, b"[1, 22, 333]")
    offset = (await trial.append("a", b"[4, 55]")).next_offset
    await trial.append("a", b"666")
    for count, expected in ((0, ()), (1, (b"1",)), (4, (b"1", b"22", b"333", b"4"))):
        await trial.fork(f"f{count}", "a", BEGINNING, count)
        equal(await trial.contents(f"f{count}"), expected, f"fork after {count} values")
    await trial.fork("g", "a", offset, 1)
    equal(await trial.contents("g"), (b"1", b"22", b"333", b"4", b"55", b"666"), "fork after one more value")
    # More of them than one read has.
    many = MAX_READ_RECORDS + 2
    await trial.create("b", JSON, b"[" + b",".join([b"7"] * (many + 1)) + b"]")
    await trial.fork("h", "b", BEGINNING, many)
    equal(len(await trial.contents("h")), many, "the records of a fork after many values")


@chapter.promise
async def a_sub_offset_too_far_is_refused(trial: Trial) -> None:
    """A sub-offset past the tail (JSON) or past the record (bytes) is refused, and makes no fork."""
    await trial.create("j", JSON, b"[1, 2]")
    await trial.create("t", TEXT, b"hello")
    await trial.append("t", b"you")
    tail = await trial.tail("t")
    await refused(BadRequest, trial.fork("f", "j", BEGINNING, 3), "three of two values")
    await refused(BadRequest, trial.fork("f", "t", BEGINNING, 6), "six bytes of a record of five")
    await refused(BadRequest, trial.fork("f", "t", tail, 1), "one byte past the tail")
    await refused(StreamNotFound, trial.store.info("f"), "info of the fork")


@chapter.promise
async def a_forks_body_comes_after(trial: Trial) -> None:
    """A body given with the fork follows what it inherits."""
    await trial.create("a", JSON, b"[1, 2]")
    created = await trial.fork("f", "a", body=b"[3, 4]")
    equal(await trial.contents("f"), (b"1", b"2", b"3", b"4"), "contents")
    equal(created.info.tail, (await trial.pieces("f"))[-1].next_offset, "tail")
    equal(await trial.contents("a"), (b"1", b"2"), "contents of the source")


@chapter.promise
async def a_fork_of_a_closed_stream_is_open(trial: Trial) -> None:
    """A closed stream can be forked; the fork is open, and its close is its own."""
    await trial.create("a", TEXT, b"x", closed=True)
    await trial.create("b", TEXT, b"y")
    holds(not (await trial.fork("f", "a")).info.closed, "the fork of a closed stream is closed")
    await trial.append("f", b"more")
    await trial.fork("g", "b")
    await trial.append("g", close=True)
    holds(not (await trial.store.info("b")).closed, "closing the fork closed its source")


@chapter.promise
async def a_forks_writers_start_anew(trial: Trial) -> None:
    """A fork inherits no producer and no Stream-Seq."""
    await trial.create("a")
    await trial.append("a", b"x", producer=Producer("p", 3, 0), seq="9")
    await trial.fork("f", "a")
    answer = await trial.append("f", b"y", producer=Producer("p", 0, 0), seq="1")
    holds(not answer.duplicate, "the source's producer is known in the fork")
    holds((await trial.append("a", b"x", producer=Producer("p", 3, 0))).duplicate, "the source forgot its producer")


@chapter.promise
async def a_fork_has_its_sources_type(trial: Trial) -> None:
    """A fork takes its source's content type; naming another one is refused."""
    await trial.create("a", JSON, b"1")
    await refused(ContentTypeMismatch, trial.fork("f", "a", content_type=TEXT), "a fork of another type")
    created = await trial.fork("f", "a", content_type="application/json; charset=utf-8")
    equal(created.info.content_type, JSON, "content type of the fork")


@chapter.promise
async def there_is_nothing_to_fork(trial: Trial) -> None:
    """A fork of no stream, or at an offset that is not the source's, is refused and leaves nothing."""
    await trial.create("a", TEXT, b"x")
    await trial.create("b", TEXT, b"longer than a")
    await refused(StreamNotFound, trial.fork("f", "nowhere"), "a fork of no stream")
    await refused(InvalidOffset, trial.fork("f", "a", "nonsense"), "a fork at garbage")
    await refused(InvalidOffset, trial.fork("f", "a", await trial.tail("b")), "a fork at a later stream's offset")
    await refused(StreamNotFound, trial.store.info("f"), "info of the fork")
    await trial.store.delete("a")
    await refused(StreamNotFound, trial.store.info("a"), "info of the source, deleted after the refused forks")


@chapter.promise
async def a_forks_expiry_is_its_own_or_its_sources(trial: Trial) -> None:
    """A fork has the expiry it asks for, else its source's (table of protocol section 4.2)."""
    at = Expiry(at=trial.clock() + 50)
    sources = {"none": Expiry(), "ttl": Expiry(ttl=60), "at": at}
    asked = {"none": Expiry(), "ttl": Expiry(ttl=10), "at": Expiry(at=trial.clock() + 99)}
    for source, have in sources.items():
        await trial.create(source, TEXT, expiry=have)
        for name, want in asked.items():
            info = (await trial.fork(f"{source}-{name}", source, expiry=want)).info
            expected = have if want == Expiry() else want
            equal((info.expiry.ttl, info.expiry.at), (expected.ttl, expected.at), f"{source} forked with {name}")


@chapter.promise
async def forking_again_confirms(trial: Trial) -> None:
    """The same fork again finds the stream, even after both have moved on; another one is refused."""
    await trial.create("a", TEXT, b"one")
    offset = (await trial.append("a", b"two")).next_offset
    await trial.fork("f", "a", offset)
    await trial.fork("sub", "a", BEGINNING, 2)
    await trial.append("a", b"three")
    await trial.append("f", b"own")
    await trial.create("other", TEXT)
    async with trial.unchanged("f"):
        holds(not (await trial.fork("f", "a", offset)).created, "the same fork made another stream")
        holds(not (await trial.fork("sub", "a", BEGINNING, 2)).created, "the same fork made another stream")
        await refused(StreamExists, trial.fork("f", "a", BEGINNING), "another fork point")
        await refused(StreamExists, trial.fork("sub", "a", BEGINNING, 1), "another sub-offset")
        await refused(StreamExists, trial.fork("f", "other"), "another source")
        await refused(StreamExists, trial.create("f", TEXT), "no fork")
        await refused(StreamExists, trial.fork("other", "a"), "a fork where a plain stream is")
