"""Write what the documentation says of each provider: examples, what each dialect does not carry, and all tables.

Rule: what a page shows is what the code sends, and what the folders of the providers declare. The prose is written by
      hand; a dialect without a page gets one, which begins with the words of its module.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from headwater.llm.parts import (
    Finish,
    FinishReason,
    Part,
    Reasoning,
    ReasoningEnd,
    ReasoningStart,
    Start,
    Text,
    TextEnd,
    TextStart,
    ToolInput,
    ToolReady,
    ToolStart,
    Usage,
)
from headwater.llm.providers.dialect import End, Ending
from headwater.llm.providers.left_out import KINDS
from headwater.llm.providers.registry import DIALECTS, PROVIDERS, dialect
from headwater.llm.providers.wire import FORMS

PAGES: Final = Path(__file__).resolve().parent.parent / "docs" / "reference" / "dialects"
OVERVIEW: Final = PAGES.with_suffix(".md")
INDEX: Final = PAGES.parents[1] / "index.md"
PROXY: Final = PAGES.parents[1] / "howto" / "llm-proxy.md"
KNOWN: Final = PAGES.parents[2] / "tests" / "llm" / "judge" / "known.toml"

#: The dialects of a provider are told on the page of its first one.
SHARED: Final = {made.name: provider.dialects[0].name for provider in PROVIDERS for made in provider.dialects[1:]}

START: Final = Start(id="msg-1", run="run-1", model="some-model", created=1_700_000_000, thread="chat-1")
SAYING: Final[list[Part]] = [START, TextStart("t0"), Text("t0", "Rain, "), Text("t0", "all day.")]
ANSWER: Final[list[Part]] = [*SAYING, TextEnd("t0"), Usage(12, 5), Finish()]
TOOL: Final[list[Part]] = [
    START,
    ReasoningStart("r0"),
    Reasoning("r0", "I need the weather."),
    ReasoningEnd("r0", signature="c2lnbmVk"),
    ToolStart("call-1", "weather"),
    ToolInput("call-1", '{"city":"Oslo"}'),
    ToolReady("call-1", "weather", {"city": "Oslo"}),
    Usage(12, 5),
    Finish(FinishReason.TOOL_CALLS),
]
#: What follows `SAYING` at each end that is no success.
ENDS: Final = {
    "failed": Ending(End.FAILED, "overloaded", "try later"),
    "timeout": Ending(End.TIMED_OUT, "timeout", "the source gave nothing for 300 seconds"),
    "stopped": Ending(End.STOPPED, "stopped"),
    "lost": Ending(End.LOST, "lost"),
    "detached": Ending(End.DETACHED),
}


def told(name: str, parts: Sequence[Part], ending: Ending, *, after: int = 0) -> str:
    """What a reader who is there from the start gets, without ids; after a number of parts."""
    made = dialect(name, ids=False)
    made.encode(parts[:after])
    return (made.encode(parts[after:]) + made.end(ending)).decode()


def examples(name: str) -> dict[str, str]:
    """The generated blocks of a page, by their titles."""
    finished = Ending(End.FINISHED)
    found = {"answer": told(name, ANSWER, finished)}
    if DIALECTS[name].lacks.isdisjoint(("thinking", "calls")):
        found["call"] = told(name, TOOL, finished)
    if DIALECTS[name].tells_ends:
        found |= {title: told(name, SAYING, ending, after=len(SAYING)) for title, ending in ENDS.items()}
    return found


def placed(text: str, title: str, block: str, path: Path) -> str:
    """A page with a generated block in its place."""
    start, end = f"<!-- generated: {title} -->", "<!-- end -->"
    before, found, rest = text.partition(start)
    if not found:
        raise ValueError(f"{path.name} has no place for {title!r}: write {start}{end} where it belongs")
    return f"{before}{start}{block}{end}{rest.partition(end)[2]}"


def page(name: str) -> str:
    """A page as it is, or a new one, with its examples written anew."""
    path = PAGES / f"{name}.md"
    text = path.read_text("utf-8") if path.exists() else new_page(name)
    for title, example in examples(name).items():
        text = placed(text, title, f"\n\n```text\n{example.rstrip()}\n```\n\n", path)
    return text


def new_page(name: str) -> str:
    """A page with all that can be known of a dialect."""
    found, places = examples(name), {title: f"<!-- generated: {title} --><!-- end -->" for title in examples(name)}
    module = inspect.getdoc(inspect.getmodule(DIALECTS[name])) or ""
    blocks = [f"# {name}", module, "## An answer", places["answer"]]
    if "call" in found:
        blocks += ["## Thinking and a call", places["call"]]
    blocks += ["## How it ends"]
    for end in ENDS:
        if end in found:
            blocks += [f"`{end}`:", places[end]]
    return "\n\n".join([*blocks, "See [what each dialect tells](../dialects.md)."]) + "\n"


class Missing(msgspec.Struct, frozen=True):
    """A row of the table of known failures; see tests/llm/judge/known.py."""

    way: str
    dialect: str
    kind: str
    why: str
    permanent: bool = False


def missing() -> list[Missing]:
    """The rows: those of the file, and what dialects declare."""
    found = msgspec.convert(msgspec.toml.decode(KNOWN.read_bytes())["known"], list[Missing])
    declared = ((name, kind, why) for name, made in DIALECTS.items() for kind, why in made.differs.items())
    return [*found, *(Missing("across", name, kind, why, permanent=True) for name, kind, why in declared)]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines).replace("|  |", "| |") + "\n"


def link(name: str) -> str:
    """A dialect, with its page."""
    return f"[`{name}`](dialects/{SHARED.get(name, name)}.md)"


def dialects() -> str:
    """All dialects."""
    rows = [
        (link(name), made.clients, f"`{made.media_type.decode().partition(';')[0]}`", "yes" if made.has_ids else "no")
        for name, made in DIALECTS.items()
    ]
    return table(("dialect", "for", "content type", "ids"), rows)


def lacking() -> str:
    """What each dialect has no place for."""
    rows = []
    for kind, what in KINDS.items():
        without = [name for name, made in DIALECTS.items() if kind in made.lacks]
        rows.append((kind, what, ", ".join(f"`{name}`" for name in without)))
    return table(("kind", "what it is", "left out by"), rows)


def differing() -> str:
    """What clients do not see as from the provider itself."""
    ways = {"own": "speaks it too", "across": "speaks another one"}
    rows = []
    for row in missing():
        why = row.why if row.permanent else f"{row.why} Not mended yet."
        rows.append((f"`{row.dialect}`", ways.get(row.way, "the proxy asks"), row.kind, why))
    return table(("dialect", "of a run whose source", "what", ""), rows)


def sources() -> str:
    """What a source may yield."""
    ours = [
        ("strings; bytes, as UTF-8 cut anywhere", "text", ""),
        *((item.what, item.note, item.last) for provider in PROVIDERS for item in provider.items),
        ('`{"content": ...}`, `{"error": ...}`', "text, an error", ""),
        ("parts, as objects or dicts", "themselves", ""),
    ]
    return table(("item", "", "the last one"), ours)


def endpoints() -> str:
    """What the proxy knows as a stream."""
    forms = {"sse": "events", "lines": "lines of JSON", "array": "one array"}
    rows = []
    for endpoint in (endpoint for provider in PROVIDERS for endpoint in provider.endpoints):
        for example in endpoint.examples:
            path, _, query = example.partition("?")
            name = endpoint.stream_of(query, {"stream": True})
            is_asked = not endpoint.stream_of(query, {})
            body = '`"stream": true`' if is_asked else ""
            rows.append((f"`{path}{'?' if query else ''}{query}`", body, forms[FORMS[name]], f"`{name}`"))
    return table(("asked at", "with", "comes as", "dialect"), rows)


def links() -> str:
    """The pages of the dialects, for the index."""
    return ", ".join(f"[{name}](reference/dialects/{name}.md)" for name in DIALECTS if name not in SHARED)


#: Generated blocks by their page and title.
BLOCKS: Final = {
    OVERVIEW: {"dialects": dialects, "lacking": lacking, "missing": differing, "sources": sources},
    PROXY: {"endpoints": endpoints},
    INDEX: {"dialects": links},
}


def render() -> dict[Path, str]:
    """Every page by its file."""
    found = {PAGES / f"{name}.md": page(name) for name in DIALECTS if name not in SHARED}
    for path, made in BLOCKS.items():
        text = path.read_text("utf-8")
        for title, block in made.items():
            text = placed(text, title, block(), path)
        found[path] = text
    return found


def main() -> int:
    """Write the pages that are stale."""
    for path, text in render().items():
        if not path.exists():
            sys.stdout.write(f"{path} is new, with the words of the dialect's module: say more where it needs it\n")
        if not path.exists() or path.read_text("utf-8") != text:
            sys.stdout.write(f"written: {path.name}\n")
            path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
