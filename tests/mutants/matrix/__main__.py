"""`python -m tests.mutants.matrix`: which seeded fault the kit notices, how soon, and by what.

Exit code 1 where a fault survives, or a variant that is right raises an alarm.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from fnmatch import fnmatchcase
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click

from fakerelay.contract.efforts import EFFORTS
from fakerelay.errors import nearest
from tests.mutants import FAULTS, VARIANTS
from tests.mutants.matrix.kills import Result, Trial, try_seeds
from tests.mutants.matrix.tables import gather, render_alarms, render_kills

_LEVELS = ("own", "documented", "assumed", "both")


@click.command()
@click.option(
    "--level",
    type=click.Choice(_LEVELS),
    default="own",
    show_default=True,
    help="'own': each fault at the lowest level that notices it; 'both': wherever it is noticed.",
)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True)
@click.option("--effort", type=click.Choice(list(EFFORTS)), default="quick", show_default=True)
@click.option("--faults", "patterns", default="*", metavar="GLOB,...", help="Only these.")
@click.option("--variants", is_flag=True, help="Variants that must pass, in place of faults.")
@click.option("--jobs", type=click.IntRange(1, 2), default=2, show_default=True)
@click.option("--max-seconds", type=float, default=60.0, show_default=True, help="For each run.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write it here too.")
def main(**options: Any) -> None:
    """Play the contract kit against each seeded fault, up to its first finding."""
    names = _choose(VARIANTS if options["variants"] else FAULTS, options["patterns"])
    plan = [_plan(name, level, options) for name in names for level in _levels(name, options)]
    with ProcessPoolExecutor(options["jobs"], get_context("spawn")) as pool:
        results = _watch(chain.from_iterable(pool.map(try_seeds, plan)))
    text = render_alarms(results) if options["variants"] else render_kills(list(gather(results)))
    click.echo(text)
    if options["out"] is not None:
        options["out"].write_text(text + "\n", encoding="utf-8")
    is_alarm = options["variants"]
    sys.exit(any((each.found is not None) == is_alarm for each in results))


def _choose(known: Iterable[str], patterns: str) -> Sequence[str]:
    known = list(known)
    for pattern in patterns.split(","):
        if not any(fnmatchcase(name, pattern) for name in known):
            raise click.UsageError(f"--faults {pattern!r} fits none{nearest(pattern, known)}")
    return [name for name in known if any(fnmatchcase(name, p) for p in patterns.split(","))]


def _levels(name: str, options: dict[str, Any]) -> Iterator[Any]:
    """The levels among those asked for at which a fault is to be noticed, a variant to pass."""
    asked = options["level"]
    if options["variants"]:
        yield from (level for level in VARIANTS[name].levels if asked in (level, "own", "both"))
        return
    own = FAULTS[name].level
    for level in ("documented", "assumed"):
        is_wanted = asked in (level, "both") or (asked == "own" and own == level)
        if is_wanted and (own, level) != ("assumed", "documented"):
            yield level


def _plan(name: str, level: Any, options: dict[str, Any]) -> list[Trial]:
    return [
        Trial(name, level, seed, options["effort"], options["variants"], options["max_seconds"])
        for seed in range(options["seeds"])
    ]


def _watch(results: Iterable[Result]) -> list[Result]:
    """All results; on stderr a dot for each that is as it should be, else what was found."""
    seen = []
    for each in results:
        seen.append(each)
        is_right = (each.found is None) == each.trial.is_variant
        click.echo("." if is_right else f"\n{_tell(each)}\n", nl=False, err=True)
    click.echo("", err=True)
    return seen


def _tell(result: Result) -> str:
    trial, found = result.trial, result.found
    told = "nothing" if found is None else f"{found.rule}, in {found.scenario!r}: {found.told}"
    return f"{trial.name} ({trial.level}, seed {trial.seed}): {told}"


if __name__ == "__main__":
    main()
