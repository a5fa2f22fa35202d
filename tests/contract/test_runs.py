"""The kit on servers: nothing to say of one that keeps to the contract, all of one that doesn't."""

import ast
import inspect
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from typing import Any

import pytest

from fakerelay import FakeRelay, schemas
from fakerelay.contract.catalogue import Scenario, list_scenarios
from fakerelay.contract.clients import Client
from fakerelay.contract.drafts import Account
from fakerelay.contract.events import Broke, Compared, Event, Lost, Unclear
from fakerelay.contract.faults import FAULTS
from fakerelay.contract.judgements import Judge
from fakerelay.contract.machines import ContractMachine, explore
from fakerelay.contract.model import Policy
from fakerelay.contract.operations import Level, Move, Race, Start, Stop
from fakerelay.contract.runs import Budget, Run
from fakerelay.contract.targets import Target
from tests.contract.misbehaving import open_server, reply

ERRORS = schemas.read_json("profiles/default")["errors"]
LEVELS: tuple[Level, ...] = ("documented", "assumed")


@contextmanager
def open_run(relay: FakeRelay, level: Level, **budget: Any) -> Iterator[Run]:
    account = Account(relay.appid, relay.certificate_id, relay.certificate_key)
    with closing(Client(relay.http_url)) as client:
        target = Target(relay.http_url, {0: account})
        yield Run(target, client, Judge(level, ERRORS), Budget(**budget))


def complaints(events: Iterator[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, Broke | Unclear | Lost)]


@pytest.mark.parametrize("level", LEVELS)
def test_fake_keeps_to_the_contract(fakerelay: FakeRelay, level: Level) -> None:
    with open_run(fakerelay, level) as run:
        assert complaints(run.play(list_scenarios(level, Policy()))) == []
    assert run.calls > 400
    assert fakerelay.tasks() == []


@pytest.mark.parametrize("level", LEVELS)
def test_fake_keeps_to_the_contract_whatever_is_made_up(fakerelay: FakeRelay, level: Level) -> None:
    with open_run(fakerelay, level) as run:
        made_up = explore(level, Policy(), FAULTS, has_other_app=False, seed=7, scenarios=20)
        assert complaints(run.play(made_up)) == []
    assert run.calls > 100


BROKEN = {
    "quota off by one": ({"concurrent_pushes": 6}, "concurrent-pushes", 6),
    "quota too small": ({"concurrent_pushes": 1}, "start-path", 2),
}


@pytest.mark.parametrize(("settings", "rule", "steps"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_rule_is_found_and_shown_in_few_steps(
    settings: dict[str, Any], rule: str, steps: int
) -> None:
    with FakeRelay(settings=settings, callback_url=None) as relay:
        with open_run(relay, "documented") as run:
            found = next(
                event
                for event in run.play(list_scenarios("documented", Policy()))
                if isinstance(event, Broke) and event.finding.rule == rule
            )
        assert len(found.steps) == steps
        assert relay.tasks() == []


def test_late_release_is_waited_for_where_only_the_documented_counts() -> None:
    scenario = Scenario("freed", [Start(0, (0,)), Stop(0), Start(1, (0,))])
    with FakeRelay(settings={"release_seconds": 0.3}, callback_url=None) as relay:
        with open_run(relay, "documented") as run:
            assert complaints(run.play([scenario])) == []
        with open_run(relay, "assumed") as run:
            (late,) = complaints(run.play([scenario]))
        assert isinstance(late, Broke)
        assert late.finding.rule == "release-at-once"
        assert [step.operation for step in late.steps] == list(scenario.operations)


def test_late_release_is_one_finding_where_the_profile_has_none() -> None:
    lives = [each for each in list_scenarios("assumed", Policy()) if "again and again" in each.name]
    freed = Scenario("freed", [Start(0, (0,)), Stop(0), Start(1, (0,))])
    with (
        FakeRelay(settings={"release_seconds": 0.3}, callback_url=None) as relay,
        open_run(relay, "assumed") as run,
    ):
        (late,) = complaints(run.play([freed, *lives]))
    assert isinstance(late, Broke)
    assert late.finding.rule == "release-at-once"


def test_what_compares_nothing_new_comes_last_where_all_is_freed_late() -> None:
    """Each wait is taken from the time that there is for all rules."""
    freed = Scenario("freed", [Start(0, (0,)), Stop(0), Start(1, (0,))])
    known = Scenario("known", [Start(0, (0,)), Stop(0)])
    new = Scenario("new", [Start(0, (0,), credential="no token")])
    with (
        FakeRelay(settings={"release_seconds": 1.1}, callback_url=None) as relay,
        open_run(relay, "documented") as run,
    ):
        events = list(run.play([freed, known, new]))
    assert list(dict.fromkeys(each.scenario.name for each in events)) == ["freed", "new", "known"]


HASTY = [Scenario("hasty", [Start(0, (0,)), Start(1, (0,)), Start(0, (1,)), Stop(0)])]
WORDED = {"rate_limited": {"code": 777, "http_status": 200}}
LIMITS = {
    "as the profile has it": {"rate_limit_per_second": 3},
    "in other words": {"rate_limit_per_second": 3, "errors": WORDED},
}


@pytest.mark.parametrize("settings", LIMITS.values(), ids=LIMITS.keys())
def test_limit_of_calls_is_kept_to_where_only_the_documented_counts(
    settings: dict[str, Any],
) -> None:
    with FakeRelay(settings=settings, callback_url=None) as relay:
        with open_run(relay, "documented") as run:
            assert complaints(run.play(HASTY)) == complaints(run.finish()) == []
        assert relay.tasks() == []


def test_race_is_not_run_where_its_calls_are_too_many() -> None:
    starts = (Start(0, (0,)), Start(1, (0,)))
    scenarios = [*HASTY, Scenario("race", [Race(starts)])]
    settings = {"rate_limit_per_second": 1}
    with (
        FakeRelay(settings=settings, callback_url=None) as relay,
        open_run(relay, "documented") as run,
    ):
        events = list(run.play(scenarios))
    assert complaints(iter(events)) == []
    assert {event.scenario.name for event in events} == {"hasty"}


def test_limit_of_calls_that_the_profile_lacks_is_one_finding() -> None:
    with FakeRelay(settings={"rate_limit_per_second": 3}, callback_url=None) as relay:
        with open_run(relay, "assumed") as run:
            assert complaints(run.play(HASTY)) == []
            (broke,) = complaints(run.finish())
        assert relay.tasks() == []
    assert isinstance(broke, Broke)
    assert broke.finding.rule == "rate-limit"


def test_what_comes_too_soon_while_a_finding_is_made_short_counts_once() -> None:
    """The first call that is to show it without the third start."""
    limited, numbers = 11, count(1)
    too_soon, success = (
        reply(b'{"code": %d, "message": "%s", "traceId": "t"}' % each)
        for each in ((ERRORS["rate_limited"]["code"], b"later"), (0, b"success"))
    )
    starts = [Start(0, (0,)), Start(1, (1,)), Start(2, (2,)), Start(3, (0,))]
    with (
        open_server(lambda *_call: too_soon if next(numbers) == limited else success) as url,
        closing(Client(url)) as client,
    ):
        run = Run(Target(url, {0: Account(7, "c", "k")}), client, Judge("documented", ERRORS))
        (broke,) = complaints(run.play([Scenario("one address twice", starts)]))
    assert isinstance(broke, Broke)
    assert [step.operation for step in broke.steps] == [starts[0], starts[-1]]


def test_task_may_take_back_late_what_its_own_update_dropped() -> None:
    scenario = Scenario("back", [Start(0, (0,)), Start(0, (1,)), Start(0, (0,)), Stop(0)])
    answers = [b'{"code": 0, "message": "success"}'] * 6
    answers[2] = b'{"code": 1, "message": "still in use"}'
    with (
        open_server(lambda connection, request: reply(answers.pop(0))) as url,
        closing(Client(url)) as client,
    ):
        run = Run(Target(url, {0: Account(7, "c", "k")}), client, Judge("documented", ERRORS))
        assert complaints(run.play([scenario])) == []
    assert len(answers) == 1


def test_what_runs_at_the_end_is_stopped_by_its_own_room_and_name(fakerelay: FakeRelay) -> None:
    elsewhere: list[Move] = [Start(0, (0,), room=1), Stop(0, (0,), room=1), Start(0, (0,))]
    nameless = [Start(0, (0,)), Start(0, (1,), flaw="uid empty")]
    with open_run(fakerelay, "assumed") as run:
        scenarios = [Scenario("moved", elsewhere), Scenario("nameless", nameless)]
        assert complaints(run.play(scenarios)) == []
    assert fakerelay.tasks() == []


@pytest.mark.parametrize("fault", ["drop_after_commit", "reset"])
def test_lost_reply_leaves_both_possible(fakerelay: FakeRelay, fault: str) -> None:
    scenario = Scenario("lost", [Start(0, (0,)), Start(0, (0,)), Stop(0)])
    fakerelay.faults.add(fault)
    with open_run(fakerelay, "assumed") as run:
        events = list(run.play([scenario]))
    assert [type(event) for event in events] == [Lost, Compared, Compared]


def test_no_rule_of_the_machine_is_a_coroutine() -> None:
    """Hypothesis would pass it without running it."""
    source = ast.parse(inspect.getsource(inspect.getmodule(ContractMachine) or ContractMachine))
    assert not [node for node in ast.walk(source) if isinstance(node, ast.AsyncFunctionDef)]


def test_kit_reads_nothing_of_the_fake() -> None:
    """A judge doesn't ask the accused."""
    script = (
        "import sys, fakerelay.contract.machines, fakerelay.contract.runs,"
        " fakerelay.contract.verdicts, fakerelay.contract.reports.files;"
        "print(*sorted(name for name in sys.modules if name.startswith('fakerelay.')))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    others = [name for name in ran.stdout.split() if ".contract" not in name]
    assert others == ["fakerelay.errors", "fakerelay.schemas"]
