"""JSON Schemas from files: which stream holds what, as the settings say.

A file is one JSON Schema. `x-streams` in it is a list of paths and patterns whose records it is of, `x-signals` the
same for signals. A file without either is there for others, which refer to it by its name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from headwater.protocol.schemas.base import InvalidSchema
from headwater.protocol.schemas.jsons import Folder, JsonSchema
from headwater.protocol.schemas.registry import Schemas, StreamSchema
from headwater.server.settings import InvalidSettings

#: Whose records it is of.
STREAMS: Final = "x-streams"
#: Whose signals it is of.
SIGNALS: Final = "x-signals"
_SUFFIX: Final = ".json"


def load_schemas(place: str | None) -> dict[str, StreamSchema]:
    """The schemas of a file, or of all `.json` files in a folder and below it, by pattern.

    Args:
        place: the file or the folder; None: there are none.

    Raises:
        InvalidSettings: a file cannot be read or is no JSON Schema, with its name and the place in it; or no file names
            a stream.
        MissingExtra: what checks JSON Schema is not installed.
    """
    if place is None:
        return {}
    files = _read_all(Path(place))
    try:
        beside = Folder(files)
    except InvalidSchema as error:
        raise InvalidSettings(f"schemas={place}: {error}") from None
    records: dict[str, JsonSchema] = {}
    signals: dict[str, JsonSchema] = {}
    for name, document in files.items():
        where = f"schemas={place}: {name}"
        try:
            schema = JsonSchema(document, name, beside)
        except InvalidSchema as error:
            raise InvalidSettings(f"{where} {error}") from None
        for found, keyword in ((records, STREAMS), (signals, SIGNALS)):
            for pattern in _patterns(where, document, keyword):
                if pattern in found:
                    raise InvalidSettings(f"{where}: {pattern!r} has a schema already, in {found[pattern].name}")
                found[pattern] = schema
    if not records and not signals:
        raise InvalidSettings(f"schemas={place}: no file says in {STREAMS} or {SIGNALS} which streams it is of")
    both = {pattern: StreamSchema(records.get(pattern), signals.get(pattern)) for pattern in {**records, **signals}}
    try:
        Schemas(both)
    except InvalidSchema as error:
        raise InvalidSettings(f"schemas={place}: {error}") from None
    return both


def _read_all(place: Path) -> dict[str, Any]:
    """Each file's document, by its name below the folder."""
    try:
        if place.is_dir():
            paths = sorted(path for path in place.rglob(f"*{_SUFFIX}") if path.is_file())
            return {path.relative_to(place).as_posix(): _read(path) for path in paths}
        return {place.name: _read(place)}
    except OSError as error:
        raise InvalidSettings(f"schemas={place} cannot be read: {error}") from None


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes(), object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InvalidSettings(f"the schema {path} is no JSON: {error.msg} at {place}") from None
    except (ValueError, RecursionError) as error:
        raise InvalidSettings(f"the schema {path} is no JSON: {error}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a key that comes twice would hide what the first one says."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} comes twice")
    return found


def _patterns(where: str, document: Any, keyword: str) -> Iterator[str]:
    found = document.get(keyword, []) if isinstance(document, Mapping) else []
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise InvalidSettings(f"{where}: {keyword} must be a list of paths and patterns")
    yield from found
