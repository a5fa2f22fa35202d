"""How a command ends, or does not begin: exit codes, signals, nothing left."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from fakerelay.cli import cli
from fakerelay.cli.child import NotFound, run_command
from tests.cli.conftest import start
from tests.cli.exec.commands import SECONDS, TELL, Exec, compose

# Says who started it and where the relay is, then each signal; SIGTERM ends it. It takes them one
# by one: a handler would run before or after `signal.pause`, and where before, nothing wakes that.
LISTENER = """
import os, signal
taken = {signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP}
signal.pthread_sigmask(signal.SIG_BLOCK, taken)
print(os.getppid(), os.environ["FAKERELAY_HTTP_URL"], flush=True)
number = None
while number != signal.SIGTERM:
    number = signal.Signals(signal.sigwait(taken))
    print(number.name, flush=True)
raise SystemExit(7)
"""


@contextmanager
def listening(ca_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """One whose command waits for signals, and where its relay is."""
    with start(compose(ca_dir, "--", "-c", LISTENER), start_new_session=True) as process:
        assert process.stdout is not None
        parent, url = process.stdout.readline().split()
        assert int(parent) == process.pid
        yield process, url


def is_open(url: str) -> bool:
    where = urlsplit(url)
    assert where.port
    try:
        socket.create_connection((where.hostname, where.port), timeout=SECONDS).close()
    except ConnectionRefusedError:
        return False
    return True


# How it ends.


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("pass", 0),
        ("raise SystemExit(3)", 3),
        ("import os; os.kill(os.getpid(), 9)", 137),
        ("import os; os.kill(os.getpid(), 15)", 143),
    ],
    ids=["well", "failed", "killed", "terminated"],
)
def test_exit_code_is_the_commands(run_exec: Exec, code: str, expected: int) -> None:
    ran = run_exec("--", "-c", code)
    assert (ran.returncode, ran.stdout, ran.stderr) == (expected, "", "")


def _no_such(folder: Path) -> str:
    return str(folder / "nosuch")


def _not_executable(folder: Path) -> str:
    (folder / "script").write_text("exit 0\n")
    return str(folder / "script")


def _no_program(folder: Path) -> str:
    path = folder / "program"
    path.write_bytes(b"\x00\x01\x02")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


NOT_RUN: dict[str, tuple[Callable[[Path], str], int]] = {
    "no such path": (_no_such, 127),
    "no such name": (lambda folder: "no-such-program", 127),
    "not executable": (_not_executable, 126),
    "no program": (_no_program, 126),
    "a folder": (str, 126),
}


@pytest.mark.parametrize(("make", "expected"), NOT_RUN.values(), ids=NOT_RUN.keys())
def test_command_that_cannot_be_run_is_told_in_one_line(
    ca_dir: Path, tmp_path: Path, make: Callable[[Path], str], expected: int
) -> None:
    program = make(tmp_path)
    command = [*compose(ca_dir)[:-2], "--", program]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert (ran.returncode, ran.stdout) == (expected, "")
    verb = "find" if expected == 127 else "run"
    assert ran.stderr.startswith(f"fakerelay: Can't {verb} {program!r}")
    assert ran.stderr.count("\n") == 1


UNLIKELY: dict[str, tuple[list[str], str]] = {
    "empty": ([""], "Can't find '': a command's first word is its program"),
    "in one word": (
        ["sh -c true", "a b"],
        "apart, as sh -c true 'a b', or have a shell read them: sh -c 'sh",
    ),
    "of a shell": (["cd", "/a b"], "only a shell has that: sh -c"),
    "one word of nothing": (["no-such thing"], "give a program on PATH"),
}


@pytest.mark.parametrize(("words", "told"), UNLIKELY.values(), ids=UNLIKELY.keys())
def test_command_that_is_not_there_is_told_the_way_out(words: list[str], told: str) -> None:
    with pytest.raises(NotFound) as raised:
        asyncio.run(run_command(words, {"PATH": os.environ["PATH"]}))
    assert told in raised.value.message


MISUSED: dict[str, tuple[list[str], str]] = {
    "no command": ([], "Missing argument 'COMMAND...'"),
    "a port": (["--port", "0", "true"], "No --port here: exec chooses free ports by itself"),
    "a token": (["--control-token=s", "true"], "No --control-token here: what exec starts is for"),
    "a ready file": (["--ready-file=x", "true"], "No --ready-file here: exec tells its command"),
    "a log": (["--log-format", "json", "true"], "logs nothing"),
    "unknown": (["--sed", "1", "true"], "No such option '--sed'"),
    "profile": (["--profile", "defalt", "true"], "did you mean 'default'"),
}


@pytest.mark.parametrize(("words", "told"), MISUSED.values(), ids=MISUSED.keys())
def test_what_it_cannot_do_is_told_in_a_line_of_its_own(words: list[str], told: str) -> None:
    result = CliRunner().invoke(cli, ["exec", "--no-tls", *words])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("fakerelay: ")
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


def test_interrupted_start_ends_quietly(ca_dir: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "settings.toml"
    os.mkfifo(pipe)
    command = compose(ca_dir, "--config", str(pipe), "--", "-c", "print('ran')")
    with start(command) as process, pipe.open("w"):  # which waits until it reads
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=SECONDS)
    assert (process.returncode, stdout, stderr) == (130, "", "")


@pytest.mark.parametrize("name", ["SIGINT", "SIGQUIT", "SIGHUP"])
def test_signals_are_passed_on_and_the_command_waited_for(ca_dir: Path, name: str) -> None:
    with listening(ca_dir) as (process, url):
        assert process.stdout is not None
        process.send_signal(getattr(signal, name))
        assert process.stdout.readline() == f"{name}\n"
        assert is_open(url)
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=SECONDS)
    assert (process.returncode, stdout, stderr) == (7, "SIGTERM\n", "")
    assert not is_open(url)


@pytest.mark.skipif(
    sys.platform != "linux",
    reason="elsewhere a command runs on when its parent is killed",
)
def test_command_is_ended_where_we_are_killed(ca_dir: Path) -> None:
    with listening(ca_dir) as (process, url):
        process.kill()
        stdout, stderr = process.communicate(timeout=SECONDS)  # until nobody has the pipes open
    assert (process.returncode, stdout, stderr) == (-9, "SIGTERM\n", "")
    assert not is_open(url)


def test_keys_of_a_terminal_reach_the_command_once(ca_dir: Path) -> None:
    terminal = "import pty, sys; pty.spawn(sys.argv[1:])"
    command = [sys.executable, "-c", terminal, *compose(ca_dir, "--", "-c", LISTENER)]
    with start(command, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        us = int(process.stdout.readline().split()[0])
        process.stdin.write("\x03")
        process.stdin.flush()
        first = process.stdout.readline()
        os.kill(us, signal.SIGTERM)
        rest = process.stdout.read()
    assert "SIGINT" in first
    assert rest.split() == ["SIGTERM"]


# What is left.


def test_nothing_is_left_of_it(run_exec: Exec, tmp_path: Path) -> None:
    ran = run_exec("--", "-c", TELL, env=os.environ | {"TMPDIR": str(tmp_path)})
    told = json.loads(ran.stdout)
    assert list(tmp_path.iterdir()) == []
    for name in ("FAKERELAY_URL", "FAKERELAY_HTTP_URL", "FAKERELAY_CONTROL_URL"):
        assert not is_open(told[name])
