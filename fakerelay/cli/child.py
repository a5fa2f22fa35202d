"""A command as a child process: started, told of the signals that we get, and waited for."""

import asyncio
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import click

_PASSED: Final = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)
]
_FROM_KEYS: Final = {"SIGINT", "SIGQUIT"}
_OF_SHELLS: Final = {
    ".",
    "alias",
    "cd",
    "eval",
    "exec",
    "export",
    "set",
    "source",
    "ulimit",
    "umask",
}
_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
_SIGNALLED = 128


class CannotRun(click.ClickException):
    """The command is there but can't be run; exit code as of a shell."""

    exit_code = 126


class NotFound(CannotRun):
    """There is no such command; exit code as of a shell."""

    exit_code = 127


async def run_command(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """The command's exit code, as a shell tells it: 128 + N where signal N ended it.

    Its stdin, stdout and stderr are our own. Raises CannotRun.
    """
    with _signals() as signals:
        process = _start(command, environ)
        signals.pass_on(process)
        # Not the loop's own subprocesses: there a signal may meet a process that is being reaped.
        code = await asyncio.to_thread(process.wait)
    return _SIGNALLED - code if code < 0 else code


class _Signals:
    """Takes signals from the loop: on to the process, as soon as there is one."""

    def __init__(self) -> None:
        self._early: list[signal.Signals] = []
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, number: signal.Signals) -> None:
        if self._process is None:
            self._early.append(number)
        elif number.name not in _FROM_KEYS or not _is_in_foreground():
            self._process.send_signal(number)

    def pass_on(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        for number in self._early:
            self(number)


@contextmanager
def _signals() -> Iterator[_Signals]:
    loop = asyncio.get_running_loop()
    signals = _Signals()
    # One that is ignored (nohup) stays so, and the command inherits that.
    heard = [number for number in _PASSED if signal.getsignal(number) != signal.SIG_IGN]
    with suppress(NotImplementedError):  # Windows: there the console tells the command itself
        for number in heard:
            loop.add_signal_handler(number, signals, number)
    try:
        yield signals
    finally:
        with suppress(NotImplementedError):
            for number in heard:
                loop.remove_signal_handler(number)


def _is_in_foreground() -> bool:
    """Whether keys such as Ctrl-C reach the command by themselves: it is in our process group."""
    try:
        with open("/dev/tty", "rb", buffering=0) as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def _find_way_out(command: Sequence[str]) -> str:
    program, *arguments = command
    words = program.split()
    if len(words) > 1 and shutil.which(words[0]):
        apart = " ".join([program, *map(shlex.quote, arguments)])
        line = shlex.join(["sh", "-c", apart])
        return f"write the words apart, as {apart}, or have a shell read them: {line}"
    if program in _OF_SHELLS:
        return f"only a shell has that: sh -c {shlex.quote(f'{shlex.join(command)} && ...')}"
    return "give a program on PATH, or a path that leads to one (a script's first line must, too)"


def _start(command: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    if not command[0].strip():  # which systems refuse in ways of their own
        raise NotFound(f"Can't find {command[0]!r}: a command's first word is its program")
    try:
        return subprocess.Popen(command, env=environ, preexec_fn=_make_tie())
    except FileNotFoundError as error:
        raise NotFound(f"Can't find {command[0]!r}; {_find_way_out(command)}") from error
    except OSError as error:
        raise CannotRun(
            f"Can't run {command[0]!r}: {error.strerror}; is it a program, or a script with"
            " permission to execute it?"
        ) from error


def _make_tie() -> Callable[[], None] | None:
    """What makes the kernel end the command when we are killed; only Linux can do that.

    By SIGTERM, so that the command can end its own children.
    """
    if sys.platform != "linux":
        return None
    import ctypes

    set_option, us = ctypes.CDLL(None).prctl, os.getpid()

    def tie() -> None:
        set_option(_SET_DEATH_SIGNAL, signal.SIGTERM)
        if os.getppid() != us:  # killed already
            os._exit(_SIGNALLED + signal.SIGTERM)

    return tie
