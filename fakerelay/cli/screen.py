"""What a person reads along: prose, traffic and findings; in colour on a terminal only."""

import json
import sys
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

from fakerelay.cli.receiver import Callback, render_status

_WIDTH = 92


class Screen:
    """Prints a transcript line by line."""

    def __init__(self) -> None:
        self._print = _open_terminal() if sys.stdout.isatty() else _print_plain

    def say(self, text: str) -> None:
        """A paragraph."""
        self._print("\n" + textwrap.fill(" ".join(text.split()), _WIDTH), "bold")

    def note(self, text: str) -> None:
        """A remark on what was just shown."""
        self._print(textwrap.indent(textwrap.fill(" ".join(text.split()), _WIDTH - 4), "    "), "")

    def request(self, line: str, body: Mapping[str, Any]) -> None:
        self._print(f"\n  --> {line}", "cyan")
        self._print(_render(body, "      "), "cyan")

    def reply(self, status: int, body: Mapping[str, Any], *, is_accepted: bool) -> None:
        style = "green" if is_accepted else "red"
        self._print(f"  <-- {status} {json.dumps(body)}", style)

    def callback(self, callback: Callback, *, whole: bool = False) -> None:
        self._print(f"  <== callback: {render_status(callback)}", "magenta")
        if whole:
            self._print(_render(callback.message, "      "), "magenta")

    def plain(self, text: str) -> None:
        self._print(text, "")


def _render(body: Mapping[str, Any], indent: str) -> str:
    """A line for each key, and what is inside it in that line, or below where it is too long."""
    lines = ",\n".join(f"{indent}  {_render_item(key, body[key], indent)}" for key in body)
    return f"{indent}{{\n{lines}\n{indent}}}"


def _render_item(key: str, value: Any, indent: str) -> str:
    line = f"{json.dumps(key)}: {json.dumps(value)}"
    if len(indent) + len(line) + 3 <= _WIDTH or not isinstance(value, dict):
        return line
    return f"{json.dumps(key)}: {_render(value, indent + '  ').lstrip()}"


def _print_plain(text: str, style: str) -> None:
    print(text, flush=True)  # noqa: T201


def _open_terminal() -> Callable[[str, str], None]:
    from rich.console import Console  # nobody but a terminal needs it

    console = Console(highlight=False, markup=False, soft_wrap=True)
    return lambda text, style: console.print(text, style=style)
