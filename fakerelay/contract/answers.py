"""What to make of an answer that is none of the API's."""

from collections.abc import Mapping
from typing import Any

from fakerelay.contract.clients import Observed, read_object, show
from fakerelay.contract.judgements import ACCEPTED, Finding, Judge
from fakerelay.contract.model import Outcome
from fakerelay.contract.patience import Patience

Errors = Mapping[str, Mapping[str, Any]]
"""The profile's replies to problems, by name."""


class Reading:
    """How answers of one server are read, by what it has shown so far and a level asks for."""

    def __init__(self, judge: Judge, patience: Patience) -> None:
        self._judge = judge
        self._patience = patience

    def is_unclear(self, observed: Observed) -> bool:
        """A refusal of another form is one, where its form is only assumed; at a server that has
        shown that it speaks this API.
        """
        is_form_free = self._judge.level == "documented" and self._patience.has_answer
        is_refusal = is_form_free and may_refuse(observed)
        return not is_refusal and is_unclear(observed, self._judge.errors)

    def is_undecided(self, observed: Observed) -> bool:
        """Of a race: what came too soon can't be asked again."""
        return self.is_unclear(observed) or is_limited(observed, self._judge.errors)


def is_unclear(observed: Observed, errors: Errors) -> bool:
    """Whether nothing can be said of what was decided.

    That is no answer, or none of the API's; or a breakdown, unless the profile says that a refusal
    has such a status.
    """
    if observed.envelope is None or observed.status is None:
        return True
    told = {error["http_status"] for name, error in errors.items() if name != "internal_error"}
    return observed.status >= 500 and observed.status not in told


def may_refuse(observed: Observed) -> bool:
    """Whether an unclear answer is a refusal all the same, if its form is only assumed."""
    told = read_object(observed.body)
    is_accepted = told is not None and (told.get("code") in (0, "0") or "success" in told.values())
    return told is not None and not is_accepted and (observed.status or 500) < 500


def is_limited(observed: Observed, errors: Errors) -> bool:
    """Whether it says that there were too many calls; the status alone may be about a quota."""
    code = None if observed.envelope is None else observed.envelope["code"]
    is_other = any(code == error["code"] for error in errors.values())
    return code == errors["rate_limited"]["code"] or (observed.status == 429 and not is_other)


def suspect(observed: Observed, outcome: Outcome, rule: str) -> Finding | None:
    """What an unclear answer breaks if it comes again and again; `rule` is the outcome's.

    A breakdown is a refusal where there is none to be; a JSON object that lacks the form of a reply
    says in no sense that a call was accepted. No answer at all breaks nothing.
    """
    got = show(observed)
    if observed.status is None:
        return None
    if outcome.broken is not None:
        told = f"a refusal ({outcome.broken.problem}) in JSON, with a status below 500"
        return Finding("reply-envelope", told, got)
    if observed.status >= 500:
        return Finding(rule, ACCEPTED, got)
    is_near = observed.status == 200 and read_object(observed.body) is not None
    return Finding("accepted-sense" if is_near else "reply-envelope", ACCEPTED, got)
