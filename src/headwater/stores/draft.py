"""Several steps that are kept together or not at all: a unit of work over another one.

Rule 1: the steps change copies. The other unit is touched when all of them have succeeded, and then nothing is refused
        any more.
Rule 2: what is told of a stream's growth is told as one change, behind all that came before it.
Rule 3: a unit that has nothing yet and can forget what it gets needs no other one over it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from copy import copy
from typing import Protocol

from headwater.errors import HeadwaterError, TooManyRecords
from headwater.model import Appended, Change, Record
from headwater.protocol.ledger import Append, StreamState
from headwater.protocol.producers import ProducerState
from headwater.stores.unit import Unit, append


class Forgetful(Unit, Protocol):
    """A unit that can begin again.

    Attributes:
        is_empty: nothing is changed in it.
        record_count: new records so far.
    """

    @property
    def is_empty(self) -> bool:
        """See the class."""
        ...

    @property
    def record_count(self) -> int:
        """See the class."""
        ...

    def forget(self) -> None:
        """Be empty again."""
        ...


def append_all(unit: Unit, appends: Iterable[tuple[str, Append]], max_records: int | None) -> list[Appended]:
    """The steps of `Atomic.append_all`.

    Raises:
        What `Store.append` raises, with `line` and `stream` in its details.
    """
    draft = Draft(unit)
    answers = _append_each(draft, appends, max_records)
    draft.keep()
    return answers


def append_all_or_forget(
    unit: Forgetful, appends: Iterable[tuple[str, Append]], max_records: int | None
) -> list[Appended]:
    """The same, without a draft where the unit is empty."""
    if not unit.is_empty:
        return append_all(unit, appends, max_records)
    try:
        return _append_each(unit, appends, max_records)
    except HeadwaterError:
        unit.forget()
        raise


def _append_each(
    unit: Forgetful | Draft, appends: Iterable[tuple[str, Append]], max_records: int | None
) -> list[Appended]:
    answers = []
    for number, (path, request) in enumerate(appends, 1):
        try:
            # Each record takes a byte at least: most have no need of a bound.
            if max_records is not None and len(request.body) > max_records - unit.record_count:
                request = request.bounded(max_records - unit.record_count)
            answers.append(append(unit, path, request))
            if max_records is not None and unit.record_count > max_records:
                raise TooManyRecords(f"the appends have more than max_append_records={max_records} records together")
        except HeadwaterError as error:
            error.details.update(line=number, stream=path)
            raise
    return answers


class Draft:
    """See `unit.Unit` for the methods.

    Forks are not made in it: they look into records, and those of the draft are not there yet.

    Args:
        unit: gets what is kept.

    Attributes:
        record_count: new records so far.
    """

    def __init__(self, unit: Unit) -> None:
        self.now = unit.now
        self.steady = unit.steady
        self.full_until: MutableMapping[int, float] = unit.full_until
        self.record_count = 0
        self._unit = unit
        self._states: dict[str, StreamState | None] = {}
        self._copies: dict[int, StreamState] = {}
        #: In the order of the first change. True: more has changed than an append changes.
        self._saved: dict[int, bool] = {}
        self._added: list[StreamState] = []
        self._new: set[int] = set()
        self._dropped: list[StreamState] = []
        self._producers: dict[tuple[int, str], ProducerState | None] = {}
        self._records: list[tuple[int, int, Sequence[Record]]] = []
        self._told: list[Change | int] = []
        self._growths: dict[int, tuple[int, list[Record]]] = {}

    def watched(self, path: str) -> bool:
        """See `Unit.watched`."""
        return self._unit.watched(path)

    def find(self, path: str) -> StreamState | None:
        """See `Unit.find`."""
        if path not in self._states:
            found = copy(self._unit.find(path))
            self._states[path] = found
            if found is not None:
                self._copies[found.incarnation] = found
        return self._states[path]

    def find_incarnation(self, incarnation: int) -> StreamState | None:
        """See `Unit.find_incarnation`."""
        if incarnation in self._copies:
            return self._copies[incarnation]
        if any(state.incarnation == incarnation for state in self._dropped):
            return None
        found = self._unit.find_incarnation(incarnation)
        return None if found is None else self.find(found.path)

    def next_incarnation(self) -> int:
        """See `Unit.next_incarnation`; one that is not kept is never given again."""
        return self._unit.next_incarnation()

    def add(self, state: StreamState) -> None:
        """See `Unit.add`."""
        self._states[state.path] = self._copies[state.incarnation] = state
        self._added.append(state)
        self._new.add(state.incarnation)

    def save(self, state: StreamState) -> None:
        """See `Unit.save`."""
        self._saved[state.incarnation] = True

    def save_append(self, state: StreamState) -> None:
        """See `Unit.save_append`."""
        self._saved.setdefault(state.incarnation, False)

    def drop(self, state: StreamState) -> None:
        """See `Unit.drop`."""
        self._states[state.path] = None
        self._copies.pop(state.incarnation, None)
        self._saved.pop(state.incarnation, None)
        self._dropped.append(state)

    def producer(self, incarnation: int, producer_id: str) -> ProducerState | None:
        """See `Unit.producer`."""
        key = (incarnation, producer_id)
        if key in self._producers:
            return self._producers[key]
        return None if incarnation in self._new else self._unit.producer(incarnation, producer_id)

    def save_producer(self, incarnation: int, producer_id: str, state: ProducerState) -> None:
        """See `Unit.save_producer`."""
        self._producers[incarnation, producer_id] = state

    def producer_bound(self, incarnation: int) -> int:
        """See `Unit.producer_bound`; each producer of the draft is taken for a new one."""
        new = sum(number == incarnation and known is not None for (number, _), known in self._producers.items())
        return new + (0 if incarnation in self._new else self._unit.producer_bound(incarnation))

    def producers(self, incarnation: int) -> Mapping[str, ProducerState]:
        """See `Unit.producers`."""
        found = {} if incarnation in self._new else dict(self._unit.producers(incarnation))
        for (number, name), known in self._producers.items():
            if number == incarnation:
                found.pop(name, None)
                if known is not None:
                    found[name] = known
        return found

    def drop_producer(self, incarnation: int, producer_id: str) -> None:
        """See `Unit.drop_producer`."""
        self._producers[incarnation, producer_id] = None

    def insert(self, incarnation: int, start: int, records: Sequence[Record]) -> None:
        """See `Unit.insert`."""
        self._records.append((incarnation, start, records))
        self.record_count += len(records)

    def following(self, state: StreamState, position: int, count: int) -> tuple[bytes, ...]:
        """See `Unit.following`; not of what the draft has."""
        return self._unit.following(state, position, count)

    def tell(self, change: Change) -> None:
        """See `Unit.tell`."""
        self._told.append(change)

    def tell_growth(self, state: StreamState, start: int, records: Sequence[Record]) -> None:
        """See `Unit.tell_growth`."""
        number = state.incarnation
        if number not in self._growths:
            self._growths[number] = (start, [])
            self._told.append(number)
        self._growths[number][1].extend(records)

    def keep(self) -> None:
        """Give all of it to the other unit."""
        unit = self._unit
        for state in self._dropped:
            # A stream of before: what is made in a draft has no time to be over.
            if (dropped := unit.find(state.path)) is not None:
                unit.drop(dropped)
        kept = {state.incarnation: state for state in self._added if state.incarnation in self._copies}
        for state in kept.values():
            unit.add(state)
        for number, remade in self._saved.items():
            if number not in kept:
                kept[number] = self._keep_state(self._copies[number], remade=remade)
        for (number, name), known in self._producers.items():
            if number in kept:
                if known is None:
                    unit.drop_producer(number, name)
                else:
                    unit.save_producer(number, name, known)
        for number, start, records in self._records:
            if number in kept:
                unit.insert(number, start, records)
        for told in self._told:
            if isinstance(told, Change):
                unit.tell(told)
            else:
                unit.tell_growth(kept[told], *self._growths[told])

    def _keep_state(self, state: StreamState, *, remade: bool) -> StreamState:
        mine = self._unit.find(state.path)
        assert mine is not None, "a stream of the draft is one of the unit"
        for name in state.__struct_fields__:
            setattr(mine, name, getattr(state, name))
        (self._unit.save if remade else self._unit.save_append)(mine)
        return mine
