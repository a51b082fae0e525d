"""The files of "Say what a stream holds" are what a server takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.docs.pages import ROOT, block

from headwater.errors import SchemaMismatch
from headwater.protocol.schemas.registry import Schemas
from headwater.server.schema_files import load_schemas

PAGE = ROOT / "docs" / "howto" / "schemas.md"


def test_the_folder_of_the_page(tmp_path: Path) -> None:
    """One schema refers to the other; what does not fit is told with its place."""
    for mark in ("file: schemas/message.json", "file: schemas/user.json"):
        file = tmp_path / mark.removeprefix("file: ")
        file.parent.mkdir(exist_ok=True)
        file.write_text(block(PAGE, "json", mark))
    found = Schemas(load_schemas(str(tmp_path / "schemas")))
    found.check("rooms/7", b'{"by": "ada", "text": "hi"}', "record")
    with pytest.raises(SchemaMismatch, match="at #/by"):
        found.check("rooms/7", b'{"by": "", "text": "hi"}', "record")
