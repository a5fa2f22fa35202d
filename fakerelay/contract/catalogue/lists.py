"""All scenarios that are always played, in their order: what finds most comes first."""

from collections.abc import Iterator
from typing import Final

from fakerelay.contract.catalogue.assumptions import list_assumptions
from fakerelay.contract.catalogue.collisions import list_collisions
from fakerelay.contract.catalogue.lives import (
    list_layout_changes,
    list_lives,
    list_names,
    list_releases,
)
from fakerelay.contract.catalogue.oddities import list_flawed_updates, list_flaws, list_tokens
from fakerelay.contract.catalogue.precedence import list_precedences
from fakerelay.contract.catalogue.quotas import list_quotas
from fakerelay.contract.catalogue.scenarios import KINDS, MOST_FILLED, Scenario
from fakerelay.contract.catalogue.spellings import list_spellings, list_styles
from fakerelay.contract.courses import foresee_courses, is_move_documented
from fakerelay.contract.faults import FAULTS
from fakerelay.contract.model import Policy, World
from fakerelay.contract.operations import Level, Race, Start, Stop, list_operations

_RACES: Final = 2


def list_scenarios(level: Level, policy: Policy) -> Iterator[Scenario]:
    """Those whose every answer is decided by rules of the level."""
    for scenario in _list_all(level, policy):
        if level == "assumed" or _is_documented(scenario, policy):
            yield scenario


def _is_documented(scenario: Scenario, policy: Policy) -> bool:
    worlds = [World()]
    for move in scenario.operations:
        if not all(is_move_documented(world, move, policy, FAULTS) for world in worlds):
            return False
        operations = list_operations(move)
        courses = [foresee_courses(world, operations, policy, FAULTS) for world in worlds]
        worlds = [course.world for each in courses for course in each]
    return True


def _list_all(level: Level, policy: Policy) -> Iterator[Scenario]:
    yield from list_releases(policy)
    yield from list_lives(policy, level)
    yield from list_tokens(level)
    yield from list_collisions(policy)
    yield from list_quotas(policy)
    yield from list_flawed_updates(level)
    yield from list_flaws(level)
    yield from list_styles(level)
    yield from list_names()
    yield from list_layout_changes()
    if level == "assumed":
        yield from list_assumptions(policy)
        yield from list_spellings()
        yield from list_precedences(policy)
        yield from _rooms(policy)
    yield from _races(policy)


def _rooms(policy: Policy) -> Iterator[Scenario]:
    """A room that is not live is refused, where the profile asks for one that is."""
    room = policy.live_rooms
    if room is not None:
        for kind in KINDS:
            refused = Start(0, (0,), kind, room)
            yield Scenario(f"{kind}: a room that is not live", [refused, Start(1, (0,), kind)])


def _races(policy: Policy) -> Iterator[Scenario]:
    """Whoever comes first is right: but not two can be, and one has to be."""
    many = min(4, policy.concurrent_pushes or 4)
    for attempt in range(_RACES if many > 1 else 0):
        # By turns a source and a mixed one is the first.
        racing = tuple(Start(n, (0,), KINDS[(n + attempt) % 2]) for n in range(many))
        name = f"{len(racing)} tasks race for an address, {attempt + 1}"
        yield Scenario(name, [Race(racing), Start(4, (0,))])
    most = policy.concurrent_pushes
    if 0 < most <= MOST_FILLED:
        full = [Start(n, (n,)) for n in range(most - 1)]
        for attempt in range(_RACES):
            late = tuple(
                Start(n, (n,), KINDS[(n + attempt) % 2]) for n in range(most - 1, most + 2)
            )
            name = f"{len(late)} tasks race for the last place, {attempt + 1}"
            yield Scenario(name, [*full, Race(late), Start(most + 2, (most + 2,))])
    if most == 0 or most > 1:
        runs = [Start(0, (0,)), Start(1, (1,), "mixed")]
        wanting = Race((Start(0, (2, 0)), Start(1, (1, 2), "mixed")))
        yield Scenario("two updates race for an address", [*runs, wanting, Start(2, (2,))])
    for kind in KINDS:
        updates = (Start(0, (0, 1), kind), Start(0, (0, 2), kind))
        yield Scenario(
            f"{kind}: two starts of one task race", [Race(updates), Start(0, (0,), kind)]
        )
        yield Scenario(
            f"{kind}: two updates race", [Start(0, (0,), kind), Race(updates), Stop(0, kind=kind)]
        )
        hasty = [(Start(n, (0,), kind), Stop(n, kind=kind)) for n in range(4)]
        yield Scenario(
            f"{kind}: an address from hand to hand", [each for two in hasty for each in two]
        )
