"""Which stream has which schema, and how a record is held to it.

Rule 1: of several patterns that a path matches the narrowest counts: segment by segment from the left a name is
        narrower than `*`, and `*` than `**`.
Rule 2: what a schema says of records is told where the store takes them apart, behind all that is checked of an append
        before its body. So a producer's retry is answered as one, whatever the schema has become.
Rule 3: streams that are private have none: they are a program's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from headwater.errors import BadRequest, InvalidPath, PathTooLong, SchemaMismatch, SchemaNotFound
from headwater.model import JSON
from headwater.protocol.framing import Split
from headwater.protocol.paths import NOTHING_PRIVATE, PrivatePaths, check_path
from headwater.protocol.patterns import ONE, REST, PatternIndex, check_pattern
from headwater.protocol.schemas.base import InvalidSchema, Mismatch, Schema, first_mismatch
from headwater.protocol.schemas.jsons import JsonSchema
from headwater.protocol.schemas.types import schema_of

#: What a schema is for.
Kind = Literal["record", "signal"]
#: Paths of which is remembered which schema they have.
_REMEMBERED: Final = 4096


class StreamSchema(msgspec.Struct, frozen=True):
    """What the records and the signals of a stream must be; see `Hub`.

    Each is a type of msgspec or of pydantic, a class of Protobuf's messages, or a JSON Schema as a dict.

    Attributes:
        records: of its records; None: anything.
        signals: of its signals; None: anything.
    """

    records: Any = None
    signals: Any = None


class Applied(msgspec.Struct, frozen=True):
    """A schema where it holds.

    Attributes:
        pattern: of the paths.
        schema: as given.
        kind: for what.
    """

    pattern: str
    schema: Schema
    kind: Kind

    def check(self, content_type: str, records: Sequence[bytes]) -> None:
        """Refuse records of which one does not fit, or a signal.

        Args:
            content_type: how they are written.
            records: as they are kept.

        Raises:
            SchemaMismatch: one does not fit, or the schema is of another type than the stream.
        """
        try:
            found = first_mismatch(self.schema.reader(content_type), records)
        except Mismatch as error:
            raise SchemaMismatch(f"{self.pattern} holds {self.schema.name}: {error.reason}") from None
        if found is None:
            return
        number, mismatch = found
        which = f"the {self.kind}" if len(records) == 1 else f"{self.kind} {number}"
        place = "" if mismatch.pointer == "#" else f" at {mismatch.pointer}"
        details = {"record": number} if self.kind == "record" else {}
        raise SchemaMismatch(
            f"{which} does not fit {self.schema.name}, which {self.pattern} holds: {mismatch.reason}{place}",
            pointer=mismatch.pointer,
            **details,
        )


class Checked:
    """Takes a body apart and holds the records to a schema.

    Args:
        applied: the schema.
        split: takes it apart.
    """

    __slots__ = ("_applied", "_split")

    def __init__(self, applied: Applied, split: Split) -> None:
        self._applied = applied
        self._split = split

    def __call__(
        self, content_type: str, body: bytes, *, allow_empty_array: bool = False, max_records: int | None = None
    ) -> tuple[bytes, ...]:
        """See `framing.split_body`.

        Raises:
            SchemaMismatch: a record does not fit; also a new stream of a type that the schema does not describe.
        """
        records = self._split(content_type, body, allow_empty_array=allow_empty_array, max_records=max_records)
        if records or allow_empty_array:
            self._applied.check(content_type, records)
        return records


class SchemaIndex:
    """Schemas by pattern.

    Args:
        kind: for what they are.
        private: streams that have none.
    """

    def __init__(self, kind: Kind, private: PrivatePaths) -> None:
        self._kind: Final[Kind] = kind
        self._private: Final = private
        self._index: Final[PatternIndex[Applied]] = PatternIndex()
        self._known: dict[str, Applied | None] = {}

    def __len__(self) -> int:
        return len(self._index)

    def put(self, pattern: str, schema: Schema) -> None:
        """Add one, of a pattern that has none."""
        self._index.put(pattern, Applied(pattern, schema, self._kind))

    def of(self, path: str) -> Applied | None:
        """The one of a stream; None: it has none."""
        if path in self._private:
            return None
        if path in self._known:
            return self._known[path]
        found = min(self._index.matching(path), key=_breadth, default=None)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[path] = found
        return found


def _breadth(applied: Applied) -> list[int]:
    return [{ONE: 1, REST: 2}.get(segment, 0) for segment in applied.pattern.split("/")]


class Schemas:
    """All schemas of a hub.

    Args:
        given: by pattern, each a `Schema`, a `StreamSchema`, or what is one of its records.
        private: streams that have none.

    Attributes:
        records: of records.
        signals: of signals.

    Raises:
        InvalidSchema: one is none, or a pattern is none.
        MissingExtra: a JSON Schema is given, and what checks it is not installed.
    """

    def __init__(self, given: Mapping[str, Any] | None = None, private: PrivatePaths = NOTHING_PRIVATE) -> None:
        self.records: Final = SchemaIndex("record", private)
        self.signals: Final = SchemaIndex("signal", private)
        for pattern, what in (given or {}).items():
            _check_pattern(pattern)
            both = what if isinstance(what, StreamSchema) else StreamSchema(records=what)
            for index, one in ((self.records, both.records), (self.signals, both.signals)):
                if one is not None:
                    index.put(pattern, _schema(pattern, one))

    def check(self, path: str, data: bytes, kind: Kind, content_type: str = JSON) -> None:
        """Refuse a signal, or a record that nobody else takes apart.

        Args:
            path: the stream.
            data: of one.
            kind: what it is.
            content_type: how it is written.

        Raises:
            SchemaMismatch: it does not fit.
        """
        index = self.signals if kind == "signal" else self.records
        if index and (applied := index.of(path)) is not None:
            applied.check(content_type, (data,))

    def described(self, path: str, kind: Kind) -> Mapping[str, Any] | bool:
        """The schema of a stream as JSON Schema.

        Raises:
            SchemaNotFound: it has none, or one that has no such form.
        """
        applied = (self.signals if kind == "signal" else self.records).of(path)
        if applied is None:
            raise SchemaNotFound(f"{kind}s of {path!r} have no schema")
        try:
            return applied.schema.described()
        except InvalidSchema as error:
            raise SchemaNotFound(str(error)) from None


def _check_pattern(pattern: str) -> None:
    try:
        check_pattern(pattern)
        check_path(pattern)
    except (BadRequest, InvalidPath, PathTooLong) as error:
        raise InvalidSchema(f"schemas: {error.message}") from None


def _schema(pattern: str, what: Any) -> Schema:
    try:
        if isinstance(what, Schema):
            return what
        return JsonSchema(what) if isinstance(what, dict | bool) else schema_of(what)
    except InvalidSchema as error:
        raise InvalidSchema(f"schemas: {pattern}: {error}") from None
