"""Where two answers differ, as kinds of parts: the names that the table of known failures has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

import msgspec
from tests.llm.judge.reading import Reading

#: A run has an id and a time of its own; they are the same for each of its readers.
_OF_THE_RUN = {"id", "created", "created_at"}
#: Always told, also where a provider leaves it out.
_ALWAYS = re.compile(r"choices\.(delta|message)\.(role$|tool_calls(\.function)?\.index)")
_MISSING = object()

#: Kinds by the place in an answer's object, without indices; items of lists are named after their type. The first that
#: fits.
_KINDS = [
    (kind, re.compile(pattern))
    for kind, pattern in {
        "errors": r"error",
        "tokens": r"usage",
        "audio": r"choices\.(delta|message)\.audio",
        "images": r"choices\.(delta|message)\.images|output\.image_generation_call",
        "citations": r".*(citations|annotations|search_results)",
        "thinking": r"choices\.(delta|message)\.reasoning|.*\bthinking|content\.redacted_thinking|output\.reasoning",
        "refusals": r".*\brefusal",
        "searches": r"(content|output)\.(server_tool_use|web_search)",
        "calls of MCP": r"(content|output)\.mcp_(tool|call|list)",
        "approvals": r"output\.mcp_approval",
        "code": r"output\.code_interpreter_call",
        "calls": r".*(tool_calls|tool_use|function_call)",
        "uploads": r"content\.container_upload|container",
        "end": r"choices\.finish_reason|stop_reason|stop_sequence|status|incomplete_details",
        "text": r"choices\.(delta|message)\.content|content|output",
        "several choices": r"choices$",
    }.items()
]


def kinds(before: Any, after: Any) -> set[str]:
    """The kinds in which two objects of an API differ."""
    found = set(places(without_nothing(before), without_nothing(after)))
    return {kind_of(place) for place in found if not _ALWAYS.match(place)}


def kind_of(place: str) -> str:
    """The kind of a place; one that nobody named is of what stands beside the answer."""
    return next((kind for kind, pattern in _KINDS if pattern.match(place)), f"about the answer: {place}")


def reading_kinds(before: Reading, after: Reading) -> set[str]:
    """The kinds in which two readings differ."""
    pairs = zip(msgspec.structs.asdict(before).items(), msgspec.structs.asdict(after).values(), strict=True)
    return {name for (name, value), other in pairs if value != other}


#: The kinds of what a dialect leaves out (`providers.left_out`), by what a reading misses then.
_MISSED = {
    "thinking": {"thinking", "sealed thinking"},
    "calls": {"calls", "hosted calls"},
    "results": {"results"},
    "approvals": {"approvals"},
    "citations": {"pages", "documents"},
    "files": {"images", "files", "documents", "foreign"},
}


def left_out_of(seen: Any) -> dict[str, int]:
    """What an answer says that it has left out, wherever it stands."""
    inner: Iterable[Any] = seen.values() if isinstance(seen, dict) else seen if isinstance(seen, list) else ()
    here = seen.get("left_out") if isinstance(seen, dict) else None
    found: dict[str, int] = here if isinstance(here, dict) else {}
    for value in inner:
        found = left_out_of(value) or found
    return found


def without_told(found: set[str], wanted: Reading, seen: Reading, left_out: dict[str, int]) -> set[str]:
    """The kinds that differ by more than what the answer says that it has left out."""
    if seen.text == wanted.text + wanted.refusals and not seen.refusals:
        found = found - {"text"}  # the text of a refusal is told as text
    return {kind for kind in found if not _is_told(kind, wanted, seen, left_out)}


def _is_told(kind: str, wanted: Reading, seen: Reading, left_out: dict[str, int]) -> bool:
    count = sum(left_out.get(name, 0) for name in _MISSED.get(kind, ()))
    if kind == "thinking":
        return count > 0 and not seen.thinking
    before, after = getattr(wanted, kind), getattr(seen, kind)
    if not isinstance(before, list) or len(before) - len(after) > count:
        return False
    rest = iter(before)
    return all(item in rest for item in after)


def without_nothing(value: Any, depth: int = 0) -> Any:
    """An object without its fields that are null, and without what is a run's own."""
    if isinstance(value, dict):
        kept = {key: field for key, field in value.items() if field is not None and (depth or key not in _OF_THE_RUN)}
        if isinstance(kept.get("arguments"), dict):  # an object of a provider is told as the text that it should be
            kept["arguments"] = json.dumps(kept["arguments"], separators=(",", ":"))
        return {key: without_nothing(field, depth + 1) for key, field in kept.items()}
    return [without_nothing(item, depth + 1) for item in value] if isinstance(value, list) else value


def places(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Where two values differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() | after.keys():
            yield from places(before.get(key, _MISSING), after.get(key, _MISSING), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list):
        for item, other in zip_longest(before, after, fillvalue=_MISSING):
            yield from places(item, other, path + _type_of(item, other))
    elif before != after:
        yield path


def _type_of(*items: Any) -> str:
    kinds: Iterable[Any] = (item["type"] for item in items if isinstance(item, dict) and "type" in item)
    return next((f".{kind}" for kind in kinds), "")
