"""Whether what a server answered is among what the model allows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fakerelay.contract.drivers import Observed, Step
from fakerelay.contract.model import Outcome
from fakerelay.contract.operations import Level
from fakerelay.contract.styles import STYLES


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

    def compare(self, step: Step, outcome: Outcome) -> tuple[Sequence[str], Finding | None]:
        """The rules that were compared, and the first that was broken."""
        rules = []
        for rule, expected, is_so in self._expectations(step, outcome):
            rules.append(rule)
            if not is_so:
                return rules, Finding(rule, expected, show(step.observed))
        return rules, None

    def _expectations(self, step: Step, outcome: Outcome) -> Iterator[tuple[str, str, bool]]:
        observed, broken = step.observed, outcome.broken
        style = STYLES[step.operation.style]
        if broken is None:
            rule = outcome.rule if step.operation.style == "plain" else style.rule
            yield rule, "accepted: 200, code 0, message 'success'", observed.is_accepted
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


def show(observed: Observed) -> str:
    """An answer in one line."""
    if observed.error is not None:
        return f"no answer: {observed.error}"
    return f"HTTP {observed.status} {observed.body[:200].decode('utf-8', 'replace')}"
