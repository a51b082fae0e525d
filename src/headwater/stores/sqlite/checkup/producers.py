"""The producers of one stream."""

from __future__ import annotations

from typing import Any, Final

from headwater.protocol.producers import MAX_INTEGER
from headwater.stores.sqlite.checkup.entries import Journaled
from headwater.stores.sqlite.checkup.records import RecordCheck
from headwater.stores.sqlite.checkup.walk import READ_ERRORS, ROWS
from headwater.stores.sqlite.database import Database

_FIRST: Final = "SELECT CAST(producer_id AS BLOB), epoch, seq FROM producers WHERE incarnation = ?"
_PAGE: Final = f"{_FIRST} AND producer_id > CAST(? AS TEXT) ORDER BY producer_id LIMIT {ROWS}"
_START: Final = f"{_FIRST} ORDER BY producer_id LIMIT {ROWS}"


def check_producers(database: Database, incarnation: int, journaled: Journaled | None, stream: RecordCheck) -> None:
    """Look at each, those of the tables and those of the journal."""
    last: Any = None
    while True:
        try:
            values = (incarnation,) if last is None else (incarnation, last)
            rows = database.run(_START if last is None else _PAGE, values)
        except READ_ERRORS as error:
            stream.problem(f"its producers cannot be read, so that retries may be written twice: {error}")
            return
        for name, epoch, seq in rows:
            _check(name, epoch, seq, stream)
        if len(rows) < ROWS or rows[-1][0] == last:
            break
        last = rows[-1][0]
    for name, epoch, seq in journaled.producers if journaled else ():
        _check(name.encode("utf-8", "replace"), epoch, seq, stream)


def _check(name: Any, epoch: Any, seq: Any, stream: RecordCheck) -> None:
    if type(name) is not bytes or not name:
        stream.problem(f"a producer's name is {name!r}")
        return
    text = name.decode("utf-8", "replace")
    if any(type(number) is not int or not 0 <= number <= MAX_INTEGER for number in (epoch, seq)):
        stream.problem(f"producer {text!r} has epoch {epoch} and sequence {seq}")
    elif "\N{REPLACEMENT CHARACTER}" in text:
        stream.problem(f"a producer's name is no text: {name!r}")
