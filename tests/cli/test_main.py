"""The command line as a whole: what it lists, and how it tells errors."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from fakerelay.cli import Commands, cli, main
from fakerelay.errors import ConfigError

COMMANDS = ("serve", "exec", "demo", "token", "listen", "control")


class Failing(Commands):
    """A command line whose only command raises."""

    error: BaseException

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        def fail() -> None:
            raise self.error

        return "fail", click.Command("fail", callback=fail), []


def failing(error: BaseException) -> click.Group:
    group = Failing(params=[click.Option(["--debug"], is_flag=True)])
    group.error = error
    return group


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(cli, ["--help"])
    assert result.exit_code == 0
    for name in COMMANDS:
        assert f"\n  {name}" in result.stdout


@pytest.mark.parametrize("args", [[], ["control"]], ids=["fakerelay", "control"])
def test_help_cuts_no_sentence(args: list[str]) -> None:
    result = CliRunner().invoke(cli, [*args, "--help"])
    listed = result.stdout.partition("Commands:")[2]
    assert listed
    assert "..." not in listed


@pytest.mark.parametrize("name", COMMANDS)
def test_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(cli, [name, "--help"], prog_name="fakerelay")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: fakerelay {name} [OPTIONS]")


def test_main_leaves_with_the_exit_code() -> None:
    with pytest.raises(SystemExit) as raised:
        main(["--version"])
    assert raised.value.code == 0


def test_unknown_command_names_the_nearest() -> None:
    result = CliRunner().invoke(cli, ["serv"])
    assert result.exit_code == 2
    assert "No such command 'serv' (did you mean 'serve'?)" in result.stderr


def test_mistake_is_told_in_one_line() -> None:
    result = CliRunner().invoke(failing(ConfigError("Bad\n  thing")), ["fail"])
    assert (result.exit_code, result.stderr) == (2, "Error: Bad thing\n")


def test_interrupt_ends_quietly() -> None:
    result = CliRunner().invoke(failing(KeyboardInterrupt()), ["fail"])
    assert (result.exit_code, result.output) == (130, "")


def test_bug_is_told_in_one_line_too() -> None:
    result = CliRunner().invoke(failing(KeyError("x\ny")), ["fail"])
    assert result.exit_code == 70
    assert result.stderr.count("\n") == 1
    assert "KeyError" in result.stderr
    assert "--debug" in result.stderr


@pytest.mark.parametrize("error", [ConfigError("Bad"), KeyError("x")], ids=["mistake", "bug"])
def test_debug_shows_where(error: Exception) -> None:
    result = CliRunner().invoke(failing(error), ["--debug", "fail"])
    assert result.exception is error


def test_serve_loads_nothing_that_only_others_need(ca_dir: Path) -> None:
    code = f"""
import socket, sys
from fakerelay.cli import main
with socket.create_server(("127.0.0.1", 0)) as taken:
    port = str(taken.getsockname()[1])
    try:
        main(["serve", "--port", "0", "--control-port", port, "--ca-dir", {str(ca_dir)!r}])
    except SystemExit as end:
        assert end.code == 2
print(*sys.modules)
"""
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(run.stdout.split())
    assert "fakerelay.server" in loaded
    heavy = {"rich", "hypothesis", "trustme", "cryptography", "redis", "jsonschema", "pytest"}
    assert not loaded & heavy
