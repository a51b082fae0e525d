"""The classes of `websocket.proto`, made by Protobuf's own compiler and library."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_tools import protoc

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@cache
def classes() -> dict[str, Any]:
    """By the messages' names."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "set")
        assert protoc.main(["", f"-I{REFERENCE}", f"--descriptor_set_out={out}", "websocket.proto"]) == 0
        found = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in found.file:
        pool.Add(file)
    names = [message.name for message in found.file[0].message_type]
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"headwater.v1.{name}")) for name in names}
