"""Model answers as runs: what they are stored as, how sources become it, and how readers are told.

parts      the vocabulary of the logs
providers  how each provider is read, how it is told, how it refuses; a folder each
answer     the fold of parts
encoder    a run's log in the words of its reader
runs       start, produce, find, stop
http       the routes of chats and runs
proxy      a proxy before a model's provider
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from headwater.llm.http.access import owner_of
    from headwater.llm.http.chat import Chat, ChatRequest
    from headwater.llm.http.runs import Watch
    from headwater.llm.runs.layout import RunInfo, RunState
    from headwater.llm.runs.production import SourceLimits
    from headwater.llm.runs.runs import Run, Runs

__all__ = ["Chat", "ChatRequest", "Run", "RunInfo", "RunState", "Runs", "SourceLimits", "Watch", "owner_of"]

# Loaded when first used (PEP 562): the dialects alone need nothing of the runs.
_HOMES: Final = {
    "Chat": "headwater.llm.http.chat",
    "ChatRequest": "headwater.llm.http.chat",
    "Run": "headwater.llm.runs.runs",
    "RunInfo": "headwater.llm.runs.layout",
    "RunState": "headwater.llm.runs.layout",
    "Runs": "headwater.llm.runs.runs",
    "SourceLimits": "headwater.llm.runs.production",
    "Watch": "headwater.llm.http.runs",
    "owner_of": "headwater.llm.http.access",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_HOMES[name]), name)
    globals()[name] = found
    return found
