"""The tree keeps its shape: sizes, layers, cycles, the public surface."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import headwater
from headwater.llm.providers import registry

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "headwater"
MODULES = sorted(SOURCE.rglob("*.py"))

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_module_can_be_read_in_one_sitting(path: Path) -> None:
    """At most 400 lines a module and 60 a function, comments and docstrings included."""
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_MODULE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno + 1 <= MAX_FUNCTION_LINES, node.name


def test_a_module_is_called_by_what_it_holds() -> None:
    """And not by an activity, but for those few for which the field has no other word, such as pacing."""
    assert len([path for path in MODULES if path.stem.endswith("ing")]) <= 12


@pytest.mark.slow
def test_imports_go_down_only() -> None:
    """The layers of pyproject.toml hold, siblings do not know each other, and the core does no I/O."""
    linter = Path(sys.executable).parent / "lint-imports"
    run = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


def test_the_bare_install_needs_only_msgspec() -> None:
    """`import headwater` and the ASGI application load nothing but msgspec and the standard library."""
    code = (
        "import sys; import headwater, headwater.asgi, headwater.stores.memory, headwater.stores.sqlite.store\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))"
    )
    run = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert set(ast.literal_eval(run.stdout)) - {"apsw"} <= {
        "headwater",
        "msgspec",
        "__main__",
        "__mp_main__",
        "typing_extensions",
        *_site(),
    }


def _site() -> set[str]:
    """What the environment itself loads into every process."""
    code = "import sys; print(sorted({name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)))"
    run = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    return set(ast.literal_eval(run.stdout))


PUBLIC = ["headwater", "headwater.asgi", "headwater.client", "headwater.stores", "headwater.testing"]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_declared_sorted_and_documented(name: str) -> None:
    """`__all__` is the public surface: sorted, importable, each with a docstring."""
    module = importlib.import_module(name)
    assert sorted(module.__all__) == sorted(set(module.__all__))
    for public in module.__all__:
        thing = getattr(module, public)
        if callable(thing) and hasattr(thing, "__module__") and thing.__module__.startswith("headwater"):
            assert thing.__doc__, public


def test_every_module_says_what_it_is() -> None:
    """Each module begins with a docstring."""
    for found in pkgutil.walk_packages([str(SOURCE)], "headwater."):
        if not found.name.endswith("__main__"):
            assert importlib.import_module(found.name).__doc__, found.name


def test_what_has_slots_has_no_dict_beside_them() -> None:
    """A base without slots, such as a Protocol, gives each object one: hundreds of bytes where there are many."""
    heavy = []
    for found in pkgutil.walk_packages([str(SOURCE)], "headwater."):
        if not found.name.endswith("__main__"):
            for kind in vars(importlib.import_module(found.name)).values():
                if isinstance(kind, type) and kind.__module__ == found.name and "__slots__" in vars(kind):
                    heavy += [f"{found.name}.{kind.__name__}"] * bool(kind.__dictoffset__)
    assert heavy == []


def _imports_of(path: Path, modules: frozenset[str]) -> set[str]:
    """The package's modules that one names, those for types alone as well."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & modules


def _reached(start: str, imports: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = imports[waiting.pop()] - found
        found |= new
        waiting += new
    return found


@pytest.mark.parametrize("package", ["asgi", "cli", "client", "http", "hub", "llm", "protocol", "server"])
def test_no_module_needs_itself(package: str) -> None:
    """There are no cycles of imports, also not of those that only type checkers follow."""
    paths = {
        ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts): path
        for path in (SOURCE / package).rglob("*.py")
        if path.name != "__init__.py"
    }
    modules = frozenset(paths)
    imports = {name: _imports_of(path, modules) for name, path in paths.items()}
    assert [name for name in sorted(modules) if name in _reached(name, imports)] == []


#: A line of a package's map: modules, two spaces or more, what they are.
_ROW = re.compile(r"([a-z0-9_]+(?:, [a-z0-9_]+)*)  +\S")
_PACKAGES = sorted(path.parent for path in SOURCE.rglob("__init__.py"))


@pytest.mark.parametrize("package", _PACKAGES, ids=lambda path: str(path.relative_to(SOURCE.parent)))
def test_a_map_of_a_package_names_every_module(package: Path) -> None:
    """A docstring that lists modules lists all there are, once, and nothing that is not there.

    The folders of the providers are in the list of their registry.
    """
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    rows = [found[1] for line in text.splitlines() if (found := _ROW.match(line))]
    named = sorted(name for row in rows for name in row.split(", "))
    modules = {found.name for found in pkgutil.iter_modules([str(package)])} - {"__main__"}
    if package.name == "providers":
        assert modules >= set(registry.FOLDERS)
        modules -= set(registry.FOLDERS)
    assert not named or named == sorted(modules)


def test_the_version_is_the_packages() -> None:
    """`headwater.__version__`, the metadata and the changelog agree."""
    from importlib.metadata import version

    assert headwater.__version__ == version("headwater")
    assert f"## [{headwater.__version__}]" in (ROOT / "CHANGELOG.md").read_text()
