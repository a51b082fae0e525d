"""Write the examples on the pages of the dialects, told by the dialects themselves, and what each does not carry.

Rule: what a page shows is what the code sends, and what the tests have seen missing. The prose is written by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
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
from headwater.llm.providers.registry import DIALECTS, dialect

PAGES: Final = Path(__file__).resolve().parent.parent / "docs" / "reference" / "dialects"
OVERVIEW: Final = PAGES.with_suffix(".md")
KNOWN: Final = PAGES.parents[2] / "tests" / "llm" / "judge" / "known.toml"

#: Dialects whose differences are told on the page of another one.
SHARED: Final = {"ai-sdk-7": "ai-sdk", "gemini-array": "gemini"}

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
    if name not in ("plain", "text"):
        found["call"] = told(name, TOOL, finished)
    if name != "text":
        found |= {title: told(name, SAYING, ending, after=len(SAYING)) for title, ending in ENDS.items()}
    return found


def page(name: str) -> str:
    """A page as it is, with its examples written anew."""
    text = (PAGES / f"{name}.md").read_text("utf-8")
    for title, example in examples(name).items():
        start, end = f"<!-- generated: {title} -->\n", "<!-- end -->"
        before, found, rest = text.partition(start)
        if not found:
            raise ValueError(f"{name}.md has no place for {title!r}")
        text = f"{before}{start}\n```text\n{example.rstrip()}\n```\n\n{end}{rest.partition(end)[2]}"
    return text


class Missing(msgspec.Struct, frozen=True):
    """A row of the table of known failures; see tests/llm/judge/known.py."""

    way: str
    dialect: str
    kind: str
    why: str
    permanent: bool = False


def missing() -> list[Missing]:
    """The rows, by way and dialect, as the file has them."""
    return msgspec.convert(msgspec.toml.decode(KNOWN.read_bytes())["known"], list[Missing])


def table() -> str:
    """What clients do not see, as a table."""
    lines = ["| dialect | of a run whose source | what | |", "| --- | --- | --- | --- |"]
    for row in missing():
        source = {"own": "speaks it too", "across": "speaks another one"}.get(row.way, "the proxy asks")
        why = row.why if row.permanent else f"{row.why} Not mended yet."
        lines.append(f"| `{row.dialect}` | {source} | {row.kind} | {why} |")
    return "\n".join(lines)


def overview() -> str:
    """The page of all dialects, with that table."""
    text = OVERVIEW.read_text("utf-8")
    start, end = "<!-- generated: missing -->\n", "<!-- end -->"
    before, found, rest = text.partition(start)
    if not found:
        raise ValueError(f"{OVERVIEW.name} has no place for what is missing")
    return f"{before}{start}\n{table()}\n\n{end}{rest.partition(end)[2]}"


def render() -> dict[Path, str]:
    """Every page by its file."""
    pages = {PAGES / f"{name}.md": page(name) for name in DIALECTS if name not in SHARED}
    return {**pages, OVERVIEW: overview()}


def main() -> int:
    """Write the pages that are stale."""
    for path, text in render().items():
        if path.read_text("utf-8") != text:
            sys.stdout.write(f"written: {path.name}\n")
            path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
