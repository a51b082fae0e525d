"""A scenario as data, and the runs that it is.

Rule: a field that nobody knows is a mistake in the file, and is refused with its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

#: Where the scenarios are.
SCENARIOS: Final = Path(__file__).parent / "scenarios"
#: How streams are read, by the names that adapters have for it.
READS: Final = ("sse", "ndjson", "long-poll", "live-sse", "websocket")
#: How records are written.
WRITES: Final = ("http", "websocket")
#: Of these a foreign server of the protocol knows nothing.
OURS: Final = ("sse", "ndjson", "websocket")


class Struct(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """What a file holds."""


class StreamSetup(Struct):
    """A stream as it is when the client comes."""

    type: str = "application/json"
    records: list[Any] = []
    closed: bool = False
    failed: dict[str, str] | None = None
    headers: dict[str, str] = {}


class Operation(Struct):
    """What happens to the stream; one field of these."""

    append: list[Any] | None = None
    create: StreamSetup | None = None
    close: bool = False
    fail: dict[str, str] | None = None
    delete: bool = False
    kept_from: str | None = None
    request: dict[str, Any] | None = None


class Behind(Struct):
    """A place in a body: so many bytes behind a text."""

    behind: str
    plus: int = 0


class Fault(Struct, rename=None):
    """What happens to one request; see README.md."""

    status: int | None = None
    headers: dict[str, str | None] = {}
    body: str = ""
    media_type: str | None = None
    problem: str | None = None
    tell: list[Any] | None = None
    refuse: bool = False
    lose: bool = False
    delay: float = 0
    cut: int | Behind | None = None
    how: str = "fin"
    code: int = 1011
    silent: int | Behind | None = None
    pieces: int = 0
    pause: float = 0
    gzip: bool = False
    corrupt: bool = False
    rewind: bool = False
    insert: dict[str, str] = {}
    before: list[Operation] = []
    then: list[Operation] = []
    after: list[Operation] = []


class Sent(Struct):
    """What a request must have; null: anything, and the empty string: it must not be there."""

    headers: dict[str, str | None] = {}
    query: dict[str, str | None] = {}


class Expect(Struct, rename=None):
    """What a client must do; see README.md."""

    records: list[Any] | None = None
    end: dict[str, Any] | None = None
    requests: tuple[int, int] | None = None
    all: tuple[int, int] | None = None
    posts: tuple[int, int] | None = None
    pauses: list[tuple[float, float] | None] | None = None
    pauses_sum: tuple[float, float] | None = None
    pace: int | None = None
    gaps: int | None = None
    outcomes: list[str | list[str] | None] | None = None
    stored: list[Any] | None = None
    joined: Any = None
    pauses_most: float | None = None
    closed: str | None = None
    sent: list[Sent | None] | None = None
    dated: bool = False


class Scenario(Struct):
    """One rule that clients keep."""

    name: str
    why: str
    expect: Expect
    stream: StreamSetup | None = msgspec.field(default_factory=StreamSetup)
    transports: list[str] | None = None
    needs: list[str] = []
    setup: list[Operation] = []
    command: dict[str, Any] = {}
    faults: list[Fault] = []
    rest: Fault | None = None
    writes: list[Fault] = []
    each: dict[str, Any] = {}

    @property
    def kind(self) -> str:
        """The command's type."""
        kind: str = self.command.get("type", "follow")
        return kind

    @property
    def tells_offsets(self) -> bool:
        """Whether a fault tells records or a gap in place of the server, which takes the offset of each record."""
        told = [event for fault in (*self.faults, self.rest) if fault is not None for event in fault.tell or ()]
        return any(isinstance(event, dict) and {"records", "gap"} & event.keys() for event in told)

    def ways(self) -> tuple[str, ...]:
        """The transports for which it is."""
        known = READS if self.kind == "follow" else WRITES
        return known if self.transports is None else tuple(way for way in known if way in self.transports)

    def statuses(self, step: int) -> Iterator[Scenario]:
        """One scenario for each status of `each`."""
        first, last = self.each["status"]
        for status in range(first, last + 1, step):
            yield self.with_fault(f"{self.name} {status}", status=status)

    def with_fault(self, name: str, **fields: Any) -> Scenario:
        """The same with these fields in the first fault and in `rest`."""
        first = msgspec.structs.replace(self.faults[0] if self.faults else Fault(), **fields)
        rest = None if self.rest is None else msgspec.structs.replace(self.rest, **fields)
        return msgspec.structs.replace(self, name=name, faults=[first, *self.faults[1:]], rest=rest, each={})


def load(pattern: str = "*.json", folder: Path = SCENARIOS) -> list[Scenario]:
    """The scenarios of a folder, by their files' names and their order in these."""
    found: list[Scenario] = []
    for file in sorted(folder.glob(pattern)):
        try:
            found += msgspec.convert(expanded(msgspec.json.decode(file.read_bytes())), list[Scenario])
        except msgspec.ValidationError as error:
            raise ValueError(f"{file.name}: {error}") from None
    return found


def expanded(value: Any) -> Any:
    """A value of a file, with what is written short: `{"$text": ["x", 9]}`, and `{"$numbers": 9}` in a list."""
    match value:
        case {"$text": [text, count]}:
            return text * count
        case dict():
            return {name: expanded(part) for name, part in value.items()}
        case list():
            found: list[Any] = []
            for part in value:
                if isinstance(part, dict) and set(part) == {"$numbers"}:
                    found.extend(range(part["$numbers"]))
                else:
                    found.append(expanded(part))
            return found
        case _:
            return value
