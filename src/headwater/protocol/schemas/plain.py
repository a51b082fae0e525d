"""Types of msgspec that are plain: reading one runs nothing an application wrote, in time that grows with its size.

Rule: what is not known to be plain is not.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import inspect

#: Which make an empty value.
_PLAIN_FACTORIES: Final = (list, dict, set, frozenset, tuple, bytearray, msgspec.NODEFAULT)
#: Methods of a class that are called behind each of its values.
_HOOKS: Final = ("__post_init__", "__attrs_attrs__", "__attrs_pre_init__", "__attrs_post_init__")
_MISSING: Final = enum.Enum._missing_.__func__  # type: ignore[attr-defined]


def is_plain(type: Any) -> bool:
    """Whether it is plain.

    Args:
        type: that msgspec knows.
    """
    return all(_is_plain(node) for node in _nodes(inspect.type_info(type), set()))


def _is_plain(node: Any) -> bool:
    match node:
        case inspect.CustomType():
            return False
        case inspect.StrType(pattern=pattern):
            return pattern is None  # `re` takes any time for some
        case inspect.Field(default_factory=factory):
            return factory in _PLAIN_FACTORIES
        case inspect.EnumType(cls=found):
            return found._missing_.__func__ is _MISSING  # type: ignore[attr-defined]
        case inspect.StructType(cls=found) | inspect.DataclassType(cls=found):
            return not any(hasattr(found, name) for name in _HOOKS)
        case _:
            return True


def _nodes(value: Any, seen: set[int]) -> Iterator[Any]:
    """A description with all that it is made of; types may hold themselves."""
    if isinstance(value, tuple):
        for each in value:
            yield from _nodes(each, seen)
    elif isinstance(value, inspect.Type | inspect.Field) and id(value) not in seen:
        seen.add(id(value))
        yield value
        for name in value.__struct_fields__:
            yield from _nodes(getattr(value, name), seen)
