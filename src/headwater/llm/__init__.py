"""Model answers as runs: what they are stored as, how sources become it, and how readers are told.

runs        start, stop, find                    producing, sources   from a source to a log that always ends
catalogue   whose a run is, keys, conversations  leases               what becomes of runs whose process is gone
parts       the vocabulary of the logs           recognise            items of any source as parts
answer      the fold of parts                    dialects, encoding   parts as clients expect them
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from headwater.llm.chat import Chat, ChatRequest
    from headwater.llm.producing import SourceLimits
    from headwater.llm.records import RunInfo, RunState
    from headwater.llm.runs import Run, Runs
    from headwater.llm.watching import Watch

__all__ = ["Chat", "ChatRequest", "Run", "RunInfo", "RunState", "Runs", "SourceLimits", "Watch"]

# Loaded when first used (PEP 562): the dialects alone need nothing of the runs.
_HOMES: Final = {
    "Chat": "headwater.llm.chat",
    "ChatRequest": "headwater.llm.chat",
    "Run": "headwater.llm.runs",
    "RunInfo": "headwater.llm.records",
    "RunState": "headwater.llm.records",
    "Runs": "headwater.llm.runs",
    "SourceLimits": "headwater.llm.producing",
    "Watch": "headwater.llm.watching",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found
