"""Write docs/reference/asyncapi.json, or with --check fail if it is stale: `python -m scripts.asyncapi`.

Rule: messages are what their structs say, as on the page of messages; nothing is written twice.
"""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from typing import Any, Final

import msgspec
from scripts.generate_docs import ROOT, sections

from headwater.protocol.websocket import messages
from headwater.protocol.websocket.codec import JsonCodec

FILE: Final = ROOT / "docs" / "reference" / "asyncapi.json"
_REF: Final = "#/components/schemas/{name}"


def document() -> dict[str, Any]:
    """The file, as AsyncAPI 3.0 has it."""
    tables = {"client": messages.CLIENT, "server": messages.SERVER}
    structs = [cls for table in tables.values() for cls in table]
    names = {f"{side}-{_tag(cls)}": cls.__name__ for side, table in tables.items() for cls in table}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Headwater on a WebSocket",
            "version": "1",
            "description": "Many streams on one connection, both ways. Fields that are not known are let through.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {"local": {"host": "localhost:4437", "pathname": "/v1/stream", "protocol": "ws"}},
        "channels": {
            "connect": {
                "address": "/-/connect",
                "description": "A connection of many streams. The client's first message is `hello`.",
                "messages": {key: {"$ref": f"#/components/messages/{name}"} for key, name in names.items()},
                "bindings": {"ws": {"method": "GET", "headers": _headers(), "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {
            "receive": _operation("receive", "What a client sends.", names, "client-"),
            "send": _operation("send", "What the server sends.", names, "server-"),
        },
        "components": {
            "messages": {cls.__name__: _message(cls) for cls in structs},
            "schemas": _schemas(structs),
        },
    }


def _headers() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"Sec-WebSocket-Protocol": {"type": "string", "const": JsonCodec.name}},
        "required": ["Sec-WebSocket-Protocol"],
    }


def _operation(action: str, summary: str, names: dict[str, str], side: str) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/connect"},
        "messages": [{"$ref": f"#/channels/connect/messages/{key}"} for key in names if key.startswith(side)],
    }


def _message(cls: type[msgspec.Struct]) -> dict[str, Any]:
    return {"name": _tag(cls), "summary": _summary(cls), "payload": {"$ref": _REF.format(name=cls.__name__)}}


def _schemas(structs: list[type[msgspec.Struct]]) -> dict[str, Any]:
    """JSON Schemas by the names of the structs, with the texts of their docstrings."""
    _, found = msgspec.json.schema_components(structs, ref_template=_REF)
    by_name = {cls.__name__: cls for cls in structs}
    for name, schema in found.items():
        cls = by_name.get(name)
        schema.pop("title", None)
        schema.pop("description", None)
        if cls is None:
            continue
        texts = sections(inspect.getdoc(cls) or "").get("Attributes", {})
        for field in msgspec.structs.fields(cls):
            schema["properties"][field.encode_name]["description"] = texts[field.name]
    _as_draft_7(found)
    return found


def _as_draft_7(schema: Any) -> None:
    """The schemas of AsyncAPI are of draft 7, in which the items of a tuple have another word."""
    if isinstance(schema, list):
        for each in schema:
            _as_draft_7(each)
    elif isinstance(schema, dict):
        if "prefixItems" in schema:
            schema["items"], schema["additionalItems"] = schema.pop("prefixItems"), False
        for each in schema.values():
            _as_draft_7(each)


def _tag(cls: type[msgspec.Struct]) -> str:
    return str(cls.__struct_config__.tag)


def _summary(cls: type[msgspec.Struct]) -> str:
    return (inspect.getdoc(cls) or "").partition("\n\nAttributes:")[0].replace("\n", " ")


def render() -> str:
    """Its text."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Write it, or compare it; 1: it is stale."""
    parser = argparse.ArgumentParser(description="Write docs/reference/asyncapi.json.")
    parser.add_argument("--check", action="store_true", help="only say whether it is stale")
    check: bool = parser.parse_args().check
    stale = not FILE.exists() or FILE.read_text("utf-8") != render()
    if stale:
        sys.stdout.write(f"{'stale' if check else 'written'}: {FILE.relative_to(ROOT)}\n")
        if not check:
            FILE.write_text(render(), "utf-8")
    return int(check and stale)


if __name__ == "__main__":
    sys.exit(main())
