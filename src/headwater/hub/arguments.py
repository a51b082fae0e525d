"""Arguments of callers in this process: one of the wrong type is a `TypeError` before anything is done.

Rule: what comes over HTTP has its types by how it is parsed, and is not looked at again.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar, cast

import msgspec

from headwater.errors import BadRequest
from headwater.model import BEGINNING, NOW, Last, Principal, Producer, Retention, StreamConfig
from headwater.protocol.backwards import make_last
from headwater.protocol.expiry import make_expiry
from headwater.protocol.principals import check_principal
from headwater.protocol.slow import parse_slow

S = TypeVar("S", bound=msgspec.Struct)

_PLAIN: Final = StreamConfig()
_WORDS: Final = {str: "text", bytes: "bytes", int: "a whole number", float: "seconds since the Unix epoch"}


def stream_config(
    content_type: str | None, ttl: int | None, expires_at: float | None, retention: Retention | None, slow: str
) -> StreamConfig:
    """The configuration that the arguments of `Hub.create` ask for.

    Raises:
        BadRequest: a value that has no meaning.
        TypeError: a value of another type.
    """
    check_kind("content_type", content_type, str)
    check_kind("expires_at", expires_at, float)
    check_kind("slow", slow, str, optional=False)
    if retention is not None:
        check_struct("retention", retention, Retention)
    return StreamConfig(content_type, make_expiry(ttl, expires_at), retention or Retention(), slow=parse_slow(slow))


def start_of(offset: str, last: int | None, last_bytes: int | None) -> str | Last:
    """Where the arguments of `Hub.read` begin.

    Raises:
        BadRequest: more than one says so, or a number is out of range.
    """
    if last is None and last_bytes is None:
        return offset
    if offset != BEGINNING:
        raise BadRequest("give offset, or last or last_bytes: each says where to begin")
    return make_last(last, last_bytes, NOW)


def principal_of(by: object) -> Principal:
    """Who appends, as the program says: a subject of its own, or an issuer and a subject.

    Raises:
        BadRequest: it can be nobody; see `check_principal`.
        TypeError: it has another type.
    """
    who = by if isinstance(by, Principal) else Principal(cast("str", by))
    check_kind("by", who.subject, str, optional=False)
    check_kind("by.issuer", who.issuer, str, optional=False)
    try:
        return check_principal(who.subject, who.issuer)
    except ValueError as error:
        raise BadRequest(f"by: {error}") from None


def check_append(
    path: str, producer: Producer | None, seq: str | None, if_match: str | None, create: StreamConfig | None
) -> None:
    """Check the arguments of `Hub.append`, but for the data, whose type the stream decides.

    Raises:
        TypeError: one has another type.
    """
    check_kind("path", path, str, optional=False)
    if producer is not None:
        check_struct("producer", producer, Producer)
    check_kind("seq", seq, str)
    check_kind("if_match", if_match, str)
    if create is not None:
        check_struct("create", create, StreamConfig)


def check_kind(name: str, value: object, kind: type, *, optional: bool = True) -> None:
    """Refuse an argument of another type.

    Args:
        name: the argument.
        value: what was given.
        kind: what it must be; float takes an int too.
        optional: None is fine.

    Raises:
        TypeError: it is something else.
    """
    if value is None and optional:
        return
    if not isinstance(value, (kind, int) if kind is float else kind):
        raise TypeError(f"{name} must be {_WORDS[kind]}, not {type(value).__name__}")


def check_struct(name: str, value: S, kind: type[S]) -> None:
    """Refuse an argument that is no such structure, or has a field of another type, to any depth.

    Raises:
        TypeError: it is something else; with the field.
    """
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}, not {type(value).__name__}")
    if isinstance(value, StreamConfig) and _is_plain(value):
        return
    try:
        same = msgspec.convert(msgspec.to_builtins(value), kind)
    except (msgspec.ValidationError, TypeError) as error:
        where = str(error).replace("`$", f"`{name}")
        raise TypeError(f"{name} is no valid {kind.__name__}: {where}") from None
    _check_same(name, value, same)


def _is_plain(config: StreamConfig) -> bool:
    """Whether a configuration has a content type alone, as most have; the defaults are shared by all."""
    kind = config.content_type
    return (
        (kind is None or type(kind) is str)
        and config.expiry is _PLAIN.expiry
        and config.retention is _PLAIN.retention
        and config.fork is None
        and config.slow is _PLAIN.slow
    )


def _check_same(name: str, value: msgspec.Struct, same: Any) -> None:
    # A dict is like the structure it may be converted to, and a UUID like its text.
    for field in value.__struct_fields__:
        mine, other = getattr(value, field), getattr(same, field)
        if mine != other:
            raise TypeError(f"{name}.{field} must be a {type(other).__name__}, not {type(mine).__name__}")
