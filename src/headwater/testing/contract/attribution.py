"""Who appended a record: kept with it, by a store that is `Attributing`; of no other anything is asked."""

from __future__ import annotations

from headwater.model import BEGINNING, Change, ForkPoint, Last, Principal, Producer, Record, Retention, StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores.base import Atomic, Attributing
from headwater.testing.contract.checks import Chapter
from headwater.testing.contract.expect import equal
from headwater.testing.contract.trial import JSON, TEXT, Trial

chapter = Chapter("attribution")

TYPES = {"json": JSON, "text": TEXT}
U1 = Principal("u1")
#: The same subject of an issuer, which is another one.
ISSUED = Principal("u1", "https://app.example")
STRANGE = Principal('u,"2"\n\u00e9\U0001f600', "https://other.example/?a=[1,2]")


async def _by(trial: Trial, path: str, offset: str = BEGINNING, limit: int = 1 << 20) -> list[Principal | None]:
    return [record.by for batch in await trial.pieces(path, offset, limit) for record in batch.records]


async def _create(
    trial: Trial, path: str, config: StreamConfig, body: bytes = b"", by: Principal | None = None
) -> bool:
    """Create, and say whether the store keeps who did."""
    if isinstance(trial.store, Attributing):
        await trial.store.create(path, config, body, by=by)
        return True
    await trial.store.create(path, config, body)
    return False


async def _append(trial: Trial, path: str, body: bytes, by: Principal | None, producer: Producer | None = None) -> bool:
    request = Append(body, producer=producer, by=by)
    return (await trial.store.append(path, request)).duplicate


@chapter.promise
async def a_record_has_who_appended_it(trial: Trial) -> None:
    """All of one append have one, and so have those of a create; where nobody is named there is nobody."""
    for path, kind in TYPES.items():
        keeps = await _create(trial, path, StreamConfig(kind), b"[1,2]", U1)
        for body, by in ((b"[3,4]", ISSUED), (b"5", None), (b"6", STRANGE), (b"7", U1)):
            await _append(trial, path, body, by)
        expected = [U1, U1, ISSUED, ISSUED, None, STRANGE, U1] if kind == JSON else [U1, ISSUED, None, STRANGE, U1]
        if keeps:
            equal(await _by(trial, path), expected, "who appended")
        else:
            equal(len(await _by(trial, path)), len(expected), "records")


@chapter.promise
async def it_is_told_and_read_alike(trial: Trial) -> None:
    """Watchers get what readers get: from anywhere, in pieces, from behind, and of a part of a record."""
    told: list[Change] = []
    trial.store.watch(told.append)
    for path, kind in TYPES.items():
        keeps = await _create(trial, path, StreamConfig(kind))
        for body, by in ((b"[1,2]", U1), (b"345", None), (b"678", ISSUED), (b"[9]", ISSUED)):
            await _append(trial, path, body, by)
        if not keeps:
            continue
        whole = [record for batch in await trial.pieces(path) for record in batch.records]
        batches = [change.batch for change in told if change.path == path and change.batch is not None]
        if batches:
            heard = [record.by for batch in batches for record in batch.records]
            equal(heard, [record.by for record in whole], "who is told")
        ends = {record.offset: record.by for record in whole}
        for batch in await trial.pieces(path, limit=2):
            for record in batch.records:
                equal(record.by, _of(record, ends), f"who appended what ends at {record.offset}")
        last = Last(records=2) if kind == JSON else Last(size=4)
        page = (await trial.store.page(path, last)).batch
        equal([record.by for record in page.records], [_of(record, ends) for record in page.records], "of a page")


def _of(record: Record, ends: dict[str, Principal | None]) -> Principal | None:
    """Who appended the record in which a piece ends."""
    return next(by for offset, by in sorted(ends.items()) if offset >= record.offset)


@chapter.promise
async def a_duplicate_changes_nobody(trial: Trial) -> None:
    """A producer's retry by somebody else leaves the first one."""
    for path, kind in TYPES.items():
        keeps = await _create(trial, path, StreamConfig(kind))
        producer = Producer("p", 0, 0)
        equal(await _append(trial, path, b"1", U1, producer), False, "the first")
        equal(await _append(trial, path, b"1", ISSUED, producer), True, "the retry")
        if keeps:
            equal(await _by(trial, path), [U1], "who appended")


@chapter.promise
async def an_append_that_creates_has_it_too(trial: Trial) -> None:
    """The first append of a stream, alone and with others, each with its own."""
    await trial.store.append("a", Append(b"1", create=StreamConfig(JSON), by=U1))
    if isinstance(trial.store, Attributing):
        equal(await _by(trial, "a"), [U1], "who appended first")
    if not isinstance(trial.store, Atomic):
        return
    appends = [
        ("a", Append(b"2", by=ISSUED)),
        ("b", Append(b"3", create=StreamConfig(JSON), by=STRANGE)),
        ("a", Append(b"4")),
        ("b", Append(b"5", by=U1)),
    ]
    await trial.store.append_all(appends)
    if isinstance(trial.store, Attributing):
        equal(await _by(trial, "a"), [U1, ISSUED, None], "who appended together")
        equal(await _by(trial, "b"), [STRANGE, U1], "who appended to what was made")


@chapter.promise
async def a_fork_has_those_of_its_source(trial: Trial) -> None:
    """Of the records that it inherits, the last one cut too; its own have their own."""
    for path, kind in TYPES.items():
        keeps = await _create(trial, path, StreamConfig(kind), b"12", U1)
        await _append(trial, path, b"34", ISSUED)
        fork = StreamConfig(fork=ForkPoint(path))
        await _create(trial, f"{path}-fork", fork, b"56", STRANGE)
        await _append(trial, path, b"78", U1)
        await _append(trial, f"{path}-fork", b"90", None)
        if keeps:
            equal(await _by(trial, f"{path}-fork"), [U1, ISSUED, STRANGE, None], "who appended to a fork")
        if keeps and kind == TEXT:
            await _create(trial, "cut", StreamConfig(fork=ForkPoint(path, BEGINNING, 1)))
            equal(await _by(trial, "cut"), [U1], "who appended the record that is cut")


@chapter.promise
async def what_is_dropped_takes_it_along(trial: Trial) -> None:
    """Retention leaves those of the records that it keeps."""
    keeps = await _create(trial, "a", StreamConfig(JSON, retention=Retention(count=2)))
    for number, by in enumerate((U1, None, ISSUED, STRANGE)):
        await _append(trial, "a", b"%d" % number, by)
    await trial.sweep()
    if keeps:
        equal(await _by(trial, "a", (await trial.store.info("a")).earliest), [ISSUED, STRANGE], "who is kept")


@chapter.durable_promise
async def they_survive(trial: Trial) -> None:
    """A restart keeps them."""
    for path, kind in TYPES.items():
        keeps = await _create(trial, path, StreamConfig(kind), b"1", STRANGE)
        await _append(trial, path, b"2", None)
        await _append(trial, path, b"3", U1)
        known = await _by(trial, path)
        await trial.restart()
        equal(await _by(trial, path), known, "who appended, after a restart")
        await _append(trial, path, b"4", ISSUED)
        if keeps:
            equal(await _by(trial, path), [STRANGE, None, U1, ISSUED], "who appended, with what came later")
