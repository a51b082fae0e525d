"""How a source is read: the interface of a voice, and fields that may be missing, of any object.

Rule: whose an item is, is asked of the item's shape alone, without an import; and each voice answers for itself.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, ClassVar, Final

import msgspec

from headwater.llm.parts import Foreign, Json
from headwater.llm.providers.builder import Builder
from headwater.surrogates import json_value


class Voice(ABC):
    """One family of sources: its items become parts.

    Args:
        builder: takes the parts.
        lenient: leave out what a run has no place for, where an error is raised otherwise.

    Attributes:
        dialect: the family's name, and its dialect's if it has one.
        wires: how its events come as bytes (see `providers.wire`), by the dialect that they are; none: it has objects
            only.
        named_by: the fields of which each of its events has one. What has one, or a `type`, and is nobody's, is an
            event that a later version has added.
        ended: the source has said that it is complete, or has failed.
        ends_stream: nothing comes behind its last event, which sets `ended`.
        has_terminal: the family says when it is complete, so that an end without it is a truncation.
    """

    dialect: ClassVar[str]
    wires: ClassVar[Mapping[str, str]] = {}
    named_by: ClassVar[tuple[str, ...]] = ("type",)
    has_terminal: bool = False
    ends_stream: ClassVar[bool] = False

    def __init__(self, builder: Builder, *, lenient: bool = False) -> None:
        self.ended = False
        self._builder = builder

    @staticmethod
    @abstractmethod
    def knows(item: Any, spoken: str) -> bool:
        """Whether an item is of this family.

        Args:
            item: as the source gave it, and if nobody knows it so, its fields as a dict. Most families know dicts only.
            spoken: the family that the source has spoken last, for what several families have.
        """

    @classmethod
    def may_add(cls, item: Json) -> bool:
        """Whether a dict that nobody knows, behind items of this family, is an event that it has added."""
        return any(isinstance(item.get(name), str) for name in ("type", *cls.named_by))

    def keep(self, item: Json) -> None:
        """Such an event: it is told again in the family's own dialect, and counted as left out in others.

        One that calls itself an error is one, in whatever form.
        """
        names = [text_of(item.get(name)).lower() for name in ("type", *self.named_by)]
        if "error" in names:
            code = str(item.get("code") or "upstream-error")
            message = text_of(item.get("message")) or "the source sent an error without a message"
            self._builder.fail(code, message, {self.dialect: plain(item)})
            return
        content = not any(name in _SIGNS_OF_LIFE for name in names)
        self._builder.put(Foreign(self.dialect, plain(item), content))

    @abstractmethod
    def hear(self, event: Any) -> None:
        """Take one item that `knows` knows.

        Events and fields that are not known are left out, or kept as a `Foreign` part: never an error.
        """

    def finish(self) -> None:  # noqa: B027 - most hold nothing back
        """The source has ended: say what was held back."""


#: Names of events that hold nothing.
_SIGNS_OF_LIFE: Final = {"ping", "heartbeat", "keepalive", "keep-alive"}
#: The status of a response that had begun.
SUCCESS: Final = 200


def text_of(value: Any) -> str:
    """A string field that may be missing or null."""
    return value if isinstance(value, str) else ""


def number_of(value: Any) -> int | None:
    """A count that may be missing or null."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def dict_of(value: Any) -> Json:
    """An object field that may be missing or null."""
    return value if isinstance(value, dict) else {}


def dicts_of(value: Any) -> list[Json]:
    """A list of objects that may be missing or null."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def numbers_of(usage: Json, *left_out: str) -> Json | None:
    """The figures of a usage object, those of its nested objects by both names, as `nested.name`."""
    found: Json = {}
    for key, value in usage.items():
        if isinstance(value, dict):
            found |= {f"{key}.{name}": number for name, number in value.items()}
        elif key not in left_out:
            found[key] = value
    return {key: value for key, value in found.items() if value and _is_figure(value)} or None


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def said(value: Any) -> bool:
    """A field holds something."""
    return value is not None and value not in ("", [], {})


def field(thing: Any, name: str) -> Any:
    """A field of an object or of its dict; None if there is none."""
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)


def value_of(text: str) -> Any:
    """The value of a call's arguments; a model may write what is no JSON."""
    try:
        return msgspec.json.decode(text or "{}")
    except (msgspec.DecodeError, RecursionError):
        return text


def fields_of(item: Any) -> Json | None:
    """The fields of a dict or a model as they were sent; None: it is neither."""
    if isinstance(item, Mapping):
        return dict(item)
    dump = getattr(item, "model_dump", None)
    if not callable(dump) or isinstance(item, type):
        return None
    dumped = _dumped(dump)
    if isinstance(dumped, dict) and "type" not in dumped and isinstance(getattr(item, "type", None), str):
        dumped = dump(mode="json", by_alias=True, exclude_none=True)  # its type is the default of a field
    return dumped if isinstance(dumped, dict) else None


def _dumped(dump: Callable[..., Any]) -> Any:
    """What was sent; fields that are not as the SDK's types say are no reason for a warning."""
    try:
        return dump(exclude_unset=True, warnings=False)
    except TypeError:  # of another library than pydantic 2
        return dump(exclude_unset=True)


def rest_of(value: Json, known: AbstractSet[str]) -> Json:
    """The fields of an object that are not known, and hold something."""
    if value.keys() <= known:
        return {}
    return {key: field for key, field in value.items() if key not in known and said(field)}


def error_in(event: Json) -> Json | None:
    """The error that an event without a type is, in the ways of servers and gateways; None: it is none.

    `{"error": {...}}`, `{"error": "..."}`, `{"object": "error", "message": ...}` (vLLM), `{"detail": ...}` (FastAPI)
    and `{"message": ..., "code": ...}` (gateways).
    """
    if said(event.get("error")):
        error = event["error"]
        return error if isinstance(error, dict) else {"message": str(error)}
    if "choices" in event:
        return None
    if event.get("object") == "error" or ("message" in event and ("code" in event or "status" in event)):
        return event
    detail = event.get("detail")
    return {"message": detail if isinstance(detail, str) else str(detail)} if said(detail) else None


def code_of(error: Json) -> str:
    """The code of a provider's error."""
    return str(error.get("code") or error.get("type") or "upstream-error")


def plain(value: Any) -> Any:
    """Any value as JSON has it: models and dataclasses become objects, what has no JSON form its text.

    Half of a surrogate pair, which UTF-8 cannot carry, is U+FFFD.
    """
    try:
        return msgspec.json.decode(msgspec.json.encode(value, enc_hook=_hook))
    except UnicodeEncodeError:
        return json_value(json.dumps(msgspec.to_builtins(value, enc_hook=_hook)).encode())


def _hook(value: Any) -> Any:
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if callable(dump) else str(value)
