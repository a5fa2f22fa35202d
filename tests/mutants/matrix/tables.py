"""What many trials come to: a table for people, in Markdown."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from textwrap import shorten
from typing import Final, NamedTuple

from tests.mutants import FAULTS
from tests.mutants.matrix.kills import Found, Result

_HEAD = ("fault", "level", "breaks", "noticed by", "in", "calls", "scenarios", "steps")
_WIDEST: Final = 60


class Row(NamedTuple):
    """One fault at one level, over all seeds; each of its results says the same of some seeds."""

    name: str
    level: str
    results: Sequence[Result]

    @property
    def missed(self) -> Sequence[Result]:
        return [each for each in self.results if each.found is None]

    @property
    def found(self) -> Sequence[Found]:
        return [each.found for each in self.results if each.found is not None]


def render_kills(rows: Sequence[Row]) -> str:
    """The matrix, then survivors, then totals."""
    lines = _table(_HEAD, [_cells(row) for row in rows])
    survivors = [row for row in rows if row.missed]
    for row in survivors:
        seeds = ", ".join(str(each.trial.seed) for each in row.missed)
        lines.append(f"survives: {row.name} at {row.level} (seeds {seeds}): {FAULTS[row.name].doc}")
    for level in sorted({row.level for row in rows}):
        lines.append(_total(level, [row for row in rows if row.level == level]))
    return "\n".join(lines)


def render_alarms(results: Sequence[Result]) -> str:
    """Each alarm in full, then how many there were."""
    lines = []
    alarms = [(each.trial, each.found) for each in results if each.found is not None]
    for trial, found in alarms:
        lines.append(f"alarm: {trial.name} at {trial.level}, seed {trial.seed}, {found.rule}")
        lines += [f"  {found.scenario}: {found.told}", "  by " + "; then ".join(found.steps)]
    calls = sum(each.calls for each in results)
    return "\n".join(
        [*lines, f"variants: {len(alarms)} alarms in {len(results)} runs, {calls} calls"]
    )


def _cells(row: Row) -> Sequence[str]:
    told = (row.name, row.level, FAULTS[row.name].rule)
    if not row.found:
        return *told, "nothing", "", "", "", ""
    first = row.found[0]
    return (
        *told,
        " / ".join(sorted({each.rule for each in row.found})),
        shorten(first.scenario, _WIDEST, placeholder=" ..."),
        _spread(each.calls for each in row.found),
        _spread(each.scenarios for each in row.found),
        _spread(len(each.steps) for each in row.found),
    )


def _spread(numbers: Iterable[int]) -> str:
    """Median and highest, or the one that they all are."""
    sorted_ = sorted(numbers)
    middle = f"{median(sorted_):g}"
    return middle if sorted_[0] == sorted_[-1] else f"{middle} to {sorted_[-1]}"


def _total(level: str, rows: Sequence[Row]) -> str:
    killed = [row for row in rows if not row.missed]
    steps = [len(each.steps) for row in rows for each in row.found]
    calls = [each.calls for row in rows for each in row.found]
    told = f"{level}: {len(killed)} of {len(rows)} killed ({len(killed) / len(rows):.1%})"
    if not calls:
        return told
    return (
        f"{told}; calls {median(calls):g} in the median, {max(calls)} at most;"
        f" scripts of {median(steps):g} steps in the median, {max(steps)} at most"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(map(str.ljust, cells, widths)) + " |"

    return [line(head), line("-" * width for width in widths), *map(line, rows), ""]


def gather(results: Iterable[Result]) -> Iterator[Row]:
    """A row for each fault and level, in the order they come."""
    rows: dict[tuple[str, str], list[Result]] = {}
    for each in results:
        rows.setdefault((each.trial.name, each.trial.level), []).append(each)
    return (Row(name, level, each) for (name, level), each in rows.items())
