"""What `fakerelay verify` says at the end: the verdict, then what is broken and what to do."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from fakerelay.contract.reports.summaries import (
    advise,
    fails,
    list_broken,
    tell_marks,
    tell_provenances,
    tell_verdict,
)

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
    place = None if folder is None else str(folder)
    _list_broken(broken, say)
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
    for finding in filter(fails, broken):
        _print_finding(finding, place, say)
    for left in report["leftovers"][:_MOST_SCRIPTS]:
        say(f"\nMay still run: {left['told']} got {left['answer']}")
        if place is None:
            say("\n" + left["curl"])  # nobody can write it later: it has the names as they were
    if place is not None:
        say(f"\nWritten: {place}/index.html, summary.md, report.json, junit.xml, findings/")


def print_replayed(replayed: Sequence["Replayed"]) -> None:
    say = _open_terminal()
    for each in replayed:
        line = f"{each.state} {each.tried.rule}: {each.reason}"
        say(line, _STYLES.get(each.state, "bold red"))
    if not replayed:
        say("INCONCLUSIVE: there is no finding in it to try", "bold yellow")


def _list_broken(broken: Sequence[Mapping[str, Any]], say: Callable[..., None]) -> None:
    """Each with what it is; of what is accepted only that it is."""
    if not broken:
        return
    say("")
    for finding in broken[:_MOST_LISTED]:
        marks, name = tell_marks(finding), f"{finding['rule']} ({finding['provenance']})"
        if not fails(finding):
            say(f"  {name}: {marks[2:-1]}")
            continue
        say(f"  {name}: {finding['text']}", "red")
        if marks:
            say(f"   {marks}")
    if len(broken) > _MOST_LISTED:
        say(f"  and {len(broken) - _MOST_LISTED} more, all of them below", "red")
    say(f"  ({tell_provenances(each['provenance'] for each in broken)})")


def _print_finding(finding: Mapping[str, Any], place: str | None, say: Callable[..., None]) -> None:
    say(f"\n{finding['rule']}", "bold")
    for number, step in enumerate(finding["steps"], start=1):
        say(f"  {number}. {step['told']}")
    say(f"  expected {finding['expected']}")
    say(f"  got      {finding['got']}")
    for line in finding.get("evidence", ()):
        say(f"  {line}")
    if place is not None:
        say(f"  script   {place}/findings/{finding['rule']}.sh")


def _open_terminal() -> Callable[..., None]:
    """Prints lines; in colour on a terminal only."""
    if not sys.stdout.isatty():
        return lambda text, style="": click.echo(text)
    from rich.console import Console  # nobody but a terminal needs it

    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    return lambda text, style="": console.print(text, style=style)
