"""`websocket.proto`, from the structs of the messages and the numbers of their fields."""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import Final

import msgspec

from headwater.model import Principal
from headwater.protocol.given import GivenConfig
from headwater.protocol.websocket.schema import CLIENT_NUMBERS, FIELDS, SERVER_NUMBERS, Field, Kind, Members, Producer

_TYPES: Final = {
    Kind.TEXT: "string",
    Kind.INTEGER: "int64",
    Kind.NUMBER: "double",
    Kind.FLAG: "bool",
    Kind.BYTES: "bytes",
    Kind.VALUE: "bytes",
    Kind.FACTS: "bytes",
    Kind.COUNTS: "map<string, int64>",
    Kind.PRODUCER: "Producer",
    Kind.PRINCIPAL: "Principal",
    Kind.CONFIG: "Config",
    Kind.MEMBERS: "Members",
}
#: What is said by its type alone.
_MESSAGES: Final = (Kind.PRODUCER, Kind.PRINCIPAL, Kind.CONFIG, Kind.MEMBERS)
_WIDTH: Final = 100

_HEAD: Final = """\
// Written by scripts/generate_docs.py from the structs of the messages; do not edit.
//
// The messages of a WebSocket connection to {root}-/connect in the subprotocol headwater.v1+protobuf: each binary
// message of a client is a ClientMessage, each of the server a ServerMessage. What they mean is in websocket.md.
// A field that says "JSON" has the text of a JSON value; records that are told are bytes, as they are stored. Numbers
// are never given out twice.

syntax = "proto3";

package headwater.v1;
"""


def written() -> str:
    """The whole file."""
    parts = [_HEAD]
    for name, table in (("ClientMessage", CLIENT_NUMBERS), ("ServerMessage", SERVER_NUMBERS)):
        lines = [f"    {cls.__name__} {cls.__struct_config__.tag} = {number};" for number, cls in table.items()]
        parts.append("\n".join([f"message {name} {{", "  oneof message {", *lines, "  }", "}\n"]))
    parts += [_message(cls) for table in (CLIENT_NUMBERS, SERVER_NUMBERS) for cls in table.values()]
    parts += [_message(Producer), _message(Principal), _message(Members), _message(GivenConfig, "Config")]
    return "\n".join(parts)


def _message(cls: type[msgspec.Struct], name: str | None = None) -> str:
    doc = inspect.getdoc(cls) or ""
    head, _, attributes = doc.partition("\n\nAttributes:\n")
    texts = dict(re.findall(r"^    (\w+): (.*(?:\n        .*)*)", attributes, re.MULTILINE))
    lines = [*_comment(" ".join(head.split()), ""), f"message {name or cls.__name__} {{"]
    for field in FIELDS[cls]:
        text = " ".join(texts.get(field.name, "").split())
        lines += _comment(("JSON: " if field.kind in (Kind.VALUE, Kind.FACTS) else "") + text, "  ")
        lines.append(f"  {_label(field)}{_TYPES[field.kind]} {field.told} = {field.number};")
    return "\n".join([*lines, "}\n"])


def _label(field: Field) -> str:
    if field.is_list:
        return "repeated "
    return "optional " if field.is_optional and field.kind not in _MESSAGES else ""


def _comment(text: str, indent: str) -> list[str]:
    return [f"{indent}// {line}" for line in textwrap.wrap(text, _WIDTH)]
