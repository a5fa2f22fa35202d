"""All that is asked of a target in one run: what is played, and what is made of it."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from fakerelay.contract.callbacks.routes import Route
from fakerelay.contract.callbacks.scenarios import list_callback_scenarios
from fakerelay.contract.callbacks.scopes import explain_skips, list_callback_rules
from fakerelay.contract.callbacks.witnesses import CallbackWitness
from fakerelay.contract.clients import Client
from fakerelay.contract.efforts import Effort, plan_scenarios
from fakerelay.contract.events import Event
from fakerelay.contract.judgements import Judge
from fakerelay.contract.operations import Level
from fakerelay.contract.runs import Budget, Run
from fakerelay.contract.scopes import find_scope, select
from fakerelay.contract.targets import Target
from fakerelay.contract.verdicts import Tally


class Inquiry(NamedTuple):
    """A run, and the tally that its `events` are put into as they come."""

    run: Run
    tally: Tally
    events: Iterator[Event]


def open_inquiry(
    target: Target,
    client: Client,
    level: Level,
    errors: Mapping[str, Mapping[str, Any]],
    effort: Effort,
    *,
    seed: int,
    budget: Budget,
    route: Route | None = None,
    only: Sequence[str] = (),
) -> Inquiry:
    """What is told comes in by the `route`; with `only`, no other rules count."""
    witness = None
    if route is not None and (not only or not list_callback_rules().isdisjoint(only)):
        witness = CallbackWitness(target, route)
    run = Run(target, client, Judge(level, errors), budget, callbacks=witness)
    tally = Tally(level, run.counts, find_scope(target, level), only)
    tally.reasons.update(explain_skips(level, has_route=route is not None))
    planned = plan_scenarios(target, level, effort.made_up, seed)
    first = () if witness is None else list_callback_scenarios()
    scenarios = chain(first, select(planned, only, target.policy, level))
    return Inquiry(run, tally, _listen(run, tally, chain(run.play(scenarios), run.finish())))


def _listen(run: Run, tally: Tally, events: Iterator[Event]) -> Iterator[Event]:
    for event in events:
        tally.add(event)
        yield event
    tally.gave_up, tally.conduct = run.gave_up, run.conduct
