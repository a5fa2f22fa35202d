"""Whether what a server answered is among what the model allows."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from fakerelay.contract.clients import Observed, show
from fakerelay.contract.drivers import Step
from fakerelay.contract.flaws import find_flaw
from fakerelay.contract.model import Broken, Outcome
from fakerelay.contract.operations import Level, Operation
from fakerelay.contract.styles import STYLES

ACCEPTED: Final = "accepted: 200, code 0, message 'success'"
RULES_OF_TASKS: Final = (
    "room_not_live", "room_mismatch", "address_in_use", "quota_exceeded", "room_quota_exceeded",
    "task_not_found", "address_not_in_task",
)  # fmt: skip
STATUSES_OF_THEIR_OWN: Final = ("unknown_path", "method_not_allowed", "body_too_large")


class Finding(NamedTuple):
    """A rule that was broken: what was expected, and what came."""

    rule: str
    expected: str
    got: str


class Expectation(NamedTuple):
    """What a rule asks for, in words, and whether it is so."""

    rule: str
    told: str
    is_so: bool


@dataclass(frozen=True, slots=True)
class Judge:
    """Compares at a level; `errors` are the profile's replies to problems, by name."""

    level: Level
    errors: Mapping[str, Mapping[str, Any]]

    def compare(
        self, step: Step, outcome: Outcome, known: Collection[str] = ()
    ) -> tuple[Sequence[str], Finding | None]:
        """The rules that were compared, and the first that was broken.

        What is `known` to be broken is no news, unless it is the decision itself.
        """
        rules: list[str] = []
        for rule, expected, is_so in self._expect(step, outcome):
            is_news = not rules or rule not in known
            rules.append(rule)
            if not is_so and is_news:
                return rules, Finding(rule, expected, show(step.observed))
        return rules, None

    def _expect(self, step: Step, outcome: Outcome) -> Iterator[Expectation]:
        observed, broken = step.observed, outcome.broken
        if broken is None:
            rule = name_rule(step.operation, outcome)
            if not observed.is_accepted and _means_accepted(observed):
                rule = "accepted-sense"
            yield Expectation(rule, ACCEPTED, observed.is_accepted)
        else:
            told = f"rejected ({broken.problem})"
            yield Expectation(broken.rule, told, not observed.is_accepted)
        if self.level == "assumed":
            yield from self._expect_reply(step, broken)

    def _expect_reply(self, step: Step, broken: Broken | None) -> Iterator[Expectation]:
        envelope = step.observed.envelope
        is_whole = envelope is not None and isinstance(envelope.get("traceId"), str)
        whole = "a JSON object with code, message and traceId"
        yield Expectation("reply-envelope", whole, is_whole)
        assert envelope is not None
        if broken is not None:
            yield from self._expect_refusal(step.observed, envelope, broken)
            yield from _expect_message(step, envelope["message"], broken)
        trace_id = step.request.trace_id
        if trace_id:
            told = f"traceId {trace_id!r}"
            yield Expectation("reply-trace-id", told, envelope.get("traceId") == trace_id)
        else:
            is_made = bool(envelope.get("traceId"))
            yield Expectation("trace-id-missing", "a traceId that was made up", is_made)

    def _expect_refusal(
        self, observed: Observed, envelope: Mapping[str, Any], broken: Broken
    ) -> Iterator[Expectation]:
        problem, reply = broken.problem, self.errors[broken.problem]
        code, status = reply["code"], reply["http_status"]
        is_right = envelope["code"] == code
        order = "order-of-rules" if problem in RULES_OF_TASKS else "order-of-checks"
        if broken.others:
            is_other = not is_right and envelope["code"] in self._codes(broken.others)
            told = f"{problem} (code {code}) before {' and '.join(broken.others)}"
            yield Expectation(order, told, not is_other)
        is_known = not is_right and envelope["code"] in self._codes(self.errors)
        rule = broken.rule if is_known else "reply-codes"
        yield Expectation(rule, f"{problem}: code {code}", is_right)
        rule = broken.rule if problem in STATUSES_OF_THEIR_OWN else "reply-status"
        yield Expectation(rule, f"HTTP {status}", observed.status == status)
        if problem == "method_not_allowed" and status == 405:
            allow = {name.lower(): value for name, value in observed.headers.items()}.get("allow")
            yield Expectation(broken.rule, "Allow: POST", "POST" in (allow or "").upper())

    def _codes(self, problems: Iterable[str]) -> Collection[int]:
        return {self.errors[problem]["code"] for problem in problems}


def _means_accepted(observed: Observed) -> bool:
    """Whether a reply would be an acceptance, but for its status or its message."""
    return observed.envelope is not None and observed.envelope["code"] == 0


def _expect_message(step: Step, message: str, broken: Broken) -> Iterator[Expectation]:
    is_told = message.strip() not in ("", "success")
    yield Expectation("reply-envelope", "a message that says what went wrong", is_told)
    if broken.problem == "invalid_parameter":
        flaw = step.operation.flaw
        words = find_flaw(flaw).words if flaw is not None else ("rtmpurl",)
        told = f"a message that names {words[0]}"
        yield Expectation("invalid-parameter-message", told, _names_any(message, words))
    taken = list(_spell(step, broken.taken)) if step.operation.style == "plain" else []
    if broken.problem == "address_in_use" and taken:
        told = f"a message that names {' or '.join(taken)}"
        ends = [url.rpartition("/")[2] for url in taken]
        is_named = any(end in message for end in ends)
        yield Expectation("address-reply-discreet", told, is_named)


def _spell(step: Step, symbols: Collection[int]) -> Iterator[str]:
    """Some of a request's addresses, as it names them."""
    texts = str(step.request.body.get("rtmpurl", "")).split(",")
    for symbol, text in zip(step.operation.addresses or (), texts, strict=False):
        if symbol in symbols:
            yield text


def _names_any(message: str, words: Iterable[str]) -> bool:
    """Whether one of the words stands in a message, a letter for itself."""
    return any(
        re.search(word if len(word) > 1 else rf"\b{word}\b", message, re.IGNORECASE)
        for word in words
    )


def name_rule(operation: Operation, outcome: Outcome) -> str:
    """The rule that a server breaks by another outcome than this."""
    is_plain = outcome.broken is not None or operation.style == "plain"
    return outcome.rule if is_plain else STYLES[operation.style].rule
