"""Calls at the same moment: any order explains a right server, none a wrong one."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import pytest

from fakerelay import schemas
from fakerelay.contract.catalogue import Scenario, list_scenarios
from fakerelay.contract.clients import Client
from fakerelay.contract.courses import foresee_courses
from fakerelay.contract.drafts import Account
from fakerelay.contract.drivers import list_moves
from fakerelay.contract.events import Broke, Compared, Event, Left, Lost, Unclear
from fakerelay.contract.faults import FAULTS
from fakerelay.contract.judgements import Judge
from fakerelay.contract.model import Policy, World
from fakerelay.contract.operations import Level, Operation, Race, Start
from fakerelay.contract.runs import Run
from fakerelay.contract.targets import Target
from tests.mutants import open_mutant

ERRORS = schemas.read_json("profiles/default")["errors"]
LEVELS: tuple[Level, ...] = ("documented", "assumed")
RACES = [each for each in list_scenarios("documented", Policy()) if "race" in each.name]


@contextmanager
def open_run(level: Level, *faults: str) -> Iterator[Run]:
    with open_mutant(*faults) as mutant, closing(Client(mutant.url)) as client:
        accounts = {number: Account(*each[:3]) for number, each in enumerate(mutant.accounts)}
        yield Run(Target(mutant.url, accounts), client, Judge(level, ERRORS))


def complaints(events: Iterator[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, Broke | Unclear | Lost | Left)]


def outcomes(*operations: Operation, lost: Sequence[int] = ()) -> set[tuple[bool | None, ...]]:
    courses = foresee_courses(World(), operations, Policy(), FAULTS, lost=lost)
    return {tuple(each and each.broken is None for each in course.outcomes) for course in courses}


def test_either_of_two_may_be_first() -> None:
    two = (Start(0, (0,)), Start(1, (0,)))
    assert outcomes(*two) == {(True, False), (False, True)}
    assert outcomes(*two, lost=[1]) == {(True, None), (False, True)}


@pytest.mark.parametrize("level", LEVELS)
def test_right_server_agrees_whoever_wins(level: Level) -> None:
    with open_run(level) as run:
        assert complaints(run.play(RACES * 3)) == []
    assert run.counts["address-unique"] > 0


FAULTY = {"address-race": "address-unique", "quota-race": "concurrent-pushes"}


@pytest.mark.parametrize(("fault", "rule"), FAULTY.items(), ids=FAULTY.keys())
def test_check_and_claim_apart_is_found_and_shown_by_the_race_alone(fault: str, rule: str) -> None:
    with open_run("documented", fault) as run:
        (found,) = complaints(run.play(RACES))
    assert isinstance(found, Broke)
    assert found.finding.rule == rule
    *before, race = list_moves(found.steps)
    assert isinstance(race, Race)
    assert len(before) <= (4 if fault == "quota-race" else 0)


def test_raced_steps_are_judged_each() -> None:
    race = Race((Start(0, (0,)), Start(1, (1,))))
    with open_run("assumed") as run:
        events = list(run.play([Scenario("both", [race, Start(2, (2,))])]))
    assert [event.step.race for event in events if isinstance(event, Compared)] == [1, 1, 0]
