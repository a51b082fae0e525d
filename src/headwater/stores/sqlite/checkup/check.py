"""A whole check, on one snapshot."""

from __future__ import annotations

import os
from typing import Any, Final

from headwater.errors import StoreUnavailable
from headwater.stores.sqlite.checkup import entries
from headwater.stores.sqlite.checkup.contents import LARGE_SINCE, Contents
from headwater.stores.sqlite.checkup.forks import check_counts, check_orphans
from headwater.stores.sqlite.checkup.report import Finding, NotAStore, Progress, Report
from headwater.stores.sqlite.checkup.snapshot import Snapshot
from headwater.stores.sqlite.checkup.walk import READ_ERRORS
from headwater.stores.sqlite.database import Database
from headwater.stores.sqlite.options import SqliteOptions
from headwater.stores.sqlite.schema import APPLICATION_ID, SCHEMA
from headwater.stores.sqlite.troubles import cannot_open

_MAGIC: Final = b"SQLite format 3\0"
#: Where a header has the application's id (https://sqlite.org/fileformat2.html#the_database_header).
_APPLICATION: Final = slice(68, 72)
_HEADER_BYTES: Final = 100
#: Tables, by the version of the schema that brought them.
_TABLES: Final = {
    **dict.fromkeys(("store", "streams", "records", "producers", "purges"), 1),
    "journal": entries.SINCE,
    "large": LARGE_SINCE,
}
_INDEXES: Final = ("streams_expires", "streams_look_at")
#: Messages of SQLite's own check.
_MESSAGES: Final = 100
_TRIES: Final = 3


def check_file(path: str, options: SqliteOptions | None = None, progress: Progress | None = None) -> Report:
    """Check a file, also while a server has it open. Nothing of it is changed.

    What is damaged inside the bytes of records that are no JSON is not found: they have no checksum.

    Args:
        path: the file.
        options: `driver` and `busy_timeout` count.
        progress: told how far it is.

    Raises:
        NotAStore: the file is none of Headwater's, or a newer release's.
        StoreUnavailable: it cannot be opened, or is used in a way that lets nobody read.
    """
    options, progress = options or SqliteOptions(), progress or Progress()
    header = _header(path)
    if not header:
        raise NotAStore("the file is empty")
    if not header.startswith(_MAGIC) and header[_APPLICATION] != APPLICATION_ID.to_bytes(4, "big"):
        raise NotAStore("the file is no SQLite database")
    for attempt in range(_TRIES):
        with Snapshot(path, options, still=not attempt) as snapshot:
            report = Report(notes=list(snapshot.notes))
            if snapshot.fault is None:
                _check(snapshot, header, report, progress)
            else:
                report.add(Finding(f"nothing of the file can be read: {snapshot.fault}"))
            if not snapshot.was_changed:
                return report
    raise StoreUnavailable(f"{path} is opened and closed by others all the time")  # pragma: no cover


def _header(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_HEADER_BYTES)
    except OSError as error:
        raise cannot_open(path, error) from None


def _check(snapshot: Snapshot, header: bytes, report: Report, progress: Progress) -> None:
    database = snapshot.database
    report.version = _version(database, report)
    _check_size(snapshot, header, report)
    progress.begin("SQLite's own check")
    _check_pages(database, report)
    if not _check_schema(database, report):
        return
    version = max(1, report.version)
    journal = entries.load(database, version, report)
    progress.begin("streams and their records", os.path.getsize(snapshot.path))
    contents = Contents(database, version, journal, report, progress)
    contents.check()
    progress.begin("what streams have of each other")
    _check_numbers(database, contents.highest, report)
    check_counts(database, report)
    check_orphans(database, contents.lost, report)


def _version(database: Database, report: Report) -> int:
    """The version of the schema.

    Raises:
        NotAStore: it is another program's, or a newer one.
    """
    version: int = _number(database, "PRAGMA user_version") or 0
    application = _number(database, "PRAGMA application_id")
    if application != APPLICATION_ID:
        if not {name for name, since in _TABLES.items() if since == 1} <= _names(database):
            raise NotAStore("the file is another program's database")
        report.add(Finding(f"the header says that it is another program's database (application_id {application})"))
    elif version > SCHEMA.version:
        raise NotAStore(f"the file has schema version {version}, this release knows {SCHEMA.version}: use a newer one")
    if not 0 < version <= SCHEMA.version:
        report.add(Finding(f"the header has schema version {version}"))
        return SCHEMA.version
    return version


def _number(database: Database, sql: str) -> Any:
    try:
        return database.run(sql)[0][0]
    except READ_ERRORS:
        return None


def _names(database: Database) -> set[str]:
    try:
        return {name for (name,) in database.run("SELECT name FROM sqlite_schema")}
    except READ_ERRORS:
        return set()


def _check_size(snapshot: Snapshot, header: bytes, report: Report) -> None:
    """Whether the file is as long as its header says, if the header says it (in fields 28 and 92)."""
    page = int.from_bytes(header[16:18], "big")
    said = int.from_bytes(header[28:32], "big") * (65536 if page == 1 else page)
    size = snapshot.whole_size
    if size is not None and header[24:28] == header[92:96] and size != said:
        what = "cut off: no server opens it" if size < said else "longer than its pages"
        report.add(Finding(f"the file has {size} bytes, and its header says {said}: it is {what}"))


def _check_pages(database: Database, report: Report) -> None:
    try:
        found = [str(text) for (text,) in database.run(f"PRAGMA integrity_check({_MESSAGES})")]
    except READ_ERRORS as error:
        found = [str(error)]
    for text in found:
        if text != "ok":
            for line in text.splitlines():
                report.add(Finding(f"SQLite's own check: {line}"))


def _check_schema(database: Database, report: Report) -> bool:
    names = _names(database)
    missing = [name for name, since in _TABLES.items() if name not in names and since <= max(1, report.version)]
    for name in missing:
        report.add(Finding(f"the table {name} is missing"))
    for name in _INDEXES:
        if name not in names:
            report.add(Finding(f"the index {name} is missing"))
    return not missing


def _check_numbers(database: Database, highest: int, report: Report) -> None:
    try:
        rows = database.run("SELECT last_incarnation FROM store")
    except READ_ERRORS as error:
        report.add(Finding(f"the last number given to a stream cannot be read: {error}"))
        return
    if len(rows) != 1 or type(rows[0][0]) is not int:
        report.add(Finding(f"the table store has {len(rows)} rows, and should have the last number given to a stream"))
    elif rows[0][0] < highest:
        text = f"the last number given to a stream is {rows[0][0]}, and there is number {highest}"
        report.add(Finding(f"{text}: offsets would be given twice"))
