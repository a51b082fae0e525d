"""What can be set on the SQLite store, with its limits; in a store URL as a query: `sqlite:app.db?driver=apsw`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class SqliteOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of `SqliteStore`.

    Attributes:
        synchronous: what a commit waits for. `full`: the disk, so that an acknowledged append survives a power cut.
            `normal`: the operating system, so that it survives a crash of this process, and a power cut may take
            the last ones. `off`: as `normal`, and a power cut may damage the file.
        driver: `apsw` (its own, newer SQLite), `sqlite3` (Python's), or `auto`: apsw if it is installed.
        busy_timeout: seconds to wait for another program's lock on the file, such as a backup's, before writes fail.
        max_bytes: largest size of the database file, not counting the log beside it (`-wal`); writes that do not
            fit fail with StoreUnavailable. None: as large as the disk allows. The file does not shrink by itself;
            the space of what was deleted is used again. With a limit there is no journal, and appends to many
            streams at once cost more.
        cached_streams: streams whose state is kept in memory, the most recently used ones; about 1 kB each.
        queue_bytes: data that may wait for the writer; more is refused with StoreUnavailable.
        readers: threads that read, each with its own connection.
        checkpoint_bytes: size of the log (`-wal`), estimated, at which it is moved into the database file. A larger
            one costs fewer but longer pauses of the writer, of some milliseconds each.
    """

    synchronous: Literal["full", "normal", "off"] = "full"
    driver: Literal["auto", "sqlite3", "apsw"] = "auto"
    busy_timeout: Annotated[float, Meta(ge=0, le=60)] = 5.0
    max_bytes: Annotated[int, Meta(ge=64 * 1024)] | None = None
    cached_streams: Annotated[int, Meta(ge=1)] = 10_000
    queue_bytes: Annotated[int, Meta(ge=1024 * 1024)] = 64 * 1024 * 1024
    readers: Annotated[int, Meta(ge=1, le=16)] = 2
    checkpoint_bytes: Annotated[int, Meta(ge=64 * 1024)] = 8 * 1024 * 1024


def parse_options(values: dict[str, str]) -> SqliteOptions:
    """Options from the query of a store URL.

    Raises:
        ValueError: an unknown name, or a value that is not allowed; the message names it.
    """
    return msgspec.convert(values, SqliteOptions, strict=False)
