"""Plays the README's `console` blocks as one user would: terminals that serve, and one that asks.

A command line begins with `$ `; what follows is its output, where `...` stands for any lines. The
README's ports and home stand for those of the run, its times and random ids for any others; the
hash of a profile stands for itself.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from tests.readme_tables import CHECKOUT

README: Final = (CHECKOUT / "README.md").read_text(encoding="utf-8")
_SERVE, _LISTEN = "fakerelay serve", "fakerelay listen"
_VENDOR, _CONTROL, _RECEIVER = "127.0.0.1:8481", "127.0.0.1:8480", "127.0.0.1:9000"
_HOME = "/home/you"
_BANNER_END = "?traceId=first-call'\n"
_MARK = "=== the next command ==="
_PATIENCE_SECONDS = 240
_VOLATILE = (
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
    (r"\d+\.\d+ ms", "DURATION"),
    (r"\b1\d{9,12}(\.\d+)?\b", "STAMP"),
    (r'(?m)^(id: |data: \{"id": )\d+', r"\1NUMBER"),
    (r'("\w+_seconds"): [\d.e-]+', r"\1: DURATION"),
    (r'(?<!"hash": ")\b[0-9a-f]{12,}(-m\d+)?\b', "ID"),
    (r"\b(account-)?\d{10,16}\b", "ID"),
    (r"Basic [\w+/]+=*", "TOKEN"),
    (r"\b\d+ (calls|rules compared)\b", r"N \1"),
    (r"calls in [\d.]+ s;", "calls in N s;"),
)


class Step(NamedTuple):
    """A command with what the README says it prints."""

    command: str
    output: str


def read_blocks(language: str) -> list[str]:
    """What stands in the README's fences of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def read_steps() -> list[Step]:
    parts = re.split(r"^\$ ", "".join(read_blocks("console")), flags=re.MULTILINE)[1:]
    return [
        Step(command, output) for command, _, output in (part.partition("\n") for part in parts)
    ]


def is_served(step: Step) -> bool:
    """Whether its command goes on until it is stopped."""
    return step.command.startswith((_SERVE, _LISTEN))


def settle(text: str) -> str:
    """The text with everything that differs from run to run made equal."""
    for pattern, word in _VOLATILE:
        text = re.sub(pattern, word, text)
    return text.strip()


def matches(expected: str, actual: str) -> bool:
    pattern = "\n".join(
        "(?:.*\n)*?.*" if line.strip() == "..." else re.escape(line)
        for line in settle(expected).splitlines()
    )
    return re.fullmatch(pattern, settle(actual)) is not None


def play(folder: Path) -> dict[str, str]:
    """The output of each command, under the command; `log` is what the servers printed in all."""
    home, ready = folder / "home", folder / "ready.json"
    home.mkdir()
    names = {_HOME: str(home)}
    steps = read_steps()
    (listen,) = (step.command for step in steps if step.command.startswith(_LISTEN))
    (serve,) = (step.command for step in steps if step.command.startswith(_SERVE))
    asked = [step.command for step in steps if not is_served(step)]
    with _serve(listen.replace("9000", "0"), home, {}) as receiver:
        assert receiver.stdout is not None
        listening = receiver.stdout.readline()
        names[_RECEIVER] = listening.split("//")[1].partition(",")[0]
        with _serve(_translate(serve, names), home, _anywhere(ready)) as server:
            _wait_for(ready, server)
            told = json.loads(ready.read_text())
            names[_VENDOR] = told["url"].partition("//")[2]
            names[_CONTROL] = told["control_url"].partition("//")[2]
            commands = [_translate(command, names) for command in asked]
            control = {"FAKERELAY_CONTROL_URL": told["control_url"]}
            printed = dict(zip(asked, _run(commands, home, control), strict=True))
            log = _end(server)
        printed[serve] = "".join(log.partition(_BANNER_END)[:2])
        printed[listen] = listening
        printed["log"] = log + _end(receiver)
    back = {actual: name for name, actual in names.items()}
    return {command: _translate(output, back) for command, output in printed.items()}


def _anywhere(ready: Path) -> dict[str, str]:
    """Settings with which a server takes free ports and says which."""
    return {
        "FAKERELAY_SERVE_PORT": "0",
        "FAKERELAY_SERVE_CONTROL_PORT": "0",
        "FAKERELAY_SERVE_READY_FILE": str(ready),
    }


def _run(commands: list[str], home: Path, settings: dict[str, str]) -> list[str]:
    """One shell for all, so that later commands know the variables of earlier ones."""
    script = "".join(f"printf '\\n{_MARK}\\n'\n{command}\n" for command in commands)
    ran = subprocess.run(
        ["bash", "-c", f"exec 2>&1\n{script}"],
        cwd=home,
        env=_environment(home) | settings,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_SECONDS,
    )
    return ran.stdout.split(f"\n{_MARK}\n")[1:]


@contextmanager
def _serve(command: str, home: Path, settings: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        ["bash", "-c", f"exec {command}"],
        env=_environment(home) | settings,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def _end(process: subprocess.Popen[str]) -> str:
    process.terminate()
    return process.communicate(timeout=_PATIENCE_SECONDS)[0]


def _wait_for(file: Path, server: subprocess.Popen[str]) -> None:
    for _ in range(1000):
        if file.exists():
            return
        with suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"The server ended early, with {server.wait(0.02)}")
    raise AssertionError("The server isn't ready after 20 seconds")


def _environment(home: Path) -> dict[str, str]:
    programs = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    checkout = str(CHECKOUT)  # of several, the one whose manual this is
    return {"PATH": programs, "HOME": str(home), "LANG": "C.UTF-8", "PYTHONPATH": checkout}


def _translate(text: str, names: Mapping[str, str]) -> str:
    for name, meant in names.items():
        text = text.replace(name, meant)
    return text
