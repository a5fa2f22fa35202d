"""Requests said otherwise: fine all the same; and addresses that are one, or only look alike."""

from collections.abc import Iterator
from typing import Final

from fakerelay.contract.addresses import LOOK_ALIKES, SAME
from fakerelay.contract.catalogue.scenarios import KINDS, Scenario
from fakerelay.contract.operations import Kind, Level, Start, Stop
from fakerelay.contract.styles import STYLES
from fakerelay.contract.styles.rows import MIXED

_MOST_SHARED: Final = 4


def list_styles(level: Level) -> Iterator[Scenario]:
    """Each of the level's; those of both kinds that are assumed by turns.

    Layouts that are assumed share a task: the first starts it, others update it.
    """
    layouts = []
    for number, (name, style) in enumerate(STYLES.items()):
        is_assumed = style.level == "assumed"
        if is_assumed and level == "documented":
            continue
        if is_assumed and style.kinds == MIXED and "stoprtmp" not in style.operations:
            layouts.append(name)
            continue
        for kind in [KINDS[number % 2]] if is_assumed and len(style.kinds) > 1 else style.kinds:
            yield _play_style(kind, name)
    for begin in range(0, len(layouts), _MOST_SHARED):
        some = layouts[begin : begin + _MOST_SHARED]
        starts = [Start(0, (0,), "mixed", style=name) for name in some]
        yield Scenario(f"mixed: {', '.join(some)}", [*starts, Stop(0, kind="mixed")])


def _play_style(kind: Kind, name: str) -> Scenario:
    stop_style = name if "stoprtmp" in STYLES[name].operations else "plain"
    start, stop = Start(0, (0,), kind, style=name), Stop(0, kind=kind, style=stop_style)
    return Scenario(f"{kind}: {name}", [start, stop])


def list_spellings() -> Iterator[Scenario]:
    """Whether one address is taken for one, and two for two."""
    first, *_others, last = SAME
    yield Scenario(
        "an address in other spellings",
        [
            Start(0, (0, 1)),
            *(Start(1, (0,), "mixed", style=name) for name in SAME),
            Start(0, (1, 0), style=last),
            *(Stop(0, (2,), style=name) for name in SAME),
            Start(1, (1,)),
            Stop(0, (1,), style=first),
            Start(1, (1,), style=last),
            Start(2, (0,), style=first),
        ],
    )
    yield Scenario(
        "an rtmps address in other spellings",
        [
            Start(0, (0,), style="rtmps"),
            *(Start(1, (0,), "mixed", style=f"rtmps, {name}") for name in SAME),
            Start(0, (0,), style=f"rtmps, {last}"),
        ],
    )
    step = -(-LOOK_ALIKES // 5)
    yield Scenario(
        "addresses that look alike",
        [
            Start(n, tuple(range(n, LOOK_ALIKES, step)), KINDS[n % 2], style="look-alikes")
            for n in range(step)
        ],
    )
