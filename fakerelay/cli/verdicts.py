"""What `fakerelay verify` says at the end: the verdict, then what is broken and what to do."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from fakerelay.contract.reports.summaries import advise, list_broken, tell_marks, tell_verdict

if TYPE_CHECKING:
    from fakerelay.contract.replays import Replayed

_MOST_LISTED: Final = 10
_MOST_SCRIPTS: Final = 3
_STYLES: Final = {
    "AGREES": "bold green",
    "FIXED": "bold green",
    "INCONCLUSIVE": "bold yellow",
    "SKIPPED": "bold yellow",
}


def print_report(report: Mapping[str, Any], folder: Path | None) -> None:
    say = _open_terminal()
    say(tell_verdict(report), _STYLES.get(report["verdict"], "bold red"))
    broken = list_broken(report)
    if broken:
        say("")
    for finding in broken[:_MOST_LISTED]:
        say(f"  {finding['rule']} ({finding['provenance']}): {finding['text']}", "red")
        if marks := tell_marks(finding):
            say(f"   {marks}")
    if len(broken) > _MOST_LISTED:
        say(f"  and {len(broken) - _MOST_LISTED} more, all of them below", "red")
    place = None if folder is None else str(folder)
    notes = [
        told if command is None else f"{told}: {command}" for told, command in advise(report, place)
    ]
    notes += report["remarks"]
    if report["gone"]:
        notes.append(f"Broken in the baseline, and not now: {', '.join(report['gone'])}")
    if notes:
        say("")
    for note in notes:
        say(f"  {note}")
    for number, finding in enumerate(broken):
        _print_finding(finding, say, has_script=folder is None and number < _MOST_SCRIPTS)
    for left in report["leftovers"][:_MOST_SCRIPTS]:
        say(f"\nMay still run: {left['told']} got {left['answer']}")
        if folder is None:
            say("\n" + left["curl"])
    if folder is None and len(broken) > _MOST_SCRIPTS:
        say(f"\nScripts of {len(broken) - _MOST_SCRIPTS} more: --report DIR writes them")
    if folder is not None:
        say(f"\nWritten: {folder}/index.html, summary.md, report.json, junit.xml, findings/")


def print_replayed(replayed: Sequence["Replayed"]) -> None:
    say = _open_terminal()
    for each in replayed:
        line = f"{each.state} {each.tried.rule}: {each.reason}"
        say(line, _STYLES.get(each.state, "bold red"))
    if not replayed:
        say("INCONCLUSIVE: there is no finding in it to try", "bold yellow")


def _print_finding(
    finding: Mapping[str, Any], say: Callable[..., None], *, has_script: bool
) -> None:
    say(f"\n{finding['rule']}", "bold")
    for number, step in enumerate(finding["steps"], start=1):
        say(f"  {number}. {step['told']}")
    say(f"  expected {finding['expected']}")
    say(f"  got      {finding['got']}")
    for line in finding.get("evidence", ()):
        say(f"  {line}")
    if has_script:
        say("\n" + finding["curl"])


def _open_terminal() -> Callable[..., None]:
    """Prints lines; in colour on a terminal only."""
    if not sys.stdout.isatty():
        return lambda text, style="": click.echo(text)
    from rich.console import Console  # nobody but a terminal needs it

    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    return lambda text, style="": console.print(text, style=style)
