"""The `headwater` command itself: help, exit codes, what is imported when."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click
import pytest

from headwater.cli.failures import ExitCode
from headwater.cli.group import COMMANDS

if TYPE_CHECKING:
    from tests.cli.conftest import Call


def test_help_lists_every_command(call: Call) -> None:
    """`headwater --help` names all commands."""
    lines = call("--help").stdout.splitlines()
    assert [line.split()[0] for line in lines[lines.index("Commands:") + 1 :]] == list(COMMANDS)


@pytest.mark.parametrize("code", ExitCode)
def test_help_lists_every_exit_code(code: ExitCode, call: Call) -> None:
    """`headwater --help` documents all exit codes."""
    assert any(line.split()[:1] == [str(code.value)] for line in call("--help").stdout.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says(name: str, call: Call) -> None:
    """A command's own help begins as its line in the table."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    command = getattr(import_module(module), attribute)
    assert isinstance(command, click.Command)
    first_words = COMMANDS[name][1].rstrip(".").partition(",")[0]
    assert (command.help or "").startswith(first_words)
    assert call(name, "--help").exit_code == 0


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in ("serve", "version")])
def test_every_client_command_has_examples(name: str, call: Call) -> None:
    """The help of each command shows how it is used, line by line."""
    text = call(name, "--help").stdout
    assert f"    headwater {name} " in text or f"\n    headwater {name}\n" in text or f"| headwater {name} " in text


def test_an_unknown_command_is_wrong_usage(call: Call) -> None:
    """A typing error exits with 2 and says so on stderr."""
    result = call("tali")
    assert (result.exit_code, result.stdout) == (ExitCode.USAGE, "")
    assert "tali" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tail", "append", "ls"])
def test_client_commands_do_not_load_the_server(name: str) -> None:
    """Client commands start without uvicorn, and the help without any command."""
    code = (
        "import sys; from headwater.cli.group import group; "
        "group.main(sys.argv[1:], standalone_mode=False); "
        "print(sorted({'uvicorn', 'httpx2', 'headwater.server', 'headwater.cli.tail'} & set(sys.modules)))"
    )

    def loaded(*args: str) -> str:
        process = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=True)
        return process.stdout.splitlines()[-1]

    assert loaded("--help") == "[]"
    assert "uvicorn" not in loaded(name, "--help")
    assert "headwater.server" not in loaded(name, "--help")


@pytest.mark.slow
@pytest.mark.parametrize(("package", "words"), [("click", "The command line"), ("httpx2", "headwater tail")])
def test_a_missing_package_is_told_with_its_install_line(package: str, words: str) -> None:
    """Without an optional package there is the line that installs it, and no traceback."""
    code = f"import sys; sys.modules[{package!r}] = None; from headwater.cli import main; main()"
    process = subprocess.run([sys.executable, "-c", code, "tail", "x"], capture_output=True, text=True, check=False)
    assert process.returncode == ExitCode.USAGE
    assert words in process.stderr
    assert "pip install 'headwater[cli]'" in process.stderr
    assert "Traceback" not in process.stderr


def test_version_names_headwater_and_python(call: Call) -> None:
    """`version` and `--version` say the same version."""
    assert call("version").stdout.startswith(call("--version").stdout.strip() + " (Python 3.")
