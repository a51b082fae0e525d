"""The table of known failures: known.toml, a row for each kind of part that a way or a dialect does not carry."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec
from tests.llm.judge.judge import Verdict

from headwater.llm.providers.registry import DIALECTS

TABLE = Path(__file__).parent / "known.toml"

Key = tuple[str, str, str]


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row.

    Attributes:
        way: see `judge`.
        dialect: what clients read.
        kind: of the part.
        why: what is lost, or told otherwise, and where it can be had.
        permanent: the dialect has no place for it; else it is to be mended.
    """

    way: str
    dialect: str
    kind: str
    why: str
    permanent: bool = False

    @property
    def key(self) -> Key:
        """What is unique."""
        return self.way, self.dialect, self.kind


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    known: list[Known] = []


def known() -> list[Known]:
    """The rows: those of the file, and those that dialects declare."""
    declared = [
        Known("across", name, kind, why, permanent=True)
        for name, made in DIALECTS.items()
        for kind, why in made.differs.items()
    ]
    return [*msgspec.toml.decode(TABLE.read_bytes(), type=_Table).known, *declared]


def found(verdicts: Iterable[Verdict]) -> dict[Key, list[str]]:
    """The rows that verdicts ask for, each with the cases and clients that show it."""
    rows: dict[Key, list[str]] = {}
    for verdict in verdicts:
        for kind in sorted(verdict.kinds):
            rows.setdefault((verdict.way, verdict.dialect, kind), []).append(f"{verdict.case} ({verdict.client})")
    return rows
