"""Output items of tools that OpenAI runs itself, as calls with results, so that other dialects tell them too.

The names are those of the AI SDK's provider for OpenAI. The items themselves are kept beside the parts, for this
dialect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from headwater.llm.parts import OURS, File, Json, ToolApproval, ToolError, ToolOutput, ToolReady, ToolStart
from headwater.llm.providers.builder import Builder
from headwater.llm.providers.source import said, text_of

#: Items whose input is complete when they are done, and what of them it is.
_INPUTS: Final[dict[str, Callable[[Json], Any]]] = {
    "web_search": lambda item: _of(item, "action"),
    "file_search": lambda item: _of(item, "queries"),
    "code_interpreter": lambda item: {"code": item.get("code"), "containerId": item.get("container_id")},
}
_OUTPUTS: Final[dict[str, tuple[str, ...]]] = {
    "web_search": ("action", "sources"),
    "file_search": ("results",),
    "code_interpreter": ("outputs",),
}
_FORMATS: Final = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}


class Hosted:
    """The items of one response.

    Args:
        builder: of the run's parts.
    """

    def __init__(self, builder: Builder) -> None:
        self._builder: Final = builder

    def begin(self, item: Json, id: str) -> None:
        """An item was added."""
        name = _name(item)
        if name:
            self._builder.open_tool(ToolStart(id, name, True, dynamic=_is_of_mcp(item), metadata=_metadata(item, id)))

    def end(self, item: Json, id: str) -> None:
        """An item is done."""
        builder, kind = self._builder, text_of(item.get("type"))
        if kind == "image_generation_call":
            self._paint(item)
        elif name := _name(item):
            metadata = _metadata(item, id)
            builder.put_ready(ToolReady(id, name, _input(item), True, _is_of_mcp(item), metadata=metadata))
            if kind == "mcp_approval_request":
                builder.put(ToolApproval(id, id))
                return
            failure = _failure(item)
            if failure is None:
                builder.put_output(ToolOutput(id, _output(item), metadata=metadata))
            else:
                builder.put_error(ToolError(id, failure, metadata=metadata))

    def _paint(self, item: Json) -> None:
        """The image is in the part alone; the item is told again with it."""
        image = text_of(item.get("result"))
        if image:
            media_type = _FORMATS.get(text_of(item.get("output_format")), "image/png")
            rest = {key: value for key, value in item.items() if key != "result"}
            url = f"data:{media_type};base64,{image}"
            self._builder.put(File(url, media_type, metadata={"openai-responses": {"item": rest}}))


def is_painted(item: Json) -> bool:
    """The item is an image, which a part holds whole."""
    return item.get("type") == "image_generation_call" and bool(text_of(item.get("result")))


def is_hosted(item: Json) -> bool:
    """The item is a call that other dialects are told, too; or an image that never came."""
    return bool(_name(item)) or item.get("type") == "image_generation_call"


def _name(item: Json) -> str:
    """Of the tool; empty: the item is no call that OpenAI runs."""
    kind = text_of(item.get("type"))
    if _is_of_mcp(item):
        return text_of(item.get("name"))
    name = kind.removesuffix("_call")
    return name if name in _INPUTS else ""


def _is_of_mcp(item: Json) -> bool:
    return item.get("type") in ("mcp_call", "mcp_approval_request")


def _metadata(item: Json, id: str) -> Json:
    label = {"serverLabel": item["server_label"]} if item.get("server_label") else {}
    return {"openai": {"itemId": id, "type": item.get("type"), **label}, OURS: {"told": "openai-responses"}}


def _input(item: Json) -> Any:
    if not _is_of_mcp(item):
        return _INPUTS[_name(item)](item)
    text = text_of(item.get("arguments"))
    try:
        return msgspec.json.decode(text or "{}")
    except msgspec.DecodeError:
        return text


def _output(item: Json) -> Any:
    if _is_of_mcp(item):
        return item.get("output")
    return {key: item.get(key) for key in _OUTPUTS[_name(item)] if said(item.get(key))} | {"status": item.get("status")}


def _failure(item: Json) -> str | None:
    error = item.get("error")
    if said(error):
        return text_of(error.get("message")) if isinstance(error, dict) else str(error)
    return "failed" if item.get("status") in ("failed", "incomplete") else None


def _of(item: Json, *names: str) -> Json:
    return {name: item[name] for name in names if said(item.get(name))}
