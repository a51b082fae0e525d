"""What can be set on the SQLite store, with its limits; in a store URL as a query: `sqlite:app.db?driver=apsw`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

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
        ValueError: an unknown name, or a value that is not allowed; the message names it, and what is.
    """
    fields = {field.name: field for field in msgspec.structs.fields(SqliteOptions)}
    unknown = [name for name in values if name not in fields]
    if unknown:
        raise ValueError(f"there is no option {unknown[0]!r}; there are {', '.join(sorted(fields))}")
    found = {name: _convert(name, text, fields[name].type) for name, text in values.items()}
    return SqliteOptions(**found)


def _convert(name: str, text: str, kind: Any) -> Any:
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError:
        raise ValueError(f"{name} must be {_allowed(msgspec.inspect.type_info(kind))}, not {text!r}") from None


def _allowed(kind: msgspec.inspect.Type) -> str:
    match kind:
        case msgspec.inspect.LiteralType(values):
            return " or ".join(map(str, values))
        case msgspec.inspect.UnionType(types):
            return " or ".join(_allowed(part) for part in types if not isinstance(part, msgspec.inspect.NoneType))
        case msgspec.inspect.IntType(ge=least, le=most) | msgspec.inspect.FloatType(ge=least, le=most):
            number = "a whole number" if isinstance(kind, msgspec.inspect.IntType) else "a number"
            return number + ("" if least is None else f" from {least}") + ("" if most is None else f" to {most}")
    raise TypeError(kind)
