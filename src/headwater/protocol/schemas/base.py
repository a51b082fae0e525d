"""What a schema is: it reads the records of a stream, or says where one does not fit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal
from urllib.parse import quote

from headwater.protocol.framing import is_delimited, is_json, is_msgpack, is_protobuf

#: How the records of a stream are written.
Form = Literal["JSON", "MessagePack", "Protobuf", "delimited Protobuf"]
#: Characters of a reason, which may quote the record.
MAX_REASON: Final = 300

#: Reads a record, as it is kept, or raises `Mismatch`.
Reader = Callable[[bytes], Any]


class InvalidSchema(ValueError):
    """A schema is none: told at the start, with the place."""


class Mismatch(Exception):
    """A record does not fit.

    Args:
        reason: why. Control characters in it are escaped, and it is cut where it is too long.
        pointer: the place in the record, as a JSON Pointer in a URI fragment (RFC 6901 section 6).
    """

    def __init__(self, reason: str, pointer: str = "#") -> None:
        self.reason: Final = legible(reason)
        self.pointer: Final = pointer
        super().__init__(self.reason)


def legible(text: str) -> str:
    """A text in one line: what may quote a record is data, and shown as such."""
    cut = text[:MAX_REASON]
    if not cut.isprintable():
        cut = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in cut)
    return f"{cut}..." if len(text) > MAX_REASON else cut


def pointer_of(steps: Iterable[str | int]) -> str:
    """A JSON Pointer as a URI fragment."""
    escaped = (str(step).replace("~", "~0").replace("/", "~1") for step in steps)
    return "#" + "".join("/" + quote(step, safe="*", errors="replace") for step in escaped)[:MAX_REASON]


@lru_cache(128)
def form_of(content_type: str) -> Form | None:
    """How the records of a stream are written; None: in no form that a schema describes."""
    if is_json(content_type):
        return "JSON"
    if is_msgpack(content_type):
        return "MessagePack"
    if is_protobuf(content_type):
        return "delimited Protobuf" if is_delimited(content_type) else "Protobuf"
    return None


class Schema(ABC):
    """What records must be.

    Attributes:
        name: what it is called in messages: of a type, or of a file.
        runs_code: reading a record may run what the application wrote, such as a validator, and so take any time. Else
            the time is bounded by the size of the record.
    """

    name: str
    runs_code: bool = True

    @property
    @abstractmethod
    def readers(self) -> Mapping[Form, Reader]:
        """What reads a record in each form that the schema describes."""

    @abstractmethod
    def described(self) -> Mapping[str, Any] | bool:
        """The schema as JSON Schema.

        Raises:
            InvalidSchema: it has no such form.
        """

    def reader(self, content_type: str) -> Reader:
        """What reads the records of a stream.

        Raises:
            Mismatch: the schema does not describe streams of this type.
        """
        form = form_of(content_type)
        if form is None or (reader := self.readers.get(form)) is None:
            raise Mismatch(f"{content_type} is none of what the schema describes: {', '.join(self.readers)}")
        return reader


def first_mismatch(reader: Reader, records: Sequence[bytes]) -> tuple[int, Mismatch] | None:
    """The number of the first record that does not fit, from 1, and why; None: all do."""
    for number, record in enumerate(records, 1):
        try:
            reader(record)
        except Mismatch as mismatch:
            return number, mismatch
        except Exception as error:  # of an application's own code: it must not end the commit of others
            return number, Mismatch(f"the check raised {type(error).__name__}: {error}")
    return None
