"""What servers tell over HTTP of the calls of a run: the right ones are right."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Any, Final

import pytest

from fakerelay import FakeRelay
from fakerelay.contract.callbacks.arrivals import Terms
from fakerelay.contract.callbacks.routes import Route
from fakerelay.contract.callbacks.scenarios import list_callback_scenarios
from fakerelay.contract.callbacks.scopes import explain_skips, list_callback_rules
from fakerelay.contract.callbacks.witnesses import CallbackWitness
from fakerelay.contract.catalogue import Scenario
from fakerelay.contract.clients import Client
from fakerelay.contract.drafts import Account
from fakerelay.contract.events import Broke, Event, Left, Lost, Unclear
from fakerelay.contract.judgements import Judge
from fakerelay.contract.operations import Race, Start, Stop
from fakerelay.contract.runs import Run
from fakerelay.contract.targets import Target
from fakerelay.profiles import merge_profile, read_profile
from tests.mutants import VARIANTS, open_mutant

SOON: Final[Mapping[str, Any]] = {"timeout_seconds": 1, "retry_delays_seconds": [0.05] * 5}
SILENCE_SECONDS: Final = 1.5


class Told:
    """A run that hears what is told; `complaints` is what it says of some scenarios."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def complaints(self, scenarios: Sequence[Scenario]) -> list[Event]:
        events = [*self.run.play(scenarios), *self.run.finish()]
        return [event for event in events if isinstance(event, Broke | Left | Lost | Unclear)]


def open_told(stack: ExitStack, server: Any, profile: Mapping[str, Any]) -> Told:
    """`server` is a relay or a mutant: whatever can be told where to post to."""
    merged = merge_profile(read_profile("default"), dict(profile), "a test")
    route = stack.enter_context(Route(Terms.from_profile(merged["callback"])))
    if isinstance(server, FakeRelay):
        url, accounts = server.http_url, {0: account_of(server)}
        server.control("put_app", appid=server.appid, callback_url=route.url)
    else:
        url, server.callback_url = server.url, route.url
        accounts = {number: Account(*each) for number, each in enumerate(server.accounts)}
    target = Target(url, accounts)
    witness = CallbackWitness(target, route, SILENCE_SECONDS)
    client = stack.enter_context(closing(Client(url)))
    return Told(Run(target, client, Judge("assumed", merged["errors"]), callbacks=witness))


def account_of(relay: FakeRelay) -> Account:
    return Account(relay.appid, relay.certificate_id, relay.certificate_key)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_fake_tells_what_the_contract_says(stack: ExitStack) -> None:
    settings = {f"callback.{name}": value for name, value in SOON.items()}
    relay = stack.enter_context(FakeRelay(settings=settings, callback_url=None))
    told = open_told(stack, relay, {"callback": SOON})
    assert told.complaints(list(list_callback_scenarios())) == []
    compared = list_callback_rules() - told.run.counts.keys()
    reasons = explain_skips("assumed", has_route=True)
    assert "nothing was told that shows it" not in {
        reasons[rule] for rule in compared - {"refusal-changes-nothing"}
    }


@pytest.mark.parametrize(
    "variant",
    [None, "callbacks-late", "callback-repeated", "addresses-told-backwards", "two-attempts"],
)
def test_right_server_raises_no_alarm(stack: ExitStack, variant: str | None) -> None:
    own = VARIANTS[variant].profile if variant is not None else {}
    profile = {"callback": {**SOON, **own.get("callback", {})}}
    mutant = stack.enter_context(open_mutant(variant=variant, profile=profile))
    told = open_told(stack, mutant, profile)
    assert told.complaints(list(list_callback_scenarios())) == []


NOTICED = {
    "callback-early": "callback-after-reply",
    "given-up-after-three": "callback-given-up",
    "kept-told": "callback-update",
    "later-status-overtakes": "callback-order",
    "msgid-reused": "callback-envelope",
}


@pytest.mark.parametrize(("fault", "rule"), NOTICED.items())
def test_wrong_server_is_noticed(stack: ExitStack, fault: str, rule: str) -> None:
    mutant = stack.enter_context(open_mutant(fault, profile={"callback": SOON}))
    told = open_told(stack, mutant, {"callback": SOON})
    found = told.complaints(list(list_callback_scenarios()))
    assert rule in [event.finding.rule for event in found if isinstance(event, Broke)]


TIED = Race((Start(0, (0, 1)), Start(0, (0, 2))))
RACED = {
    "for an address": [Race((Start(0, (0,)), Start(1, (0,)))), Start(2, (1,))],
    "of one task": [TIED, Stop(0), Start(0, (3,))],
}


@pytest.mark.parametrize("moves", RACED.values(), ids=RACED.keys())
def test_race_raises_no_alarm(stack: ExitStack, moves: Any) -> None:
    mutant = stack.enter_context(open_mutant(profile={"callback": SOON}))
    told = open_told(stack, mutant, {"callback": SOON})
    assert told.complaints([Scenario("a race", moves)] * 3) == []


@pytest.mark.parametrize("app", [0, 1])
def test_only_the_app_is_judged(stack: ExitStack, app: int) -> None:
    mutant = stack.enter_context(open_mutant("callback-status-wrong"))
    told = open_told(stack, mutant, {})
    start = Scenario("a start", [Start(0, (0,), app=app), Stop(0, app=app)])
    rules = {event.finding.rule for event in told.complaints([start]) if isinstance(event, Broke)}
    assert rules == (set() if app else {"callback-start", "callback-stop"})


def test_answer_that_was_lost_leaves_open_what_is_told(stack: ExitStack) -> None:
    relay = stack.enter_context(FakeRelay(callback_url=None))
    told = open_told(stack, relay, {})
    relay.faults.add("drop_after_commit")
    lost = Scenario("lost", [Start(0, (0,)), Start(0, (0,)), Stop(0)])
    assert [type(event) for event in told.complaints([lost])] == [Lost]


def test_server_that_has_gone_owes_nothing(stack: ExitStack) -> None:
    relay = FakeRelay(callback_url=None)
    with relay:
        told = open_told(stack, relay, {})
        relay.control("put_app", appid=relay.appid, callback_url=None)
        assert list(told.run.play([Scenario("a start", [Start(0, (0,))])])) != []
    scenarios = [Scenario("gone", [Start(0, (0,))])] * 20
    assert not [event for event in told.complaints(scenarios) if isinstance(event, Broke)]


def test_each_rule_is_told_broken_once(stack: ExitStack) -> None:
    mutant = stack.enter_context(open_mutant("callback-product-wrong"))
    told = open_told(stack, mutant, {})
    scenarios = [Scenario("a start", [Start(0, (0,))])] * 4
    (broke,) = told.complaints(scenarios)
    assert isinstance(broke, Broke)
    assert broke.finding.rule == "callback-numbers"
    assert [step.operation for step in broke.steps] == [Start(0, (0,))]


def test_what_runs_on_is_told_of_by_the_stop_that_cleans_up(stack: ExitStack) -> None:
    mutant = stack.enter_context(open_mutant("stops-not-told"))
    told = open_told(stack, mutant, {})
    (broke,) = told.complaints([Scenario("a start", [Start(0, (0,))])])
    assert isinstance(broke, Broke)
    assert [step.operation for step in broke.steps] == [Start(0, (0,)), Stop(0)]


def test_there_is_a_reason_for_each_rule_that_is_not_judged() -> None:
    without = explain_skips("assumed", has_route=False)
    assert without["callback-start"] == "no callback route: --callback-listen"
    documented = explain_skips("documented", has_route=False)
    assert documented["callback-statuses"].startswith("only assumed lines say")
    assert without.keys() == documented.keys() == list_callback_rules()
