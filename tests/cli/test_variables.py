"""Commands that read settings refuse a variable that is misspelled, all of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from headwater.cli.group import COMMANDS, group

UPSTREAM = ("--upstream", "https://provider.example/v1")
#: A call of each that does nothing, if the variables are fine.
READ_SETTINGS = {
    "serve": ("serve", "--port", "0", "--fd", "9999"),
    "token": ("token", "--sub", "u1", "--read", "**"),
    "access": ("access", "explain", "", "read", "a"),
    "doctor": ("doctor", "--check", "{file}"),
    "llm": ("llm", "proxy", *UPSTREAM, "--port", "0", "--fd", "9999"),
}


@pytest.mark.parametrize("command", READ_SETTINGS)
def test_a_misspelled_variable_is_refused(command: str, tmp_path: Path) -> None:
    """With the name that it may be; `--help` is shown all the same."""
    file = tmp_path / "no.db"
    file.touch()
    arguments = [part.format(file=file) for part in READ_SETTINGS[command]]
    runner = CliRunner(env={"HEADWATER_PROT": "4437"})
    found = runner.invoke(group, arguments)
    assert found.exit_code == 2
    assert "HEADWATER_PROT (is it HEADWATER_PORT?)" in found.stderr
    assert runner.invoke(group, [command, "--help"]).exit_code == 0
    assert "HEADWATER_P" not in CliRunner(env={"HEADWATER_PORT": "4437"}).invoke(group, arguments).stderr


def test_a_variable_that_an_option_names_is_read() -> None:
    """Whatever it is called: here it is empty, which is told."""
    call = [*READ_SETTINGS["llm"], "--key-env", "HEADWATER_KEY_OF_MINE"]
    found = CliRunner(env={"HEADWATER_KEY_OF_MINE": ""}).invoke(group, call)
    assert "the environment variable HEADWATER_KEY_OF_MINE is not set" in found.stderr


def test_the_others_read_no_setting() -> None:
    """The client commands read the server's URL alone; see `options.server_address`."""
    clients = ["create", "append", "tail", "signal", "ls", "info", "close", "rm", "top", "bench", "version"]
    assert {*COMMANDS} == {*READ_SETTINGS, *clients}
