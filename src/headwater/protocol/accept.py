"""`Accept`: in which form a client wants a stream (RFC 9110 sections 12.4.2 and 12.5.1).

There are three: the stream's own type, which ends at its tail, and two that go on, NDJSON and plain SSE. The greatest
weight decides; between equal ones that order.

Rule 1: a form that goes on is for a client that names it. A wildcard asks for something that ends.
Rule 2: the names of NDJSON and SSE mean the forms that go on, also where a stream's own type has that name.
Rule 3: nothing is refused: where no form is accepted, and where the header cannot be read, it is the stream's own type.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import msgspec

from headwater.model import Mode

#: Names of the forms that go on.
NAMES: Final = {
    "text/event-stream": Mode.EVENTS,
    "application/x-ndjson": Mode.NDJSON,
    "application/ndjson": Mode.NDJSON,
    "application/jsonl": Mode.NDJSON,
    "application/x-jsonlines": Mode.NDJSON,
}
#: Ranges in one header; with more it counts as absent.
MAX_RANGES: Final = 100
#: Characters of a header whose meaning is remembered, and how many are.
_REMEMBERED: Final = 256

_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9a-z-]+"
_QUOTED: Final = r'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[^\x00-\x08\x0a-\x1f\x7f])*"'
_VALUE: Final = rf"(?:{_TOKEN}|{_QUOTED})"
_RANGE: Final = re.compile(rf"({_TOKEN}/{_TOKEN})((?:[ \t]*;[ \t]*(?:{_TOKEN}(?:={_VALUE})?)?)*)", re.ASCII)
_PARAMETER: Final = re.compile(rf";[ \t]*({_TOKEN})(?:=({_VALUE}))?", re.ASCII)
_WEIGHT: Final = re.compile(r"0(\.[0-9]*)?|1(\.0*)?", re.ASCII)
#: Between two ranges; empty elements of a list are allowed (section 5.6.1.2).
_BETWEEN: Final = re.compile(r"[ \t]*(?:,[ \t]*)+")
#: What our forms that go on are, too.
_UTF_8: Final = frozenset({("charset", "utf-8")})

Parameters = frozenset[tuple[str, str]]


class Range(msgspec.Struct, frozen=True, gc=False):
    """One media range.

    Attributes:
        kind: `type/subtype`, `type/*` or `*/*`, in lower case.
        parameters: names and values in lower case, without the weight.
        weight: 0 to 1.
    """

    kind: str
    parameters: Parameters
    weight: float


class Accepted(msgspec.Struct, frozen=True):
    """What an `Accept` header says.

    Attributes:
        ranges: those that can be a stream's own type.
        live: the best form that goes on; None: none is accepted.
        weight: of it.
        name: by which it was asked for.
        always: the form, when every stream's type gives the same; None: `mode` needs the type.
    """

    ranges: tuple[Range, ...] = ()
    live: Mode | None = None
    weight: float = 0.0
    name: bytes = b""
    always: Mode | None = Mode.CATCH_UP

    def mode(self, content_type: str) -> Mode:
        """The form for a stream.

        Args:
            content_type: the stream's own.
        """
        if self.live is None or _weight_of(content_type, self.ranges) >= self.weight:
            return Mode.CATCH_UP
        return self.live


def accepted(value: str) -> Accepted:
    """What the value of `Accept` says, all its lines joined; remembered, as clients send the same again and again."""
    return _remembered(value) if len(value) <= _REMEMBERED else _read(value)


@lru_cache(maxsize=_REMEMBERED)
def _remembered(value: str) -> Accepted:
    return _read(value)


def _read(value: str) -> Accepted:
    found = _parse(value)
    weights: dict[str, float] = {}
    own: list[Range] = []
    for each in found:
        if each.kind not in NAMES:
            own.append(each)
        elif each.parameters <= _UTF_8:
            # What was refused once is not sent, as in `negotiation`.
            weights[each.kind] = min(each.weight, weights.get(each.kind, 1.0))
    name = max(weights, key=lambda name: (weights[name], NAMES[name] is Mode.NDJSON), default="")
    if not weights.get(name):
        return Accepted()
    best = weights[name]
    return Accepted(tuple(own), NAMES[name], best, name.encode(), _always(own, NAMES[name], best))


def _always(own: list[Range], live: Mode, weight: float) -> Mode | None:
    if all(each.weight < weight for each in own):
        return live
    is_least = all(each.weight >= weight for each in own)
    return Mode.CATCH_UP if is_least and any(each.kind == "*/*" and not each.parameters for each in own) else None


def _parse(value: str) -> list[Range]:
    """The ranges; none, if there is one that is not in the grammar."""
    found: list[Range] = []
    text = value.strip(" \t,").lower()
    at = 0
    while at < len(text):
        element = _RANGE.match(text, at) if len(found) < MAX_RANGES else None
        if element is None or (element[1].startswith("*/") and element[1] != "*/*"):
            return []
        weight, parameters = _split(element[2])
        if weight is None:
            return []
        found.append(Range(element[1], parameters, weight))
        at = element.end()
        between = _BETWEEN.match(text, at)
        if between is None:
            break
        at = between.end()
    return found if at >= len(text) else []


def _split(text: str) -> tuple[float | None, Parameters]:
    """The weight, None: it is none, and the parameters before it; what is behind it means nothing (section 12.5.1)."""
    parameters: set[tuple[str, str]] = set()
    for name, value in _PARAMETER.findall(text):
        if name == "q":
            return (float(value) if _WEIGHT.fullmatch(value) else None), frozenset(parameters)
        parameters.add((name, _unquoted(value)))
    return 1.0, frozenset(parameters)


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def _weight_of(content_type: str, ranges: tuple[Range, ...]) -> float:
    """Of a type, by the most specific range that it is in; 0: it is in none."""
    element = _RANGE.match(content_type.lower())
    # A type that is none is in `*/*` alone.
    kind, text = ("", "") if element is None else (element[1], element[2])
    parameters = frozenset((name, _unquoted(value)) for name, value in _PARAMETER.findall(text))
    kinds = (kind, kind.partition("/")[0] + "/*", "*/*")
    best, weight = (-len(kinds), 0), 0.0
    for each in ranges:
        if each.kind in kinds and each.parameters <= parameters:
            rank = (-kinds.index(each.kind), len(each.parameters))
            if rank > best:
                best, weight = rank, each.weight
            elif rank == best:
                weight = min(weight, each.weight)
    return weight
