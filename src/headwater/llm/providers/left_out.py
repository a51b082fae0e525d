"""What of a run a dialect has no place for: noted as it goes by, told with the answer's last event, and counted.

Rule: it depends on the log alone, not on how its parts are grouped; so values that replace each other are one.
"""

from __future__ import annotations

from typing import Final

from headwater.llm.parts import OURS, Data, File, Foreign, Json, Part, Source, ToolApproval, ToolOutput, ToolReady

#: The kinds there are; `foreign` is what the vocabulary has no part for, of another dialect.
KINDS: Final = frozenset(
    {"images", "files", "pages", "documents", "hosted calls", "results", "approvals", "data", "foreign"}
)


def kind_of(part: Part) -> str:
    """The kind of a part that not every dialect has a place for; empty: each has, or it is nothing of the answer."""
    match part:
        case File(_, media_type):
            return "images" if media_type.startswith("image/") else "files"
        case Source(_, url):
            return "pages" if url else "documents"
        case ToolReady() if part.provider_executed:
            return "hosted calls"
        case ToolOutput() if not part.preliminary:
            return "results"
        case ToolApproval():
            return "approvals"
        case Data() if not part.transient:
            return "data"
        case Foreign() if part.content:
            return "foreign"
    return ""


class LeftOut:
    """Of one answer to one reader."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._values: set[tuple[str, str]] = set()

    def note(self, part: Part, kind: str) -> None:
        """A part has no place."""
        if isinstance(part, Data):
            key = part.name, part.id
            if key in self._values:
                return
            self._values.add(key)
        self._counts[kind] = self._counts.get(kind, 0) + 1

    @property
    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        return self._counts

    def fields(self) -> Json:
        """What stands in the last event of a dialect that has no word for it; nothing, if nothing was left out."""
        return {OURS: {"left_out": dict(self._counts)}} if self._counts else {}

    def state(self) -> object:
        """See `Dialect.state`."""
        return tuple(sorted(self._counts.items())), frozenset(self._values)
