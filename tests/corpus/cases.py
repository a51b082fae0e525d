"""The corpus of hostile and odd requests: what is sent, what is answered, and what it does to the streams.

Each `.toml` file beside this one is a subject, each `[[case]]` in it a case:

`name`      what it is; unique.
`why`       the rule that the expectation follows, with its source.
`before`    streams that exist first: name = content of a stream of `application/json`, or a table (`State`).
`send`      the bytes, as a text (`to_bytes`).
`expect`    the statuses in their order, or tables of more (`Expected`).
`then`      further connections, one after another, each with `send` and `expect`.
`after`     what the streams hold at the end: content, a table, or `false` for a stream that must not exist. A stream
            of `before` that is not named must be as it was, any other must not exist.
`unfinished` nothing is sent behind the responses: what was sent is no whole request.
`slow`      the commit of the first append waits until all is sent; on servers with SQLite only.
`whole`     why it is not sent cut in other places, as all others are by `make soak`.
`differs`   by server: what is different there (`Difference`), and why.

Rule: the expectation is what the standard and the documentation say; a server of which it does not hold is a difference
with a reason, or a fault in `pending.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

HERE = Path(__file__).parent
#: Behind a segment of what is sent, and behind all that the client sends.
CUT, END = "<cut>", "<end>"
_ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|[rnt0\\])")
_REPEATED = re.compile(r"<(.{1,20}?)\*(\d+)>")
_STREAM = re.compile(r"\{(?:(etag|tail):)?([a-z][a-z0-9]*)\}")


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stream.

    Attributes:
        body: what a read gives; None: not looked at.
        type: its content type.
        closed: whether it is closed.
        failure: the code with which it was closed.
        headers: further ones of the PUT that makes it, or of the HEAD that looks at it.
    """

    body: str | None = None
    type: str | None = None
    closed: bool = False
    failure: str | None = None
    headers: dict[str, str] = {}


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A response.

    Attributes:
        status: its status.
        body: its whole body; None: not looked at.
        has: a part of its body.
        headers: values by names in lower case; an empty value: the header must not be there.
        mentions: parts of values by names in lower case.
        head: it answers HEAD, so there is no body whatever its headers say.
    """

    status: int
    body: str | None = None
    has: str | None = None
    headers: dict[str, str] = {}
    mentions: dict[str, str] = {}
    head: bool = False


class Exchange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes over one connection."""

    send: str
    expect: list[int | Expected]

    @property
    def expected(self) -> list[Expected]:
        """The responses in their order."""
        return [Expected(item) if isinstance(item, int) else item for item in self.expect]


class Difference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is different on a server; what is not given is as everywhere. `unfinished`: it closes without a word."""

    why: str
    expect: list[int | Expected] | None = None
    after: dict[str, str | bool | State] | None = None
    unfinished: bool = False


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """See the module; `file` is where it stands."""

    name: str
    why: str
    send: str
    expect: list[int | Expected]
    before: dict[str, str | State] = {}
    then: list[Exchange] = []
    after: dict[str, str | bool | State] = {}
    slow: bool = False
    unfinished: bool = False
    whole: str = ""
    differs: dict[str, Difference] = {}
    file: str = ""

    def on(self, names: tuple[str, ...]) -> Case:
        """The case as it is on a server that has these names, the most special first."""
        for name in names:
            found = self.differs.get(name)
            if found is not None:
                return msgspec.structs.replace(
                    self,
                    expect=self.expect if found.expect is None else found.expect,
                    after=self.after if found.after is None else found.after,
                    unfinished=self.unfinished or found.unfinished,
                )
        return self

    @property
    def exchanges(self) -> list[Exchange]:
        """All connections."""
        return [Exchange(self.send, self.expect), *self.then]

    @property
    def names(self) -> set[str]:
        """The streams that it names."""
        said = {name for exchange in self.exchanges for _, name in _STREAM.findall(exchange.send)}
        return (said | set(self.before) | set(self.after)) - {"root"}

    @property
    def final(self) -> dict[str, State | None]:
        """What each stream holds at the end; None: there is none."""
        found: dict[str, State | None] = {}
        for name in self.names:
            state = self.after.get(name, self.before.get(name, False))
            if isinstance(state, bool):
                found[name] = None
            else:
                found[name] = State(state) if isinstance(state, str) else state
        return found


class Pending(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case that fails until a fault is mended; where it passes, the list is wrong.

    Attributes:
        case: its name.
        servers: where it fails.
        why: the fault.
    """

    case: str
    servers: list[str]
    why: str


def load() -> list[Case]:
    """Every case.

    Raises:
        AssertionError: two have one name.
    """
    found: list[Case] = []
    for path in sorted(HERE.glob("*.toml")):
        if path.name != "pending.toml":
            cases = msgspec.toml.decode(path.read_bytes(), type=dict[str, list[Case]])["case"]
            found += [msgspec.structs.replace(case, file=path.name) for case in cases]
    names = [case.name for case in found]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"there are two cases of the name {twice}"
    return found


def pending() -> list[Pending]:
    """The list of what is not mended yet."""
    return msgspec.toml.decode((HERE / "pending.toml").read_bytes(), type=dict[str, list[Pending]]).get("pending", [])


def to_bytes(text: str, root: str, known: Mapping[str, str] | None = None) -> Iterator[bytes | None]:
    r"""The segments that a text stands for, each sent on its own; None: the client's side of the connection ends.

    A line end is CRLF; with a backslash before it, it is nothing. `\r`, `\n`, `\t`, `\0`, `\\` and `\x00` are single
    bytes, everything else is UTF-8. `<a*5>` is `aaaaa`. `<cut>` ends a segment, `<end>` the client's sending.

    Args:
        text: of a case.
        root: the first segments of the paths of its streams, six characters. `{root}` is the root itself, `{a}` the
            URL path of the stream `a`: `/v1/stream/c00017/a`.
        known: for `{etag:a}` and `{tail:a}`, which a server has to be asked for.
    """
    text = text.replace("\\\n", "").replace("\n", "\r\n")
    text = filled(text, root, known)
    text = _REPEATED.sub(lambda found: found[1] * int(found[2]), text)
    whole, ended, rest = text.partition(END)
    assert not rest, "nothing can be sent behind the end"
    for piece in whole.split(CUT):
        yield b"".join(_unescaped(piece))
    if ended:
        yield None


def filled(text: str, root: str, known: Mapping[str, str] | None = None) -> str:
    """A text with the names of streams in it; see `to_bytes`."""
    return _STREAM.sub(lambda found: _place(found, root, known or {}), text)


def _place(found: re.Match[str], root: str, known: Mapping[str, str]) -> str:
    kind, name = found.groups()
    if kind:
        return known[f"{kind}:{name}"]
    return root if name == "root" else f"/v1/stream/{root}/{name}"


def _unescaped(text: str) -> Iterator[bytes]:
    start = 0
    for found in _ESCAPE.finditer(text):
        yield text[start : found.start()].encode()
        code = found[1]
        yield bytes([int(code[1:], 16)]) if code.startswith("x") else _ESCAPES[code].encode()
        start = found.end()
    yield text[start:].encode()


def asked(case: Case) -> set[str]:
    """What a server has to be asked for before the case is sent: `etag:a`, `tail:a`."""
    texts = [exchange.send for exchange in case.exchanges]
    texts += [value for exchange in case.exchanges for said in exchange.expected for value in said.headers.values()]
    return {f"{kind}:{name}" for text in texts for kind, name in _STREAM.findall(text) if kind}
