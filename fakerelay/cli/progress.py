"""How far a run is, while it goes on: redrawn on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

import click

from fakerelay.contract.reports.remarks import tell_pace

if TYPE_CHECKING:
    from fakerelay.contract.events import Event
    from fakerelay.contract.reports.circumstances import Circumstances
    from fakerelay.contract.runs import Run
    from fakerelay.contract.verdicts import Tally

_CALLS_A_LINE: Final = 5000
_SECONDS_A_LINE: Final = 20.0
_REDRAW_SECONDS: Final = 0.1
_SIGNS: Final = {
    "agrees": ("✓", "green"),
    "broken": ("✗", "bold red"),
    "skipped": ("-", "dim"),
    "inconclusive": ("·", "dim"),
}


class Progress(Protocol):
    """Hears of each event once it is in the tally."""

    def hear(self, event: "Event") -> None: ...


@contextmanager
def open_progress(run: "Run", tally: "Tally", asked: "Circumstances") -> Iterator[Progress]:
    """On stderr, so that the verdict has stdout for itself."""
    if not sys.stderr.isatty():
        yield _Lines(run, asked)
        return
    from rich.console import Console  # nobody but a terminal needs it
    from rich.live import Live

    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield _Redrawn(run, tally, asked, live)


class _Lines:
    def __init__(self, run: "Run", asked: "Circumstances") -> None:
        self._run = run
        self._asked = asked
        self._told = 0
        self._pace = 0
        self._due_at = time.monotonic() + _SECONDS_A_LINE

    def hear(self, event: "Event") -> None:
        from fakerelay.contract.events import Broke

        if isinstance(event, Broke):
            click.echo(f"broken after {self._run.calls} calls: {event.finding.rule}", err=True)
        pace = self._run.conduct.calls_per_second
        if pace not in (0, self._pace):
            self._pace = pace
            click.echo(tell_pace(pace, self._asked), err=True)
        now = time.monotonic()
        if self._run.calls >= self._told + _CALLS_A_LINE or now >= self._due_at:
            self._told, self._due_at = self._run.calls, now + _SECONDS_A_LINE
            click.echo(f"{self._told} calls, {len(self._run.counts)} rules compared", err=True)


class _Redrawn:
    def __init__(self, run: "Run", tally: "Tally", asked: "Circumstances", live: Any) -> None:
        self._run = run
        self._tally = tally
        self._asked = asked
        self._live = live
        self._due_at = 0.0

    def hear(self, event: "Event") -> None:
        now = time.monotonic()
        if now >= self._due_at:
            self._due_at = now + _REDRAW_SECONDS
            self._live.update(self._draw(), refresh=True)

    def _draw(self) -> Any:
        from rich.columns import Columns
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        bar = Table.grid(padding=(0, 1))
        most, pace = self._asked.max_calls, self._run.conduct.calls_per_second
        calls = f"{self._run.calls} of at most {most} calls"
        bar.add_row(ProgressBar(most, self._run.calls, width=30), calls)
        verdicts = self._tally.verdicts()
        judged = [each for each in verdicts if each.state != "skipped"]
        rules = []
        for verdict in sorted(judged, key=lambda each: each.state != "broken"):
            sign, style = _SIGNS[verdict.state]
            rules.append(Text(f"{sign} {verdict.rule}", style=style))
        paced = [Text(tell_pace(pace, self._asked))] if pace else []
        return Group(bar, *paced, Columns(rules, padding=(0, 2)))
