"""What steps at the same moment come to: one step as a rule, several after a race."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from fakerelay.contract.answers import suspect
from fakerelay.contract.clients import Observed
from fakerelay.contract.courses import Course, foresee_courses
from fakerelay.contract.drivers import Step
from fakerelay.contract.faults import FAULTS
from fakerelay.contract.judgements import Finding, Judge, name_rule
from fakerelay.contract.model import Policy, World


class Trial(NamedTuple):
    """`worlds` are those there may be now, none where a `finding` says what nothing explains.

    For each step there are the rules compared, or None where its answer is unclear; `suspicions`
    has what such an answer breaks if it comes again and again, and `wanted` the rule that each
    step is made for.
    """

    worlds: Sequence[World]
    rules: Sequence[Sequence[str] | None]
    suspicions: Sequence[Finding | None]
    wanted: Sequence[str]
    finding: Finding | None


class _Weighed(NamedTuple):
    course: Course
    rules: Sequence[Sequence[str] | None]
    findings: Sequence[Finding]


def judge_steps(
    judge: Judge,
    worlds: Sequence[World],
    steps: Sequence[Step],
    policy: Policy,
    known: Collection[str] = (),
    *,
    is_unclear: Callable[[Observed], bool],
) -> Trial:
    """Any world there may have been explains them, in any order; else they break a rule.

    Rules that are `known` to be broken are so in the form of each reply again: no news.
    """
    operations = [step.operation for step in steps]
    lost = [n for n, step in enumerate(steps) if is_unclear(step.observed)]
    weighed = [
        _weigh(judge, steps, course, lost, known)
        for world in worlds
        for course in foresee_courses(world, operations, policy, FAULTS, lost=lost)
    ]
    agreed = [each for each in weighed if not each.findings]
    if not agreed:
        best = min(weighed, key=lambda each: len(each.findings))
        return Trial((), best.rules, (), (), best.findings[0])
    expected = next(foresee_courses(worlds[0], operations, policy, FAULTS))
    outcomes = [outcome for outcome in expected.outcomes if outcome is not None]
    wanted = list(map(name_rule, operations, outcomes))
    suspicions = [
        suspect(step.observed, outcome, rule) if number in lost else None
        for number, (step, outcome, rule) in enumerate(zip(steps, outcomes, wanted, strict=True))
    ]
    return Trial(_list_worlds(agreed), agreed[0].rules, suspicions, wanted, None)


def _weigh(
    judge: Judge,
    steps: Sequence[Step],
    course: Course,
    lost: Sequence[int],
    known: Collection[str],
) -> _Weighed:
    rules: list[Sequence[str] | None] = []
    findings = []
    for number, (step, outcome) in enumerate(zip(steps, course.outcomes, strict=True)):
        if number in lost or outcome is None:
            rules.append(None)
            continue
        compared, finding = judge.compare(step, outcome, known)
        rules.append(() if number in course.disturbed else compared)
        if finding is not None:
            findings.append(finding)
    return _Weighed(course, rules, findings)


def _list_worlds(agreed: Iterable[_Weighed]) -> Sequence[World]:
    worlds: list[World] = []
    for each in agreed:
        if each.course.world not in worlds:
            worlds.append(each.course.world)
    return worlds
