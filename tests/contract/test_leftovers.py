"""What a wrong server lets in is stopped again, and is told as one rule that is broken."""

from collections.abc import Sequence
from contextlib import closing

import pytest

from fakerelay import schemas
from fakerelay.contract.catalogue import list_scenarios
from fakerelay.contract.clients import Client
from fakerelay.contract.drafts import Account
from fakerelay.contract.events import Broke, Event, Left, Lost, Unclear
from fakerelay.contract.judgements import Judge
from fakerelay.contract.model import Policy
from fakerelay.contract.operations import Level
from fakerelay.contract.runs import Budget, Run
from fakerelay.contract.targets import Target
from tests.mutants import open_mutant

ERRORS = schemas.read_json("profiles/default")["errors"]


def play(level: Level, *faults: str) -> Sequence[Event]:
    """What is to be told of all that is always played."""
    with open_mutant(*faults) as mutant, closing(Client(mutant.url)) as client:
        accounts = {number: Account(*each[:3]) for number, each in enumerate(mutant.accounts)}
        run = Run(
            Target(mutant.url, accounts), client, Judge(level, ERRORS), Budget(max_calls=5000)
        )
        events = list(run.play(list_scenarios(level, Policy())))
    return [event for event in events if isinstance(event, Broke | Unclear | Lost | Left)]


LET_IN: dict[str, tuple[Level, set[str]]] = {
    "content-type-unchecked": ("assumed", {"content-type", "order-of-checks"}),
    "appid-string-accepted": ("documented", {"appid-field"}),
}


@pytest.mark.parametrize(("fault", "expected"), LET_IN.items(), ids=LET_IN)
def test_what_was_let_in_is_in_nobodys_way(fault: str, expected: tuple[Level, set[str]]) -> None:
    level, rules = expected
    told = play(level, fault)
    assert {event.finding.rule for event in told if isinstance(event, Broke)} == rules
    assert len(told) == len(rules)


def test_what_nothing_stops_is_told_and_no_more_rules_are_blamed() -> None:
    """Its stop refuses the name that its start has taken."""
    told = play("documented", "roomid-65-accepted")
    assert [event.finding.rule for event in told if isinstance(event, Broke)] == ["roomid-form"]
    assert any(isinstance(event, Left) for event in told)


def test_places_that_are_kept_are_told_of_once() -> None:
    told = play("documented", "stop-keeps-quota")
    assert len([event for event in told if isinstance(event, Broke)]) == 1
