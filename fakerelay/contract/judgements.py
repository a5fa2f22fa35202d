"""Whether what a server answered is among what the model allows."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from fakerelay.contract.clients import show
from fakerelay.contract.drivers import Step
from fakerelay.contract.model import Outcome
from fakerelay.contract.operations import Level, Operation
from fakerelay.contract.styles import STYLES

ACCEPTED: Final = "accepted: 200, code 0, message 'success'"


class Finding(NamedTuple):
    """A rule that was broken: what was expected, and what came."""

    rule: str
    expected: str
    got: str


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
        for rule, expected, is_so in self._expectations(step, outcome):
            is_news = not rules or rule not in known
            rules.append(rule)
            if not is_so and is_news:
                return rules, Finding(rule, expected, show(step.observed))
        return rules, None

    def _expectations(self, step: Step, outcome: Outcome) -> Iterator[tuple[str, str, bool]]:
        observed, broken = step.observed, outcome.broken
        if broken is None:
            yield name_rule(step.operation, outcome), ACCEPTED, observed.is_accepted
        else:
            yield broken.rule, f"rejected ({broken.problem})", not observed.is_accepted
        if self.level == "documented":
            return
        envelope = observed.envelope
        yield (
            "reply-envelope",
            "a JSON object with code, message and traceId",
            (envelope is not None and isinstance(envelope.get("traceId"), str)),
        )
        assert envelope is not None
        if broken is not None:
            reply = self.errors[broken.problem]
            yield (
                broken.rule,
                f"{broken.problem}: code {reply['code']}",
                (envelope["code"] == reply["code"]),
            )
            yield (
                "reply-status",
                f"HTTP {reply['http_status']}",
                (observed.status == reply["http_status"]),
            )
        trace_id = step.request.trace_id
        if trace_id:
            yield "reply-trace-id", f"traceId {trace_id!r}", envelope["traceId"] == trace_id
        else:
            yield "trace-id-missing", "a traceId that was made up", bool(envelope["traceId"])


def name_rule(operation: Operation, outcome: Outcome) -> str:
    """The rule that a server breaks by another outcome than this."""
    is_plain = outcome.broken is not None or operation.style == "plain"
    return outcome.rule if is_plain else STYLES[operation.style].rule
