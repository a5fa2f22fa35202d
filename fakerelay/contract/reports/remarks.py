"""What else there is to say of a run: why it is inconclusive, and what it had to bear."""

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Final

from fakerelay.contract.clients import show
from fakerelay.contract.reports.circumstances import Circumstances
from fakerelay.contract.reports.secrets import Secrets
from fakerelay.contract.verdicts import Tally, Verdict

_MOST_LISTED: Final = 5
_OVERHEAD: Final = 1.1


def list_remarks(tally: Tally, asked: Circumstances) -> Iterator[str]:
    """Each a line, without secrets."""
    verdicts = tally.verdicts()
    causes = list(_list_causes(tally, verdicts, asked))
    open_rules = [each for each in verdicts if each.state == "inconclusive"]
    if not causes and not tally.findings and (open_rules or tally.is_empty):
        causes = list(_list_reasons(open_rules or verdicts))
    scrub = Secrets(asked.target.accounts).scrub
    yield from map(scrub, causes)
    yield from _tell_conduct(tally)
    yield from _tell_acceptances(verdicts, asked)
    if asked.is_deaf:
        yield (
            f"--callback-listen is of no use at --level {asked.level}: only assumed lines say what"
            " a callback looks like; see --level assumed"
        )


def _list_causes(tally: Tally, verdicts: Sequence[Verdict], asked: Circumstances) -> Iterator[str]:
    """Why less was compared than was asked for, as far as that is known."""
    if tally.gave_up is not None:
        yield f"Gave up: {tally.gave_up}"
        return
    unjudged = [each for each in asked.only if each not in {verdict.rule for verdict in verdicts}]
    if unjudged:
        yield f"--rules {','.join(unjudged)}: judged at --level assumed only"
    yield from _tell_end(tally, verdicts, asked)
    for unclear in tally.unclear[:_MOST_LISTED]:
        yield f"No answer to judge: {show(unclear.step.observed)}"
    if len(tally.unclear) > _MOST_LISTED:
        yield f"No answer to judge, {len(tally.unclear) - _MOST_LISTED} times more"


def _tell_end(tally: Tally, verdicts: Sequence[Verdict], asked: Circumstances) -> Iterator[str]:
    """What ended a run too early."""
    missing = sum(each.state == "inconclusive" and not each.compared for each in verdicts)
    option, pace = tally.conduct.ran_out, tally.conduct.calls_per_second
    if option is None or not missing:
        return
    rules = f"{missing} rules were" if missing > 1 else "one rule was"
    if option == "--max-calls":
        yield f"--max-calls {asked.max_calls} ran out before {rules} compared: it takes more"
        return
    enough = (
        f"--max-seconds {_bound_seconds(pace, asked)} will do" if pace else "the target takes more"
    )
    yield f"--max-seconds {asked.max_seconds:g} ran out before {rules} compared: {enough}"


def _list_reasons(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for verdict in verdicts[:_MOST_LISTED]:
        yield f"{verdict.rule} was not judged: {verdict.reason}"
    if len(verdicts) > _MOST_LISTED:
        yield f"{len(verdicts) - _MOST_LISTED} rules more were not judged"


def tell_pace(calls_per_second: int, asked: Circumstances) -> str:
    """While a run is on: what it keeps to, and for how long that may be."""
    needed = _bound_seconds(calls_per_second, asked)
    hint = "" if needed <= asked.max_seconds else f"; more than --max-seconds {asked.max_seconds:g}"
    return (
        f"The target lets in {calls_per_second} calls a second or little more, and the run keeps to"
        f" it: it may take {needed} s{hint}"
    )


def _bound_seconds(calls_per_second: int, asked: Circumstances) -> int:
    return ceil(asked.max_calls / calls_per_second * _OVERHEAD)


def _tell_conduct(tally: Tally) -> Iterator[str]:
    conduct = tally.conduct
    if conduct.none_told:
        yield (
            "No callback came in at all: does the target post them to where --callback-listen says?"
        )
    if conduct.calls_per_second:
        yield (
            f"The target let in {conduct.calls_per_second} calls a second or little more, and the"
            " run kept to it"
        )
    if conduct.late_seconds:
        yield (
            "What a stop frees (addresses, ids, quota) was not free at once, but after up to"
            f" {conduct.late_seconds:.1f} s"
        )


def _tell_acceptances(verdicts: Sequence[Verdict], asked: Circumstances) -> Iterator[str]:
    agreed = {verdict.rule for verdict in verdicts if verdict.state == "agrees"}
    for name, divergence in asked.accepted.items():
        if name in asked.expired:
            yield (
                f"{name} was accepted until {divergence.expires} by {divergence.owner}"
                f" ({divergence.reason}): mend the server, or accept it anew"
            )
        elif name in agreed:
            yield f"{name} is accepted as broken, but agrees: take it off the list"
