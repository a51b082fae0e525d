"""What of a run a dialect has no place for: noted as it goes by, told with the answer's last event, and counted.

Rule: it depends on the log alone, not on how its parts are grouped; so what grows is one, and values that replace each
      other are.
"""

from __future__ import annotations

from typing import Final

from headwater.llm.parts import (
    OURS,
    Data,
    File,
    Foreign,
    Json,
    Part,
    Reasoning,
    ReasoningEnd,
    ReasoningStart,
    Source,
    ToolApproval,
    ToolError,
    ToolOutput,
    ToolReady,
)

#: The kinds there are, and what each is.
KINDS: Final = {
    "thinking": "what the model thought, if it said it",
    "sealed thinking": "thinking that only its provider can read",
    "calls": "calls of tools that the client is to run",
    "hosted calls": "calls of tools that the provider runs",
    "results": "what came of a call, or why nothing did",
    "approvals": "calls that wait for somebody to allow them",
    "pages": "pages that are cited",
    "documents": "documents that are cited",
    "images": "images that the model made",
    "files": "other files",
    "data": "data of the application",
    "foreign": "pieces of an answer that only their own provider's dialect has",
}
#: What a dialect lacks that tells the text alone.
ALL: Final = frozenset(KINDS)


def kind_of(part: Part) -> str:
    """The kind of a part that not every dialect has a place for; empty: each has, or it is nothing of the answer."""
    match part:
        case Reasoning() | ReasoningEnd():
            return "thinking"
        case ReasoningStart() if part.redacted is not None:
            return "sealed thinking"
        case File(_, media_type):
            return "images" if media_type.startswith("image/") else "files"
        case Source(_, url):
            hints = (part.metadata or {}).get(OURS)
            is_file = isinstance(hints, dict) and hints.get("is_file")  # that the provider keeps
            return "files" if is_file else "pages" if url else "documents"
        case ToolReady():
            return "hosted calls" if part.provider_executed else "calls"
        case ToolError():  # of a call, or of an input that never became one
            return "results" if part.input is None else "calls"
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
        self._values: set[tuple[str, str]] = set()  # data, by name and id
        self._thoughts: set[str] = set()  # thinking that is open

    def note(self, part: Part, kind: str) -> None:
        """A part has no place."""
        match part:
            case ReasoningEnd(id):
                self._thoughts.discard(id)
                return
            case Reasoning(id):
                if id in self._thoughts:
                    return
                self._thoughts.add(id)
            case Data(name, _, id):
                if (name, id) in self._values:
                    return
                self._values.add((name, id))
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
        return tuple(sorted(self._counts.items())), frozenset(self._values), frozenset(self._thoughts)
