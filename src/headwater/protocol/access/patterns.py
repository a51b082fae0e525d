"""The paths of a grant: `news/*`, `users/{sub}/**`, `rooms/7`.

::

    pattern = segment *("/" segment) ["/**"] / "**"
    segment = literal / "*" / "{" name "}"

Rule 1: `*` is one whole segment, `**` one or more, at the end only. There is no other wildcard and no expression, so
        that what a grant means can be read off it, and two can be compared.
Rule 2: `{name}` is one segment that the holder's own claim fills in, after the pattern was read: what is in a claim is
        never read as a pattern. A value that would be more than one segment, or would look like a pattern or like an
        encoded one, makes the whole token worthless.
Rule 3: in a literal, `%2A`, `%7B` and `%25` stand for an asterisk, a brace and a percent sign, which are in paths of
        old streams. Nothing else is encoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final
from unicodedata import is_normalized

from headwater.protocol.patterns import ONE, REST

#: Bytes of a pattern in UTF-8.
MAX_PATTERN_BYTES: Final = 256
#: Bytes of a claim's value that stands in a pattern.
MAX_VALUE_BYTES: Final = 255
#: The subject's own name in patterns.
SUBJECT: Final = "sub"

_NAME: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_ENCODED: Final = {"%2A": "*", "%2a": "*", "%7B": "{", "%7b": "{", "%25": "%"}
#: What is encoded in a literal.
_ESCAPED: Final = re.compile(r"[%*{]")
_ESCAPE: Final = re.compile(r"%(?:2[Aa]|7[Bb]|25)|%")
#: What a value may not have: with it, it could be more than one segment, or be read as another one.
_NOT_IN_VALUE: Final = re.compile(r"[/\\*{}%]")
_NO_SEGMENTS: Final = ("", ".", "..")


class Literal(str):
    """A segment as it stands, also where it looks like a wildcard."""

    __slots__ = ()


class Claim(str):
    """The name of a claim whose value is the segment."""

    __slots__ = ()


#: One that stands for itself, or `ONE` and `REST`, which are none.
Segment = str
Pattern = tuple[Segment, ...]


def parse_pattern(text: str, fill: Callable[[str], str], *, maximum: int = MAX_PATTERN_BYTES) -> Pattern:
    """The segments of a pattern, with what the holder's claims fill in.

    Args:
        text: as it was granted.
        fill: the value of a name in braces; raises ValueError where there is none that may stand there.
        maximum: bytes of the text.

    Raises:
        ValueError: it is no pattern.
    """
    return fill_in(parse_template(text, maximum=maximum), fill)


def parse_template(text: str, *, maximum: int = MAX_PATTERN_BYTES) -> Pattern:
    """The segments of a pattern, with `Claim` where the holder's claims fill in.

    Args:
        text: as it was granted.
        maximum: bytes of the text.

    Raises:
        ValueError: it is no pattern.
    """
    if len(text.encode("utf-8", "surrogatepass")) > maximum:
        raise ValueError(f"the pattern {text[:40]!r}… has more than {maximum} bytes")
    if not text.isprintable() or "\\" in text or not is_normalized("NFC", text):
        raise ValueError(f"the pattern {text!r} has a control character, a backslash, or is not in Unicode's form NFC")
    segments = text.split("/")
    last = len(segments) - 1
    return tuple([_segment(text, part, is_last=at == last) for at, part in enumerate(segments)])


def fill_in(template: Pattern, fill: Callable[[str], str]) -> Pattern:
    """The same with the values of claims; see `parse_pattern`. Where there are none it is the same object.

    Raises:
        ValueError: a value may not stand there.
    """
    if not has_claims(template):
        return template
    return tuple([_value(fill(part)) if isinstance(part, Claim) else part for part in template])


def has_claims(template: Pattern) -> bool:
    """Whether something is to be filled in."""
    return any(isinstance(part, Claim) for part in template)


def _value(value: str) -> Literal:
    check_value(value)
    return value if isinstance(value, Literal) else Literal(value)


def _segment(text: str, part: str, *, is_last: bool) -> Segment:
    if part == ONE or (part == REST and is_last):
        return part
    name = _NAME.fullmatch(part)
    if name is not None:
        return Claim(name[1])
    if part in _NO_SEGMENTS or "*" in part or "{" in part or "}" in part:
        raise ValueError(
            f"the pattern {text!r}: a segment is a name, '*', or a claim in braces, and the last one may be '**'"
        )
    if "%" not in part:
        return Literal(part)
    return Literal(_ESCAPE.sub(lambda found: _decoded(text, found[0]), part))


def _decoded(text: str, escape: str) -> str:
    if escape not in _ENCODED:
        raise ValueError(f"the pattern {text!r}: a percent sign is written %25, an asterisk %2A, a brace %7B")
    return _ENCODED[escape]


def format_pattern(pattern: Pattern) -> str:
    """The text that is read as this pattern, by whoever; what was filled in is literal."""
    return "/".join([_ESCAPED.sub(_encoded, part) if isinstance(part, Literal) else part for part in pattern])


def _encoded(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"


def check_value(value: str) -> str:
    """The same value of a claim, if it may stand in a pattern.

    Raises:
        ValueError: it may not.
    """
    if (
        value in _NO_SEGMENTS
        or _NOT_IN_VALUE.search(value)
        or not value.isprintable()
        or not is_normalized("NFC", value)
        or len(value.encode("utf-8", "surrogatepass")) > MAX_VALUE_BYTES
    ):
        raise ValueError(f"{value[:40]!r} cannot stand in a pattern: it is not one plain segment of a path")
    return value


def from_claims(claims: Mapping[str, object], allowed: tuple[str, ...]) -> Callable[[str], str]:
    """What fills in patterns from a token's claims.

    Args:
        claims: of the token.
        allowed: names that may stand in patterns.
    """
    values: dict[str, Literal] = {}

    def fill(name: str) -> str:
        if name in values:
            return values[name]
        value = claims.get(name) if name in allowed else None
        if not isinstance(value, str):
            raise ValueError(f"{{{name}}} is no claim that may stand in a pattern, or the token has no text for it")
        values[name] = Literal(value)  # one object for all patterns of a token
        return values[name]

    return fill


def of_nobody(name: str) -> str:
    """Fills in nothing: for grants that are nobody's own.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{{{name}}} means somebody's own claim, and this is granted to nobody in particular")


def covers(granted: Pattern, asked: Pattern) -> bool:
    """Whether every path of one pattern is a path of the other, segment by segment."""
    if is_rest(granted[-1]):
        head = granted[:-1]
        if len(asked) <= len(head):
            return False
        return all(map(_covers_segment, head, asked))
    return len(granted) == len(asked) and all(map(_covers_segment, granted, asked))


def _covers_segment(granted: Segment, asked: Segment) -> bool:
    if is_rest(asked):
        return False
    return is_one(granted) or (isinstance(asked, Literal) and granted == asked)


def is_one(segment: Segment) -> bool:
    """Whether it stands for any one segment."""
    return segment == ONE and not isinstance(segment, Literal)


def is_rest(segment: Segment) -> bool:
    """Whether it stands for all segments that follow."""
    return segment == REST and not isinstance(segment, Literal)
