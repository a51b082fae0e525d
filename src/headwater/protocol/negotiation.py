"""`Accept-Encoding`: which content coding a client prefers (RFC 9110 sections 12.4.2, 12.4.3 and 12.5.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from headwater.errors import NotAcceptable

IDENTITY: Final = "identity"
_ANY: Final = "*"
#: Names that mean the same (section 8.4.1.3).
_ALIASES: Final = {"x-gzip": "gzip"}
_ELEMENT: Final = re.compile(
    r"(?P<coding>[!#$%&'*+.^_`|~0-9a-z-]+)[ \t]*(;[ \t]*q=(?P<weight>0(\.[0-9]{0,3})?|1(\.0{0,3})?))?", re.ASCII
)


def parse_accept_encoding(value: str) -> dict[str, float]:
    """Codings with their weights; what is no element of the grammar is left out, and so not preferred.

    A coding that is listed twice has the smaller weight: what was refused once is not sent.
    """
    weights: dict[str, float] = {}
    for part in value.lower().split(","):
        found = _ELEMENT.fullmatch(part.strip(" \t"))
        if found is not None:
            coding = _ALIASES.get(found["coding"], found["coding"])
            weights[coding] = min(float(found["weight"] or 1), weights.get(coding, 1.0))
    return weights


def choose_coding(accept_encoding: str | None, offered: Sequence[str], *, small: bool = False) -> str:
    """The coding for an answer, or `identity`.

    Args:
        accept_encoding: as sent; None: no such header, so the client may not know any coding.
        offered: codings, the preferred first.
        small: the answer is not worth a coding, unless `identity` is refused.

    Raises:
        NotAcceptable: `identity` is refused, and no coding that is offered is accepted.
    """
    weights = {} if accept_encoding is None else parse_accept_encoding(accept_encoding)
    plain = _weight_of_identity(weights)
    best, best_weight = IDENTITY, 0.0
    for coding in offered:
        weight = weights.get(coding, weights.get(_ANY, 0.0))
        if weight > best_weight:
            best, best_weight = coding, weight
    if plain == 0:
        if best == IDENTITY:
            listed = ", ".join(offered)
            raise NotAcceptable(f"Accept-Encoding refuses identity, and accepts none of the codings here: {listed}")
        return best
    return IDENTITY if small or (plain is not None and plain > best_weight) else best


def _weight_of_identity(weights: Mapping[str, float]) -> float | None:
    """None: it is accepted, and anything that is listed is preferred; `*` refuses it, but does not prefer it."""
    if IDENTITY in weights:
        return weights[IDENTITY]
    return 0.0 if weights.get(_ANY) == 0 else None
