"""JSON Schemas from files: which stream holds what, and a file that is none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from tests.support.http import call
from tests.support.processes import headwater_server

from headwater.errors import MissingExtra, SchemaMismatch
from headwater.protocol.schemas.registry import Schemas
from headwater.publisher import Publisher, PublishError
from headwater.server.schema_files import load_schemas
from headwater.server.settings import InvalidSettings

MESSAGE: Final = {
    "x-streams": ["rooms/*", "lobby"],
    "x-signals": ["rooms/*"],
    "type": "object",
    "required": ["by"],
    "properties": {"by": {"$ref": "parts/user.json"}, "to": {"$ref": "parts/user.json#/$defs/name"}},
}
USER: Final = {
    "type": "object",
    "properties": {"name": {"$ref": "#/$defs/name"}},
    "$defs": {"name": {"type": "string"}},
}


def folder(place: Path, files: dict[str, Any]) -> str:
    for name, document in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        text = document if isinstance(document, str) else json.dumps(document)
        (place / name).write_text(text)
    return str(place)


def test_a_folder_says_what_streams_hold(tmp_path: Path) -> None:
    """A file refers to others by their names; what is told has them in it."""
    found = Schemas(load_schemas(folder(tmp_path, {"message.json": MESSAGE, "parts/user.json": USER, "x.txt": "no"})))
    for path in ("rooms/7", "lobby"):
        found.check(path, b'{"by": {"name": "a"}, "to": "b"}', "record")
        with pytest.raises(SchemaMismatch, match=r"does not fit message\.json, which .* holds: .* at #/by/name$"):
            found.check(path, b'{"by": {"name": 1}}', "record")
        with pytest.raises(SchemaMismatch, match="at #/to"):
            found.check(path, b'{"by": {}, "to": 1}', "record")
    with pytest.raises(SchemaMismatch):
        found.check("rooms/7", b"1", "signal")
    found.check("lobby", b"1", "signal")
    told = found.described("rooms/7", "record")
    assert isinstance(told, dict)
    assert "x-streams" not in told
    again = Schemas({"**": dict(told)})
    again.check("a", b'{"by": {"name": "a"}}', "record")
    with pytest.raises(SchemaMismatch, match="at #/by/name"):
        again.check("a", b'{"by": {"name": 1}}', "record")


def test_one_file_is_enough(tmp_path: Path) -> None:
    folder(tmp_path, {"a.json": {"x-streams": ["a"], "type": "integer"}})
    found = Schemas(load_schemas(str(tmp_path / "a.json")))
    with pytest.raises(SchemaMismatch, match=r"does not fit a\.json"):
        found.check("a", b'"x"', "record")
    assert load_schemas(None) == {}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a.json": '{\n "type": ]'}, r"a\.json is no JSON: .* at line 2, column 10"),
        ({"a.json": '{"type": "string", "type": "integer"}'}, "a.json is no JSON: the key 'type' comes twice"),
        ({"a.json": "[" * 100_000}, r"a\.json is no JSON"),
        ({"a.json": {"x-streams": ["a"], "type": "nope"}}, r"a\.json at #/type: .*nope"),
        ({"a.json": {"x-streams": ["a"], "properties": {"b": {"pattern": "("}}}}, "at #/properties/b/pattern"),
        ({"a.json": {"x-streams": ["a"], "$ref": "missing.json"}}, "missing.json.*nothing is fetched"),
        ({"a.json": {"x-streams": ["a"], "$ref": "../../etc/passwd"}}, "nothing is fetched"),
        ({"a.json": {"x-streams": ["a"], "$ref": "http://127.0.0.1:1/a"}}, "nothing is fetched"),
        ({"a.json": {"x-streams": "a"}}, r"a\.json: x-streams must be a list of paths and patterns"),
        ({"a.json": {"x-streams": [5]}}, "x-streams must be a list"),
        ({"a.json": {"x-streams": ["a/*b"]}}, "a/\\*b"),
        (
            {"a.json": {"x-streams": ["a"]}, "b.json": {"x-streams": ["a"]}},
            r"b\.json: 'a' has a schema already, in a\.json",
        ),
        ({"a.json": {"type": "string"}}, "no file says in x-streams or x-signals"),
        ({}, "no file says"),
    ],
)
def test_a_file_that_is_none_is_told_with_its_name_and_place(tmp_path: Path, files: dict[str, Any], words: str) -> None:
    place = folder(tmp_path, files)
    with pytest.raises(InvalidSettings, match=words) as told:
        load_schemas(place)
    assert str(tmp_path) in told.value.message


def test_a_place_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"schemas=.*nowhere cannot be read: .*No such file"):
        load_schemas(str(tmp_path / "nowhere"))


def test_a_missing_library_is_told_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    with pytest.raises(MissingExtra, match=r"pip install 'headwater\[schemas\]'"):
        load_schemas(folder(tmp_path, {"a.json": {"x-streams": ["a"]}}))


def test_a_server_holds_its_streams_to_them(tmp_path: Path) -> None:
    """Over its own connections, and for a publisher; a wrong file is no server."""
    place = folder(tmp_path, {"s/a.json": {"x-streams": ["a/*"], "type": "object", "required": ["id"]}}) + "/s"
    with headwater_server("memory:", "--schemas", place) as server:
        kind = "application/json"
        assert call(server, "PUT", "/v1/stream/a/1", content_type=kind).status == 201
        answer = call(server, "POST", "/v1/stream/a/1", b'[{"id":1},{}]', content_type=kind)
        assert (answer.status, answer.json()["record"]) == (422, 2)
        assert call(server, "GET", "/v1/stream/a/1/-/schema").json()["required"] == ["id"]
        with Publisher(f"{server.url}/v1/stream") as publisher:
            with pytest.raises(PublishError, match="does not fit"):
                publisher.append("a/1", {"no": 1})
            publisher.append("a/1", {"id": 2})
        assert call(server, "GET", "/v1/stream/a/1").json() == [{"id": 2}]
    (tmp_path / "s" / "a.json").write_text("{")
    command = [sys.executable, "-m", "headwater", "serve", "--store", "memory:", "--port", "0", "--schemas", place]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode != 0
    assert "a.json is no JSON" in run.stderr
