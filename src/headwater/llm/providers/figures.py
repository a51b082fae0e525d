"""Figures of tokens: those of one response as they come, and of several together."""

from __future__ import annotations

from typing import Any

from headwater.llm.parts import Json, Usage


def merged(old: Usage, new: Usage) -> Usage:
    """The figures of `new`, and of `old` where it has none."""
    return Usage(
        old.input_tokens if new.input_tokens is None else new.input_tokens,
        old.output_tokens if new.output_tokens is None else new.output_tokens,
        {**(old.details or {}), **(new.details or {})} or None,
        _merged_native(old.native, new.native),
    )


def _merged_native(old: Json | None, new: Json | None) -> Json | None:
    """A later object of a provider has the figures that changed; Anthropic's last one leaves out the others."""
    if old is None or new is None:
        return old if new is None else new
    found = {**old, **new}
    for dialect in old.keys() & new.keys():
        before, after = old[dialect], new[dialect]
        if isinstance(before, dict) and isinstance(after, dict):
            found[dialect] = {**before, **{key: value for key, value in after.items() if value is not None}}
    return found


def added(a: Usage, b: Usage) -> Usage:
    """The figures of two responses."""
    if a == Usage():
        return b
    details = dict(a.details or {})
    for key, value in (b.details or {}).items():
        old = details.get(key)
        details[key] = old + value if _is_figure(value) and _is_figure(old) else value
    native = _sum_native(a.native or {}, b.native or {}) or None
    read, written = _plus(a.input_tokens, b.input_tokens), _plus(a.output_tokens, b.output_tokens)
    return Usage(read, written, details or None, native)


def _sum_native(a: Json, b: Json) -> Json:
    """Objects of two responses, with their figures added."""
    found = {**a, **b}
    for key in a.keys() & b.keys():
        one, other = a[key], b[key]
        if isinstance(one, dict) and isinstance(other, dict):
            found[key] = _sum_native(one, other)
        elif _is_figure(one) and _is_figure(other):
            found[key] = one + other
    return found


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plus(a: int | None, b: int | None) -> int | None:
    return b if a is None else a if b is None else a + b
