"""What a refusal must not tell: which half of a token is wrong, whose app or task it is.

Two refusals that are to say the same are compared as they are; what is of the caller's own making
in them (ids, appids, the traceId) is left out first.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from fakerelay.contract.clients import show
from fakerelay.contract.drafts import Names
from fakerelay.contract.drivers import Step
from fakerelay.contract.events import Broke, Compared, Event
from fakerelay.contract.flaws.transport import NOBODYS_APP
from fakerelay.contract.judgements import Finding
from fakerelay.contract.model import World
from fakerelay.contract.operations import Operation

_SECRETS: Final[Mapping[str, tuple[str, str]]] = {
    "token-reply-discreet": ("another key", "unknown certificate"),
    "app-reply-discreet": ("of another account", "app that is nobody's"),
}
"""{rule: what is wrong in two ways that look the same}."""


class Played(Protocol):
    """What there is to know of a scenario that is being played."""

    names: Names
    worlds: Sequence[World]
    counts: Counter[str]

    @property
    def steps(self) -> Sequence[Step]: ...


class Discretion:
    """A witness that looks at refusals, for level `assumed`."""

    def expect(self, play: Played, operation: Operation) -> None:
        """Nothing: what counts is what was said."""

    def hear(self, play: Played, event: Event) -> Iterable[Event]:
        if not isinstance(event, Compared) or event.step.observed.is_accepted:
            return []
        findings = [*_compare_refusals(play, event.step), *_find_named_task(play, event.step)]
        return [Broke(event.scenario, tuple(play.steps), finding) for finding in findings]

    def conclude(self, play: Played) -> Iterable[Event]:
        return []


def _compare_refusals(play: Played, last: Step) -> Iterator[Finding]:
    """Twice each is needed: some servers never say the same again, and give nothing away so."""
    for rule, ways in _SECRETS.items():
        if _find_way(last, ways) is None:
            continue
        said: dict[str, list[str]] = {way: [] for way in ways}
        for step in play.steps:
            way = _find_way(step, ways)
            if way is not None:
                said[way].append(_normalise(step))
        one, other = said.values()
        if one and other:
            play.counts[rule] += 1
        is_steady = all(len(each) > 1 and len(set(each)) == 1 for each in (one, other))
        if is_steady and one[0] != other[0]:
            told = f"the same refusal, whether it is {ways[0]} or {ways[1]}"
            yield Finding(rule, told, f"{one[0]} and {other[0]}")


def _find_way(step: Step, ways: tuple[str, str]) -> str | None:
    done = step.operation
    return next((way for way in ways if way in (done.credential, done.flaw)), None)


def _normalise(step: Step) -> str:
    envelope = {**(step.observed.envelope or {}), "traceId": None}
    text = json.dumps(envelope, sort_keys=True, ensure_ascii=False)
    accounts = [each for each in (step.request.account, step.request.other) if each is not None]
    ids = [each.certificate_id for each in accounts]
    own = [f"{name}-unknown" for name in ids] + ids + [str(each.appid) for each in accounts]
    for name in (str(NOBODYS_APP), *own, step.request.trace_id):
        text = text.replace(name, "~") if name else text
    return text


def _find_named_task(play: Played, step: Step) -> Iterator[Finding]:
    """The task of another app that holds an address."""
    asked = step.operation
    holders = {
        holder
        for world in play.worlds
        for address in asked.addresses or ()
        for holder in world.holders(address)
        if holder[0] != asked.app and holder[2] != asked.task
    }
    names = {play.names.task(holder[2]) for holder in holders}
    if names:
        play.counts["address-reply-discreet"] += 1
    if any(name.encode() in step.observed.body for name in names):
        told = "a refusal that does not name another app's task"
        yield Finding("address-reply-discreet", told, show(step.observed))
