"""Write the generated pages of docs/reference, or with --check fail if one of them is stale.

Rule: a page is made of what the code says: docstrings, tables, `--help`. Nothing is written twice.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, get_args, get_origin

import click
import msgspec
from scripts import proto

import headwater
import headwater.client
import headwater.client.sync
import headwater.llm
import headwater.publisher
import headwater.stores
import headwater.testing
import headwater.testing.server
from headwater import Hub, errors
from headwater.cli.group import COMMANDS, group
from headwater.http.access.routes import MESSAGES, ROUTES, RUNS
from headwater.http.metrics import HubCollector
from headwater.http.process import ProcessFigures
from headwater.http.service import Service
from headwater.hub import ReaderInfo, Stats
from headwater.hub.access.refusals import Refused, TakenBack, TicketMade
from headwater.protocol import names
from headwater.protocol.cursor import TRANSITIONS, State, Step
from headwater.protocol.websocket import messages
from headwater.server.listener import CannotListen
from headwater.server.settings import InvalidSettings, Setting, describe_settings
from headwater.stores import StoreFigures
from headwater.stores.registry import UnknownStore
from headwater.stores.sqlite import SqliteOptions, SqliteStore

ROOT: Final = Path(__file__).resolve().parent.parent
REFERENCE: Final = ROOT / "docs" / "reference"
NOTE: Final = "<!-- Written by scripts/generate_docs.py; do not edit. -->\n\n"
#: Columns of `--help` on the page.
HELP_WIDTH: Final = 90
#: Errors of a start that fails; no client ever meets them.
START_ERRORS: Final = (errors.MissingExtra, InvalidSettings, UnknownStore, CannotListen)


def errors_page() -> str:
    """Every error a client can meet, then the ones of a failed start."""
    lines = [
        "# Errors\n",
        "An error is answered as a JSON problem (RFC 9457), `application/problem+json`, with the fields `type`,",
        "`title`, `status`, `code`, `detail` and `advice`, and facts such as `next_offset` beside them. Decide by",
        "`code`: it never changes, the texts may. In plain SSE the same object comes as the event `stream-error`, in",
        "NDJSON as the line `error`, each with the `offset` where the reader stood. On a WebSocket it is the message",
        "`err`; the WebSocket column is the close code of a connection that ends with it.\n",
        "| code | status | WebSocket | Retry-After | meaning | what to do |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| `{cls.code}` | {cls.status} | {cls.ws_close} | {'' if cls.retry_after is None else cls.retry_after} "
        f"| {cls.title()} | {_cell(cls.advice)} |"
        for cls in errors.error_table()
        if cls.__module__ == errors.__name__
    ]
    lines += [
        "\nIn Python each is a class of `headwater.errors` with the same code; all are kinds of `HeadwaterError`.\n",
        "## Errors of a start\n",
        "| code | class | meaning |",
        "| --- | --- | --- |",
    ]
    lines += [f"| `{cls.code}` | `{cls.__name__}` | {cls.title()} |" for cls in START_ERRORS]
    return "\n".join(lines) + "\n"


def access_page() -> str:
    """Every route, and what must be granted for it."""
    lines = [
        "# Access, route by route\n",
        "What must be granted for each request, where the server or the application says who may do what; see [Say who",
        "may do what](../howto/authorize.md). All of it must be, on every path that is named. It is asked before the",
        "store is touched, on every way in, also where the same bytes came before, and again when a body is whole.\n",
        "The subject of what is appended is kept with it, and told to who reads the stream with",
        "[envelopes](http.md#envelopes).\n",
    ]
    for title, routes in (("HTTP", ROUTES), ("Messages of a WebSocket", MESSAGES), ("Runs and chats", RUNS)):
        lines += [f"## {title}\n", "| request | operations | on |", "| --- | --- | --- |"]
        lines += [
            f"| {route.request} | {', '.join(f'`{each}`' for each in route.operations) or 'none'} | {route.on} |"
            for route in routes
        ]
        lines.append("")
    lines += [
        "## Lines of the log\n",
        "What is refused by who may do what and how often, and what is taken back, is a line each in the logger",
        "`headwater.access`, at the level `info`: the event, a space, one object of JSON. Fields that say nothing are",
        "left out. No line has a token, a cookie or a key. `/-/metrics` counts the same:",
        "`headwater_access_refused_total` and `headwater_access_ended_total`, by reason. A page makes a ticket for",
        "each of its connections: those are a figure, `headwater_access_tickets_total`, and lines at the level `debug`",
        "alone.\n",
        '    access.refused {"reason":"not-granted","op":["read"],"path":["rooms/7"],"subject":"u42",'
        '"issuer":"https://app.example","proof":"authorization","address":"192.0.2.7"}\n',
    ]
    for title, line in (
        ("`access.refused`", Refused),
        ("`access.revoked` and `access.kicked`", TakenBack),
        ("`access.ticket`", TicketMade),
    ):
        texts = sections(inspect.getdoc(line) or "")["Attributes"]
        lines += [f"### {title}\n", "| field | meaning |", "| --- | --- |"]
        lines += [f"| `{f.name}` | {_cell(texts[f.name])} |" for f in msgspec.structs.fields(line)]
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


def settings_page() -> str:
    """Every setting, and the options of the SQLite store."""
    rows = [_setting_row(setting) for setting in describe_settings()]
    fields = msgspec.structs.fields(SqliteOptions)
    texts = sections(inspect.getdoc(SqliteOptions) or "")["Attributes"]
    options = [f"| `{f.name}` | {_value(f.default)} | {_cell(texts[f.name])} |" for f in fields]
    return "\n".join(
        [
            "# Settings\n",
            "`headwater serve` takes every setting from a TOML file (`--config`, or the variable `HEADWATER_CONFIG`),",
            "from the environment and from flags; the later wins. The name in the file is the one in the first column;",
            "the variable is `HEADWATER_` and the name in upper case; the flag has dashes for underscores. Sizes are",
            "bytes and times are seconds.\n",
            "| setting | default | meaning |",
            "| --- | --- | --- |",
            *rows,
            "\nThe settings from `max_body_bytes` on are `headwater.Limits`: in process, `Hub(limits=Limits(...))`.\n",
            "## Options of the SQLite store\n",
            "In the store's URL as a query: `sqlite:app.db?synchronous=normal&readers=4`.\n",
            "| option | default | meaning |",
            "| --- | --- | --- |",
            *options,
            "",
        ]
    )


def _setting_row(setting: Setting) -> str:
    return f"| `{setting.name}` | {_value(setting.default)} | {_cell(setting.help)} |"


def states_page() -> str:
    """The reader's states, from their table."""
    edges: dict[tuple[State, State], list[str]] = {}
    for state, steps in TRANSITIONS.items():
        for step, target in steps.items():
            edges.setdefault((state, target), []).append(step.value)
    diagram = [f"    {_node(a)} --> {_node(b)}: {', '.join(steps)}" for (a, b), steps in edges.items()]
    heads = " | ".join(step.value for step in Step)
    rows = [
        f"| **{state.value}** | " + " | ".join(_target(TRANSITIONS[state].get(step)) for step in Step) + " |"
        for state in State
    ]
    return "\n".join(
        [
            "# States of a reader\n",
            "A live reader is a cursor in one of four states: *catching-up* reads the log, *live* waits at the tail,",
            "*waiting* waits for its stream to be made, *ended* is the end. The table is `TRANSITIONS` in",
            "`src/headwater/protocol/cursor.py`.\n",
            "```mermaid\nstateDiagram-v2",
            f"    [*] --> {_node(State.CATCHING_UP)}",
            *diagram,
            f"    {_node(State.ENDED)} --> [*]\n```\n",
            f"| state | {heads} |",
            "| --- |" + " --- |" * len(Step),
            *rows,
            "\n*more*: a batch that ends before the tail. *up-to-date*: a batch that ends at the tail. *closed*: a",
            "batch that ends at the tail of a closed stream. *idle*: nothing for a heartbeat. *failed*: the stream was",
            "deleted or expired, or reading it failed. *detached*: the server lets the reader go, to come back.",
            "*missing*: it came before its stream. *made*: the stream is there.\n",
            "A reader whose connection is full, or who has no credit, is shown as *paused*. That is no state of the",
            "cursor: while it lasts, nothing of this table happens to it but *failed* and *detached*.\n",
        ]
    )


def _node(state: State) -> str:
    return state.name.lower()


def _target(state: State | None) -> str:
    return state.value if state else ""


def cli_page() -> str:
    """`--help` of every command."""
    context = click.Context(group, info_name="headwater", terminal_width=HELP_WIDTH, **group.context_settings)
    parts = [f"# Command line\n\n```text\n{group.get_help(context)}\n```\n"]
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        child = click.Context(command, info_name=name, parent=context, terminal_width=HELP_WIDTH)
        parts.append(f"## headwater {name}\n\n```text\n{command.get_help(child)}\n```\n")
        for below, inner in (command.commands if isinstance(command, click.Group) else {}).items():
            leaf = click.Context(inner, info_name=below, parent=child, terminal_width=HELP_WIDTH)
            parts.append(f"## headwater {name} {below}\n\n```text\n{inner.get_help(leaf)}\n```\n")
    return "\n".join(parts)


def python_page() -> str:
    """Every public name, from its docstring."""
    parts = [
        "# Python\n",
        "Only what is on this page is public; everything else may change in any release.\n",
    ]
    for module in (
        headwater,
        headwater.client,
        headwater.client.sync,
        headwater.llm,
        headwater.publisher,
        headwater.stores,
        headwater.testing,
        headwater.testing.server,
    ):
        parts.append(f"## {module.__name__}\n\n{_prose(inspect.getdoc(module) or '')}\n")
        parts += [_entry(name, getattr(module, name)) for name in sorted(module.__all__)]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(parts))


def _entry(name: str, thing: Any) -> str:
    if inspect.isclass(thing) and not inspect.isabstract(thing):
        text = f"### {name}\n\n{_prose(_own_doc(thing))}\n"
        members = {key: value for cls in reversed(thing.__mro__[:-1]) for key, value in vars(cls).items()}
        if issubclass(thing, Service):
            # What its drivers call is nobody else's business.
            members = {key: value for key, value in members.items() if not hasattr(Service, key)}
        return text + "".join(
            _member(name, key, value)
            for key, value in members.items()
            if not key.startswith("_") and _is_documented(value, getattr(thing, key, None))
        )
    if callable(thing) and inspect.isfunction(thing):
        return f"### {name}\n\n```python\n{_signature(name, thing)}\n```\n\n{_prose(inspect.getdoc(thing) or '')}\n"
    return f"### {name}\n\n{CONSTANTS[name]}\n"


#: Public names that have no docstring of their own.
CONSTANTS: Final = {
    "STORE_CHECKS": "Every check of the contract, to parametrize a test suite with; `name` makes a readable id.",
    "LIMITS": "Of the hub, unless others are given: heartbeats and long-polls of a second.",
    "MakeStore": "What makes a store to test: a function of a clock, which gives a new store that is not open.",
    "Reopen": "What makes another store over the data of a closed one: a function of that store and the clock.",
}


def _is_documented(value: Any, bound: Any) -> bool:
    if isinstance(value, classmethod | staticmethod):
        return False
    ours = getattr(bound, "__module__", "") or getattr(getattr(value, "fget", None), "__module__", "")
    is_ours = ours.startswith("headwater") or type(value).__name__ == "cached_property"
    kind = inspect.isfunction(value) or isinstance(value, property) or type(value).__name__ == "cached_property"
    return is_ours and kind and bool(value.__doc__)


def _member(owner: str, name: str, value: Any) -> str:
    head = _signature(name, value) if inspect.isfunction(value) else f"{name}  # a property"
    text = _with_options(value, _prose(inspect.getdoc(value) or ""))
    return f"#### {owner}.{name}\n\n```python\n{head}\n```\n\n{text}\n"


def _own_doc(cls: type) -> str:
    return inspect.cleandoc(cls.__doc__ or "")


def _signature(name: str, function: Any) -> str:
    """The signature with its annotations as they stand in the source."""
    signature = inspect.signature(function)
    parts: list[str] = []
    starred = False
    for parameter in signature.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        if parameter.kind is parameter.VAR_KEYWORD and (options := _options(function)) is not None:
            parts += ["*"] * (not starred)
            parts += [f"{option}: {kind.__forward_arg__} = ..." for option, kind in options.__annotations__.items()]
            continue
        text = f"{parameter.name}: {parameter.annotation}"
        parts.append(text if parameter.default is parameter.empty else f"{text} = {parameter.default!r}")
    is_async = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
    return f"{'async ' if is_async else ''}def {name}({', '.join(parts)}) -> {signature.return_annotation}"


def _options(function: Any) -> Any:
    """The TypedDict whose fields a function takes as `**options` (PEP 692); None: there is none."""
    found = re.search(r"Unpack\[(\w+)\]", str(getattr(function, "__annotations__", {}).get("options", "")))
    return function.__globals__[found[1]] if found else None


def _with_options(function: Any, text: str) -> str:
    """A function's text with the fields of its `**options` in their place."""
    options = _options(function)
    if options is None:
        return text
    items = sections(inspect.getdoc(options) or "")["Attributes"]
    lines = "\n".join(f"- `{name}`: {what}" for name, what in items.items())
    return re.sub(r"^- `\*\*options`: .*$", lambda _: lines, text, flags=re.MULTILINE)


def _prose(text: str) -> str:
    """A Google docstring as Markdown: its sections become lists, its literal block a code block."""
    body, *rest = _split_sections(text)
    parts = [_literal(body)]
    for title, section in rest:
        if title in ("Args", "Attributes"):
            items = _items(section)
            parts.append(f"**{title}**\n\n" + "\n".join(f"- `{name}`: {text}" for name, text in items.items()))
        else:
            parts.append(f"**{title}**: " + " ".join(line.strip() for line in section))
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def _literal(body: str) -> str:
    before, marker, code = body.partition("\n::\n")
    return f"{before}\n\n```python\n{inspect.cleandoc(code)}\n```" if marker else body.strip()


def _split_sections(text: str) -> list[Any]:
    found: list[Any] = [""]
    section: list[str] | None = None
    for line in text.splitlines():
        if line in ("Args:", "Attributes:", "Raises:", "Returns:"):
            section = []
            found.append((line[:-1], section))
        elif section is not None and (line.startswith(" ") or not line):
            section.append(line)
        else:
            section = None
            found[0] += line + "\n"
    return found


def sections(text: str) -> dict[str, dict[str, str]]:
    """The items of a Google docstring, by the titles of its sections."""
    return {title: _items(section) for title, section in _split_sections(text)[1:]}


def _items(section: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in section:
        if line.startswith("    ") and not line.startswith("     "):
            name, _, text = line.strip().partition(": ")
            found[name] = text
        elif line.strip():
            found[next(reversed(found))] += " " + line.strip()
    return found


def http_page() -> str:
    """http.md as it is, with the lists in it written anew."""
    page = (REFERENCE / "http.md").read_text("utf-8")
    page = _put(page, "cors sent", _headers(names.CORS_REQUEST_HEADERS))
    return _put(page, "cors read", _headers(names.CORS_RESPONSE_HEADERS))


def messages_page() -> str:
    """The messages of a WebSocket connection, from their structs."""
    lines = [
        "# Messages of a WebSocket connection\n",
        "What each side says on [`{root}-/connect`](websocket.md). A message is an object whose `t` names it. Fields",
        "that are needed have no default. What is not known is let through; a `t` is refused by itself.\n",
    ]
    for title, table in (("From the client", messages.CLIENT), ("From the server", messages.SERVER)):
        lines.append(f"## {title}\n")
        for cls in table:
            lines += _message(cls)
    return "\n".join(lines)


def _message(cls: type[msgspec.Struct]) -> list[str]:
    doc = inspect.getdoc(cls) or ""
    texts = sections(doc).get("Attributes", {})
    head = doc.partition("\n\nAttributes:")[0].replace("\n", " ")
    lines = [f"### {cls.__struct_config__.tag}\n", f"{head}\n"]
    fields = msgspec.structs.fields(cls)
    if fields:
        lines += ["| field | type | default | meaning |", "| --- | --- | --- | --- |"]
    for field in fields:
        default = "needed" if field.required else _default(field)
        text = _cell(texts[field.name])
        lines.append(f"| `{field.encode_name}` | {_kind(field.type)} | {default} | {text} |")
    return [*lines, ""] if fields else lines


def _default(field: msgspec.structs.FieldInfo) -> str:
    value = field.default if field.default is not msgspec.NODEFAULT else {}
    return "none" if value in (None, msgspec.UNSET) else f"`{json.dumps(value)}`"


def _kind(kind: Any) -> str:
    if isinstance(kind, types.UnionType):
        return " or ".join(_kind(each) for each in kind.__args__ if each not in (types.NoneType, msgspec.UnsetType))
    origin = get_origin(kind)
    if origin is tuple:
        return f"[{', '.join(map(_kind, get_args(kind)))}]"
    if origin is list:
        return f"list of {_kind(get_args(kind)[0])}"
    return _KINDS.get(kind, "object")


_KINDS: Final[dict[Any, str]] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    bytes: "base64",
    msgspec.Raw: "value",
}


def figures_page() -> str:
    """figures.md as it is, with the fields and the metrics written anew."""
    page = (REFERENCE / "figures.md").read_text("utf-8")
    for title, struct in (
        ("stats", Stats),
        ("process", ProcessFigures),
        ("store", StoreFigures),
        ("reader", ReaderInfo),
    ):
        fields = sections(inspect.getdoc(struct) or "")["Attributes"]
        rows = [f"| `{name}` | {_cell(text)} |" for name, text in fields.items()]
        page = _put(page, title, "\n".join(["| field | meaning |", "| --- | --- |", *rows]))
    heads = ["| metric | type | labels | meaning |", "| --- | --- | --- | --- |"]
    return _put(page, "metrics", "\n".join([*heads, *_metrics()]))


def _metrics() -> list[str]:
    """A row for each metric of a hub on a store that tells all it can."""
    families = [*HubCollector(Hub(SqliteStore("figures.db"))).collect()]
    return [
        f"| `{family.name}{'_total' if family.type == 'counter' else ''}` | {family.type} "
        f"| {', '.join(f'`{label}`' for label in getattr(family, '_labelnames', ()))} | {_cell(family.documentation)} |"
        for family in families
    ]


def _headers(headers: tuple[bytes, ...]) -> str:
    return ", ".join(f"`{header.decode()}`" for header in headers)


def _put(page: str, title: str, text: str) -> str:
    start, end = f"<!-- generated: {title} -->\n", "<!-- end -->"
    before, found, rest = page.partition(start)
    assert found, title
    return f"{before}{start}\n{text}\n\n{end}{rest.partition(end)[2]}"


def _value(value: Any) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"`{', '.join(value) if isinstance(value, tuple) else value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").removesuffix(".") + "."


PAGES: Final[dict[str, Callable[[], str]]] = {
    "errors.md": errors_page,
    "access.md": access_page,
    "settings.md": settings_page,
    "states.md": states_page,
    "cli.md": cli_page,
    "python.md": python_page,
    "http.md": http_page,
    "figures.md": figures_page,
    "websocket-messages.md": messages_page,
    "websocket.proto": proto.written,
}
#: Pages that are written by hand but for their lists.
BY_HAND: Final = ("http.md", "figures.md")
#: That are no pages, and say themselves where they are from.
_NO_PAGES: Final = ("websocket.proto",)


def render() -> dict[Path, str]:
    """Every generated page by its file."""
    without = (*BY_HAND, *_NO_PAGES)
    return {REFERENCE / name: ("" if name in without else NOTE) + make() for name, make in PAGES.items()}


def main() -> int:
    """Write the pages, or compare them; 1: one is stale."""
    parser = argparse.ArgumentParser(description="Write the generated pages of docs/reference.")
    parser.add_argument("--check", action="store_true", help="only say which pages are stale")
    check: bool = parser.parse_args().check
    stale = [(path, text) for path, text in render().items() if not path.exists() or path.read_text("utf-8") != text]
    for path, text in stale:
        sys.stdout.write(f"{'stale' if check else 'written'}: {path.relative_to(ROOT)}\n")
        if not check:
            path.write_text(text, "utf-8")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
