"""A check finds what is damaged, says where, and what can still be read; and nothing in a file that is whole."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import invariant, run_state_machine_as_test
from tests.stores.sqlite.helpers import opened, together

from headwater.errors import StoreUnavailable
from headwater.model import Expiry, ForkPoint, Producer, Retention, StreamConfig
from headwater.protocol.ledger import Append
from headwater.stores.sqlite import SqliteStore, journal, parse_options
from headwater.stores.sqlite import database as database_module
from headwater.stores.sqlite.checkup import Finding, NotAStore, Progress, Report, check_file, records
from headwater.stores.sqlite.journal import Entry, Grown, encode_entry
from headwater.stores.sqlite.schema import Schema, prepare
from headwater.testing.stateful import StoreMachine, store_machine

if TYPE_CHECKING:
    from tests.conftest import Run
    from tests.stores.sqlite.conftest import Place

    from headwater.stores import Store
    from headwater.stores.base import Clock
    from headwater.stores.sqlite.database import Database

JSON = StreamConfig("application/json")
#: Bytes of a page of the file.
PAGE = 4096


def check(place: Place, path: str | None = None) -> Report:
    """Check a file, with the driver of the place."""
    return check_file(path or place.path, parse_options({"driver": place.driver, "busy_timeout": "0"}))


def bytes_of(path: str) -> bytes:
    """Of a file."""
    return Path(path).read_bytes()


def problems(report: Report) -> str:
    """All of them, as one text."""
    return "\n".join(finding.problem for finding in report.findings)


async def fill(store: SqliteStore) -> None:
    """Streams of every kind: of bytes and JSON, with producers, forks, retention, expiry, deleted and closed ones."""
    for number in range(6):
        config = JSON if number % 2 else StreamConfig()
        await store.create(f"s{number}", config)
        for seq in range(40):
            body = b'{"n": %d}' % seq if number % 2 else b"x" * (1 + 19 * seq)
            await store.append(f"s{number}", Append(body, producer=Producer("p", 0, seq)))
    await store.create("fork", StreamConfig(fork=ForkPoint("s0")), b"own")
    await store.create("fork of it", StreamConfig(fork=ForkPoint("fork", None)))
    await store.create("kept", StreamConfig(retention=Retention(count=2)))
    await store.create("short", StreamConfig(expiry=Expiry(ttl=60)), b"1")
    for _ in range(5):
        await store.append("kept", Append(b"abc"))
    await store.create("closed", JSON, b"[1, 2]", closed=True)
    await store.create("gone", StreamConfig(), b"x")
    await store.create("of gone", StreamConfig(fork=ForkPoint("gone")))
    await store.delete("gone")
    await store.sweep()


@pytest.fixture
def filled(place: Place, run: Run[None]) -> Place:
    """A place whose file has all of `fill`, closed in an orderly way."""

    async def main() -> None:
        async with opened(place.store()) as store:
            await fill(store)

    run(main())
    return place


def test_a_file_is_whole(filled: Place) -> None:
    """Also to its last byte what it was before, with nothing beside it."""
    before = Path(filled.path).read_bytes()
    report = check(filled)
    assert report.findings == []
    assert (report.streams, report.records, report.notes) == (13, 40 * 6 + 1 + 2 + 1 + 2 + 1, [])
    assert Path(filled.path).read_bytes() == before
    assert sorted(path.name for path in Path(filled.path).parent.iterdir()) == ["log.db", "log.db.lock"]


def test_a_server_may_have_it_open(place: Place, run: Run[None]) -> None:
    """What is in the log and in the journal is read; the server notices nothing; a killed one's files are read too."""

    async def main() -> None:
        async with opened(place.store()) as store:
            await fill(store)
            await together(store, *((f"s{number}", b"123") for number in range(6)))
            before = bytes_of(place.path)
            report = check(place)
            assert (report.findings, report.records) == ([], 40 * 6 + 7 + 6)
            assert "-wal" in report.notes[0]
            assert bytes_of(place.path) == before
            await store.sweep()
            assert store.fault() is None
            killed = place.killed()
            assert check(place, killed._path).findings == []
            async with opened(killed):
                pass
            assert check(place, killed._path).records == 40 * 6 + 7 + 6

    run(main())


def test_a_change_that_was_cut_is_rolled_back_in_a_copy(filled: Place) -> None:
    """A journal of SQLite's other mode lies beside the file: the file is left as it is, and the copy is whole."""
    database = filled.connect()
    database.run("PRAGMA journal_mode = DELETE")
    database.run("PRAGMA cache_size = 1")
    database.run("BEGIN IMMEDIATE")
    database.run("UPDATE records SET data = zeroblob(length(data))")
    copy = f"{filled.path}.cut"
    for suffix in ("", "-journal"):
        shutil.copy(filled.path + suffix, copy + suffix)
    database.run("ROLLBACK")
    before = Path(copy).read_bytes(), Path(f"{copy}-journal").read_bytes()
    report = check(filled, copy)
    assert (report.findings, len(report.notes)) == ([], 1)
    assert "rolled back in a copy" in report.notes[0]
    assert (Path(copy).read_bytes(), Path(f"{copy}-journal").read_bytes()) == before


class Meddling(Progress):
    """Writes to the file while it is checked."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place: Place | None = place

    def begin(self, step: str, total: int = 0) -> None:
        super().begin(step, total)
        if self._place is not None:
            self._place.connect().run("UPDATE store SET drift = 1")
            self._place = None


def test_a_file_that_comes_into_use_is_checked_again(filled: Place) -> None:
    """What was read of it as of one that nobody has open counts no more."""
    options = parse_options({"driver": filled.driver})
    report = check_file(filled.path, options, Meddling(filled))
    assert (report.findings, len(report.notes)) == ([], 1)


class Whole(StoreMachine):
    """Random histories, with a check of the file behind every step."""

    path: Callable[[Store], str]
    options: dict[str, str]

    @invariant()
    def the_file_is_whole(self) -> None:
        """While it is in use."""
        self._check()

    def teardown(self) -> None:
        """And at the end."""
        super().teardown()
        self._check()

    def _check(self) -> None:
        report = check_file(type(self).path(self.pair.store), parse_options(type(self).options))
        assert report.findings == []


def test_random_histories_leave_whole_files(tmp_path: Path, driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the store's state machine does, restarts and crashes included."""
    monkeypatch.setattr(journal, "FOLD_RECORDS", 5)
    monkeypatch.setattr(journal, "STREAM_RECORDS", 1)
    options = {"driver": driver, "synchronous": "off"}
    count = 0

    def new() -> str:
        nonlocal count
        count += 1
        folder = tmp_path / str(count)
        folder.mkdir()
        return str(folder / "log.db")

    def make(clock: Clock) -> Store:
        return SqliteStore(new(), parse_options(options), clock=clock)

    def path_of(store: Store) -> str:
        assert isinstance(store, SqliteStore)
        return store._given

    def reopen(store: Store, clock: Clock) -> Store:
        return SqliteStore(path_of(store), parse_options(options), clock=clock)

    def crash(store: Store, clock: Clock) -> Store:
        path = new()
        for suffix in ("", "-wal"):
            shutil.copy(path_of(store) + suffix, path + suffix)
        return SqliteStore(path, parse_options(options), clock=clock)

    bound = store_machine(make, reopen=reopen, crash=crash)
    members = {"path": staticmethod(path_of), "options": options}
    profile = settings(
        max_examples=15, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    run_state_machine_as_test(type("BoundWhole", (Whole, bound), members), settings=profile)


#: An append to a stream that is not there.
STRANGE = encode_entry(Entry([Grown(999, 0.0, 3, closed=False, closed_by=None, last_seq=None, failure=None)], [], []))
#: What is done to a whole file, by SQL; the stream that is named; a part of the problem; whether the rest is readable.
BROKEN: dict[str, tuple[str, str | None, str]] = {
    "a record is gone": ("DELETE FROM records WHERE incarnation = 2 AND position = 0", "s1", "before it"),
    "a record in the middle": (
        "DELETE FROM records WHERE incarnation = 1 AND position = (SELECT position FROM records WHERE incarnation = 1"
        " ORDER BY position LIMIT 1 OFFSET 20)",
        "s0", "bytes of records are missing",
    ),
    "the last records": (
        "DELETE FROM records WHERE incarnation = 4 AND position > 100", "s3", "before its tail are missing",
    ),
    "all records": ("DELETE FROM records WHERE incarnation = 5", "s4", "bytes of records are missing"),
    "a longer record": (
        "UPDATE records SET data = CAST(data || x'20' AS BLOB) WHERE incarnation = 2 AND position = 0", "s1",
        "1 bytes too many",
    ),
    "no JSON": ("UPDATE records SET data = x'7b20202020207d7d' WHERE incarnation = 2 AND position = 8", "s1",
                "not one JSON value"),
    "an empty record": (
        "UPDATE records SET data = x'' WHERE incarnation = 2 AND position = 0", "s1", "has no bytes",
    ),
    "the tail": ("UPDATE streams SET tail = tail - 1 WHERE path = 's2'", "s2", "behind its tail"),
    "the earliest": ("UPDATE streams SET earliest = earliest + 2 WHERE path = 's2'", "s2", "inside a record"),
    "earliest behind tail": ("UPDATE streams SET earliest = tail + 1 WHERE path = 'closed'", "closed", "earliest"),
    "a time that goes back": (
        "UPDATE records SET told = told - 5 WHERE incarnation = 2 AND position > 100 AND position < 120", "s1", "older",
    ),
    "a time that is none": ("UPDATE records SET told = -1 WHERE incarnation = 2 AND position = 0", "s1", "-1 ms"),
    "who appended it": ("UPDATE records SET principal = '{' WHERE incarnation = 2 AND position = 0", "s1", "is nobody"),
    "who is no text": (
        "UPDATE records SET principal = '[1,2]' WHERE incarnation = 2 AND position = 0", "s1", "which is nobody",
    ),
    "the last time": ("UPDATE streams SET appended_at = appended_at + 7 WHERE path = 's1'", "s1", "by its row"),
    "a fork's source": ("UPDATE streams SET source = 999 WHERE path = 'fork'", "fork", "stream number 999"),
    "a fork's name of it": (
        "UPDATE streams SET config = replace(config, 's0', 's2') WHERE path = 'fork'", "fork", "by its configuration",
    ),
    "what a fork shares": (
        "DELETE FROM records WHERE incarnation = (SELECT incarnation FROM streams WHERE path = 'gone')",
        "of gone", "that it shares",
    ),
    "the count of forks": ("UPDATE streams SET forks = 7 WHERE path = 's0'", "s0", "7 forks, and there are 1"),
    "forks that are none": ("UPDATE streams SET forks = 1 WHERE path = 's2'", "s2", "1 forks, and there are 0"),
    "a producer": ("UPDATE producers SET seq = -4 WHERE incarnation = 1", "s0", "sequence -4"),
    "the configuration": ("UPDATE streams SET config = '{' WHERE path = 's0'", "s0", "cannot be read"),
    "the content type": (
        "UPDATE streams SET config = replace(config, 'application/json', 'json') WHERE path = 's1'", "s1", "media type",
    ),
    "the lineage": ("UPDATE streams SET lineage = '[]' WHERE path = 's0'", "s0", "lineage is empty"),
    "another's lineage": (
        "UPDATE streams SET lineage = (SELECT lineage FROM streams WHERE path = 's0') WHERE path = 's1'", "s1",
        "its own is 2",
    ),
    "the path": ("UPDATE streams SET path = 'a//../b' WHERE path = 's0'", "a//../b", "path"),
    "who closed it": ("UPDATE streams SET closed = 0, failure = '{\"code\": \"x\"}' WHERE path = 'closed'", "closed",
                      "it is open"),
    "when it expires": ("UPDATE streams SET expires = expires + 9 WHERE path = 'short'", "short", "time to expire"),
    "a purge": ("INSERT INTO purges SELECT incarnation, tail FROM streams WHERE path = 's0'", "s0", "will be purged"),
    "a stream's row": ("DELETE FROM streams WHERE path = 's2'", None, "records of stream number 3"),
    "the last number": ("UPDATE store SET last_incarnation = 3", None, "given twice"),
    "no last number": ("DELETE FROM store", None, "0 rows"),
    "the journal": ("INSERT INTO journal (entry) VALUES (x'ffee')", None, "no server starts"),
    "another's journal": (
        f"INSERT INTO journal (entry) VALUES (x'{STRANGE.hex()}')", None, "journal has stream number 999",
    ),
    "a table": ("DROP TABLE producers", None, "table producers is missing"),
    "an index": ("DROP INDEX streams_expires", None, "index streams_expires is missing"),
    "the version": ("PRAGMA user_version = 0", None, "schema version 0"),
    "whose it is": ("PRAGMA application_id = 7", None, "another program's"),
}  # fmt: skip


@pytest.mark.parametrize("how", BROKEN)
def test_each_broken_promise_is_found(filled: Place, how: str) -> None:
    """With its stream; and the others are whole."""
    sql, stream, part = BROKEN[how]
    with _Other(filled) as database:
        database.execute(sql)
    report = check(filled)
    found = [finding for finding in report.findings if finding.stream == stream]
    assert part in "\n".join(finding.problem for finding in found), report.findings


class _Other:
    """A connection as another program has it."""

    def __init__(self, place: Place) -> None:
        self._database = place.connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._database.close()

    def execute(self, sql: str) -> None:
        self._database.run(sql)


def test_what_is_readable_is_told(filled: Place) -> None:
    """Before a hole and behind it, by offsets."""
    with _Other(filled) as database:
        database.execute("DELETE FROM records WHERE incarnation = 2 AND position = 8")
    [finding] = check(filled).findings
    assert finding == Finding(
        "8 bytes of records are missing",
        "s1",
        _offset(2, 8),
        ((_offset(2, 0), _offset(2, 8)), (_offset(2, 16), _offset(2, 10 * 8 + 30 * 9))),
    )


def _offset(incarnation: int, position: int) -> str:
    return f"{incarnation:016}_{position:016}"


#: (position, data) of each stream, by its number.
Log = dict[int, list[tuple[int, bytes]]]


def log_of(database: Database) -> Log:
    """All records."""
    found: Log = {}
    for number, position, data in database.run("SELECT incarnation, position, data FROM records ORDER BY 1, 2"):
        found.setdefault(number, []).append((position, data))
    return found


def lengths(log: Log) -> dict[int, list[tuple[int, int]]]:
    """The same without the bytes, which have no checksum."""
    return {number: [(position, len(data)) for position, data in rows] for number, rows in log.items()}


def read_log(place: Place, path: str) -> Log:
    """All records of a damaged file."""
    database = database_module.open_unchanged(path, parse_options({"driver": place.driver}), immutable=True)
    try:
        return log_of(database)
    finally:
        database.close()


def compact(place: Place) -> Log:
    """Leave no free pages, and say what the file has."""
    database = place.connect()
    database.run("VACUUM")
    log = log_of(database)
    database.close()
    return log


def damaged(place: Place, change: Callable[[bytearray], None]) -> str:
    """A copy of the file that was changed."""
    data = bytearray(Path(place.path).read_bytes())
    change(data)
    copy = Path(f"{place.path}.damaged")
    copy.write_bytes(data)
    return str(copy)


def check_honest(place: Place, path: str, report: Report, log: Log) -> None:
    """What is told to be readable can be read, and is what it was."""
    database = database_module.open_unchanged(path, parse_options({"driver": place.driver}), immutable=True)
    try:
        for start, end in {stretch for finding in report.findings for stretch in finding.readable}:
            number, first = map(int, start.split("_"))
            other, last = map(int, end.split("_"))
            if number != other:
                continue  # inherited records of a fork
            told = [(at, data) for at, data in log[number] if first <= at < last]
            sql = "SELECT position, data FROM records WHERE incarnation = ? AND position >= ? ORDER BY position LIMIT ?"
            assert database.run(sql, (number, first, len(told))) == told
    finally:
        database.close()


def test_a_page_that_is_lost_is_found_wherever_it_is(filled: Place) -> None:
    """Zeros in place of a page: what was in it is told, all else is readable."""
    log = compact(filled)
    pages = os.path.getsize(filled.path) // PAGE
    found = named = 0
    for page in range(1, pages):

        def erase(data: bytearray, page: int = page) -> None:
            data[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)

        path = damaged(filled, erase)
        report = check(filled, path)
        found += not report.is_whole
        if report.is_whole:  # the end of a long record, all of it its bytes
            assert lengths(read_log(filled, path)) == lengths(log)
        check_honest(filled, path, report, log)
        named += any(finding.stream and finding.readable for finding in report.findings)
    assert found > pages * 0.7
    assert named > pages * 0.3


def test_flipped_bits_are_found_where_they_change_what_is_read(filled: Place) -> None:
    """But for those inside the bytes of a record, which have no checksum; whatever they hit, the check ends."""
    log = compact(filled)
    size = os.path.getsize(filled.path)
    found = 0
    for trial in range(80):
        # Half of them where a page says what is in it.
        place = random.randrange(PAGE, size)
        place = place // PAGE * PAGE + random.randrange(64) if trial % 2 else place

        def flip(data: bytearray, place: int = place) -> None:
            data[place] ^= 1 << random.randrange(8)

        path = damaged(filled, flip)
        report = check(filled, path)
        found += not report.is_whole
        if report.is_whole:
            assert lengths(read_log(filled, path)) == lengths(log)
    assert found > 10


@pytest.mark.parametrize("part", [0.2, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off_is_found(filled: Place, part: float) -> None:
    """Also in the middle of a page; what is in the rest of it is told to be readable, if it is."""
    log = compact(filled)

    def cut(data: bytearray) -> None:
        del data[int(len(data) * part) :]

    path = damaged(filled, cut)
    report = check(filled, path)
    assert "it is cut off" in problems(report)
    check_honest(filled, path, report, log)
    if part > 0.8:
        assert report.records > 150


def test_a_header_that_is_lost_leaves_nothing_to_read(filled: Place) -> None:
    """It is still known to be ours, by the application's id."""

    def erase(data: bytearray) -> None:
        data[:16] = bytes(16)

    report = check(filled, damaged(filled, erase))
    assert "nothing of the file can be read" in problems(report)


def test_many_damages_are_counted(filled: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not all kept."""
    monkeypatch.setattr(records, "MOST_OF_A_STREAM", 10)
    with _Other(filled) as database:
        database.execute("UPDATE records SET told = -1")
    report = check(filled)
    assert report.more == 6 * 30
    assert len([finding for finding in report.findings if finding.stream == "s0"]) == 10


def test_a_file_of_the_first_release_is_whole(place: Place, run: Run[None]) -> None:
    """It is checked as it is, not upgraded; and again behind the upgrade."""
    database = place.connect()
    prepare(database, Schema(Path(__file__).with_name("schema_1.sql").read_text("utf-8")))
    database.run(
        """INSERT INTO streams VALUES (1, 'a', '{"content_type": "text/plain"}', ?,"""
        " 0, 0, 0, 3, 0, NULL, NULL, 0, 0, 0, NULL, NULL)",
        ('[{"incarnation": 1, "start": 0}]',),
    )
    database.run("INSERT INTO records VALUES (1, 0, 1700000000.1234567, x'616263')")
    database.run("UPDATE store SET last_incarnation = 1")
    database.close()
    report = check(place)
    assert (report.findings, report.version, report.records) == ([], 1, 1)

    async def upgrade() -> None:
        async with opened(place.store()) as store:
            await store.append("a", Append(b"d"))

    run(upgrade())
    assert (check(place).findings, check(place).records) == ([], 2)


def test_files_of_others_are_refused(place: Place, tmp_path: Path) -> None:
    """An empty one, a text, another program's database, a newer release's; and one that is not there."""
    path = tmp_path / "other"
    path.write_bytes(b"")
    with pytest.raises(NotAStore, match="empty"):
        check(place, str(path))
    path.write_bytes(b"hello" * 1000)
    with pytest.raises(NotAStore, match="no SQLite database"):
        check(place, str(path))
    with _Other(place) as database:
        database.execute("CREATE TABLE notes (text TEXT)")
    with pytest.raises(NotAStore, match="another program"):
        check(place)
    os.remove(place.path)
    connection = place.connect()
    prepare(connection)
    connection.run("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(NotAStore, match="schema version 99"):
        check(place)
    with pytest.raises(StoreUnavailable, match="cannot open"):
        check(place, str(tmp_path / "missing"))


def test_a_file_that_somebody_holds_is_refused(filled: Place) -> None:
    """For the time being: nobody else can read it."""
    database = filled.connect()
    database.run("PRAGMA locking_mode = EXCLUSIVE")
    database.run("BEGIN IMMEDIATE")
    database.run("UPDATE store SET drift = drift")
    with pytest.raises(StoreUnavailable, match="locked"):
        check(filled)
