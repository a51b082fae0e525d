"""The documentation: fresh, complete, linked, and its examples run."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from scripts import generate_docs
from tests.docs.pages import PAGES, README, ROOT, block, blocks
from tests.support.http import call, opened
from tests.support.processes import ServerProcess, headwater_server

import headwater
import headwater.llm
import headwater.stores
import headwater.testing
from headwater.cli.group import COMMANDS
from headwater.errors import error_table
from headwater.protocol import names
from headwater.server.settings import describe_settings

REFERENCE = {path.stem: path.read_text() for path in (ROOT / "docs" / "reference").glob("*.md")}

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("path", generate_docs.render(), ids=lambda path: path.name)
def test_generated_pages_are_fresh(path: Path) -> None:
    assert path.read_text() == generate_docs.render()[path], "run scripts/generate_docs.py"


MODULES = [headwater, headwater.llm, headwater.stores, headwater.testing]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_public_names_are_documented(module: ModuleType) -> None:
    missing = [name for name in module.__all__ if f"\n### {name}\n" not in REFERENCE["python"]]
    assert not missing


def test_settings_are_documented() -> None:
    assert [s.name for s in describe_settings() if f"| `{s.name}` |" not in REFERENCE["settings"]] == []


def test_error_codes_are_documented() -> None:
    everywhere = REFERENCE["errors"]
    assert [error.code for error in error_table() if f"`{error.code}`" not in everywhere] == []


def test_commands_are_documented() -> None:
    assert [name for name in COMMANDS if f"\n## headwater {name}\n" not in REFERENCE["cli"]] == []


#: Names that say nothing to a reader of the protocol's page.
_OF_HTTP = {"QUERY_", "EVENT_", "RESERVED_", "CORS_"}


def test_headers_are_documented() -> None:
    page = REFERENCE["http"].lower()
    headers = [
        value.decode()
        for name, value in vars(names).items()
        if isinstance(value, bytes) and not any(name.startswith(prefix) for prefix in _OF_HTTP)
    ]
    assert len(headers) > 25
    assert [header for header in headers if header not in page] == []


def test_query_parameters_and_named_events_are_documented() -> None:
    page = REFERENCE["http"]
    parameters = [value for name, value in vars(names).items() if name.startswith("QUERY_")]
    events = [value.decode() for name, value in vars(names).items() if name.startswith("EVENT_")]
    assert len(parameters) >= 4
    assert len(events) >= 3
    assert [word for word in [*parameters, *events] if f"| `{word}` |" not in page] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_resolve(path: Path) -> None:
    targets = [target for target in _LINK.findall(path.read_text()) if "://" not in target]
    broken = [
        target
        for name, _, anchor in (target.partition("#") for target in targets)
        if not _exists(target := path.parent / name if name else path, anchor)
    ]
    assert broken == []


def _exists(target: Path, anchor: str) -> bool:
    if not target.exists():
        return False
    headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE) if anchor else []
    return not anchor or anchor in [re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings]


def test_every_page_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / target).resolve() for target in _LINK.findall(index.read_text())}
    assert set((ROOT / "docs").rglob("*.md")) - linked == {index}


def _python_blocks() -> list[tuple[str, str, str]]:
    return [(str(path.relative_to(ROOT)), mark, code) for path in PAGES for mark, code in blocks(path, "python")]


@pytest.mark.parametrize(("name", "mark", "code"), [b for b in _python_blocks() if b[0] != "docs/reference/python.md"])
def test_python_blocks_compile(name: str, mark: str, code: str) -> None:
    compile(code, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("code", [code for _, mark, code in _python_blocks() if mark == "run"])
def test_marked_python_blocks_run(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "unused")
    exec(compile(code, "block.py", "exec", dont_inherit=True), {"__name__": "block"})


@pytest.mark.parametrize("path", [path for path in PAGES if "run" in dict(blocks(path, "python"))], ids=str)
def test_some_blocks_of_these_pages_are_marked(path: Path) -> None:
    assert path != ROOT / "docs" / "reference" / "python.md"


@pytest.mark.slow
def test_the_first_minute_of_the_readme(tmp_path: Path) -> None:
    shell = block(README, "sh", "run: first minute")
    with headwater_server(f"sqlite:{tmp_path}/headwater.db") as server:
        script = shell.replace("localhost:4437", f"127.0.0.1:{server.port}").replace("curl ", "curl -sS ")
        create, append, read = script.strip().splitlines()
        assert _shell(create) == (0, "")
        assert _shell(append) == (0, "")
        seen = _first_event(read)
        assert seen[-1] == 'data:{"text": "hi"}'
        assert server.stop() == 0
        server.start()
        assert _first_event(read) == seen
        assert b"<!doctype html>" in call(server, "GET", "/").body[:100].lower()


@pytest.mark.slow
def test_the_commands_of_the_readme(tmp_path: Path) -> None:
    with headwater_server(f"sqlite:{tmp_path}/headwater.db") as server:
        code, output = _shell(
            block(README, "sh", "run: command line").replace(".venv/bin/headwater ", f"{sys.executable} -m headwater "),
            HEADWATER_URL=server.url,
        )
    assert code == 0
    assert output.splitlines()[-2:] == ['{"done": 1}', '{"done": 2}']


def _shell(script: str, **environment: str) -> tuple[int, str]:
    if "curl" in script and shutil.which("curl") is None:
        pytest.skip("needs curl")
    done = subprocess.run(
        ["sh", "-e", "-c", script], env=os.environ | environment, capture_output=True, text=True, timeout=45
    )
    return done.returncode, done.stdout


def _first_event(command: str) -> list[str]:
    """What an endless `curl` prints up to its first data."""
    with subprocess.Popen(shlex.split(command), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("data:"):
                break
        process.kill()
    return lines


def tutorial(name: str, folder: Path, page: str = "tutorial.md") -> ServerProcess:
    """The application of a tutorial, as its reader would run it."""
    (folder / f"{name}.py").write_text(block(ROOT / "docs" / page, "python", f"file: {name}.py"))
    command = [sys.executable, "-m", "uvicorn", f"{name}:app", "--port", "{port}"]
    return ServerProcess(command, health="/openapi.json", cwd=folder)


@pytest.mark.slow
def test_the_tutorial_begins_with_an_endpoint_that_works_once(tmp_path: Path) -> None:
    with tutorial("before", tmp_path) as server:
        answer = call(server, "GET", "/jobs/7/events")
    assert answer.body.count(b"data: ") == 5


@pytest.mark.slow
def test_the_tutorial_ends_with_a_stream_that_survives(tmp_path: Path) -> None:
    with tutorial("after", tmp_path) as server:
        assert call(server, "POST", "/jobs/7").status == 202
        with opened(server, "GET", "/streams/jobs/7", Accept="text/event-stream") as reader:
            lines = [reader.readline()]
            while not lines[-1].startswith(b"data:"):
                lines.append(reader.readline())
        assert lines[0] == b"retry:1000\n"
        assert lines[-2:] == [b"id:0000000000000001_0000000000000020\n", b'data:{"job":"7","step":1}\n']
        deadline = time.monotonic() + 20
        while call(server, "HEAD", "/streams/jobs/7").headers["Stream-Closed"] != "true":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        server.stop()
        server.start()
        body = call(server, "GET", "/streams/jobs/7", Accept="text/event-stream").body
    assert body.count(b"data:{") == 6
    assert body.endswith(b'event: stream-closed\ndata:{"offset":"0000000000000001_0000000000000100"}\n\n')


#: The request of the tutorial for chats.
QUESTION = b'{"id": "chat-1", "messages": [{"id": "m1", "role": "user", "content": "Hello"}]}'
ANSWER = "A long answer that somebody has to pay for "


def told(body: bytes) -> str:
    """The text in a body as every tutorial parses it."""
    lines = [line[6:] for line in body.decode().splitlines() if line.startswith("data: {")]
    return "".join(json.loads(line)["content"] for line in lines)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["before", "after"])
def test_the_chat_tutorial_answers(name: str, tmp_path: Path) -> None:
    with tutorial(name, tmp_path, "tutorial-chat.md") as server:
        answer = call(server, "POST", "/api/chat", QUESTION, **{"Content-Type": "application/json"})
    assert told(answer.body) == ANSWER
    assert answer.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.slow
def test_the_chat_tutorial_survives(tmp_path: Path) -> None:
    with tutorial("after", tmp_path, "tutorial-chat.md") as server:
        ask = {"Content-Type": "application/json"}
        with opened(server, "POST", "/api/chat", QUESTION, **ask) as reader:
            assert b"data: " in reader.readline() + reader.readline()
        again = call(server, "GET", "/api/chat/chat-1/stream")
        assert told(again.body) == ANSWER
        assert told(call(server, "POST", "/api/chat", QUESTION, **ask).body) == ANSWER
        assert call(server, "GET", "/api/chat/chat-1/stream").status == 204
        assert json.loads(call(server, "POST", "/api/chat/chat-1/stop").body)["state"] == "finished"


def of(server: ServerProcess, page: str, mark: str) -> str:
    """A shell block of a tutorial, with the server's own port."""
    return block(ROOT / "docs" / page, "sh", mark).replace("localhost:8000", f"127.0.0.1:{server.port}")


@pytest.mark.slow
def test_the_commands_of_the_tutorial(tmp_path: Path) -> None:
    with tutorial("after", tmp_path) as server:
        code, output = _shell(of(server, "tutorial.md", "run: follow a job"))
    assert code == 0
    assert output.count('data:{"job"') == 5
    assert "event: stream-closed" in output


@pytest.mark.slow
def test_the_commands_of_the_chat_tutorial(tmp_path: Path) -> None:
    with tutorial("after", tmp_path, "tutorial-chat.md") as server:
        code, output = _shell(of(server, "tutorial-chat.md", "run: ask and resume"))
        assert code == 0
        assert told(output.encode()) == ANSWER
        code, output = _shell(of(server, "tutorial-chat.md", "run: stop"))
    assert code == 0
    assert json.loads(output)["state"] == "finished"


@pytest.mark.slow
def test_what_is_published_is_there() -> None:
    code = block(ROOT / "docs" / "howto" / "publish.md", "python", "run: publisher")
    with headwater_server("memory:") as server:
        exec(compile(code.replace(":4437", f":{server.port}"), "block.py", "exec", dont_inherit=True), {})
        assert json.loads(call(server, "GET", "/v1/stream/jobs/7").body) == [{"done": 3}, {"done": 4}, {"done": 5}]


def test_a_package_index_gets_absolute_links() -> None:
    """The README as the package has it: links and images lead somewhere from any page."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    text = README.read_text()
    for rule in project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    links = _LINK.findall(text)
    assert len(links) > 20
    assert [link for link in links if not link.startswith("https://")] == []
    home = project["project"]["urls"]["Source"]
    assert f"]({home}/blob/main/docs/tutorial.md)" in text
