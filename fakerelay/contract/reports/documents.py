"""The report as one JSON value, of the form of `schemas/report.json`; all else is made of it."""

from collections.abc import Collection, Sequence
from typing import Any, Final

from fakerelay import schemas
from fakerelay.contract.reports.circumstances import Circumstances
from fakerelay.contract.reports.findings import write_finding, write_leftover
from fakerelay.contract.reports.remarks import list_remarks
from fakerelay.contract.reports.secrets import Secrets, hide_user
from fakerelay.contract.verdicts import Tally, Verdict, conclude

_VERSION: Final = 1


def write_report(
    tally: Tally, asked: Circumstances, *, calls: int, scenarios: int, seconds: float
) -> dict[str, Any]:
    """What there is to say of a run, without secrets."""
    expired = asked.expired
    conclusion = conclude(
        tally,
        accepted=asked.accepted.keys() - expired,
        has_expired=bool(expired),
        fails_on=asked.fails_on,
    )
    verdicts = tally.verdicts()
    account = asked.target.accounts[0]
    return {
        "version": _VERSION,
        "kit": asked.kit,
        "began_at": asked.began_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "verdict": conclusion.word,
        "exit_code": conclusion.exit_code,
        "failing_for": sorted(asked.fails_on),
        "troubles": list(conclusion.troubles),
        "target": {
            "url": hide_user(asked.target.url),
            "appid": account.appid,
            "certificate_id": account.certificate_id,
            "is_own": asked.is_own,
        },
        "settings": {
            "level": asked.level,
            "effort": asked.effort,
            "seed": asked.seed,
            "profile": asked.profile,
            "rules": list(asked.only),
        },
        "budget": {
            "calls": calls,
            "max_calls": asked.max_calls,
            "seconds": round(seconds, 1),
            "max_seconds": asked.max_seconds,
            "scenarios": scenarios,
        },
        "rules": [_write_rule(verdict, asked) for verdict in verdicts],
        "findings": [
            write_finding(broke, asked.level, asked.target) | _mark(broke.finding.rule, asked)
            for broke in tally.findings
        ],
        "gone": _list_gone(verdicts, asked.baseline or ()),
        "leftovers": [write_leftover(left, asked.target) for left in tally.left],
        "remarks": list(list_remarks(tally, asked)),
    }


def _write_rule(verdict: Verdict, asked: Circumstances) -> dict[str, Any]:
    rule = schemas.rulebook()[verdict.rule]
    row: dict[str, Any] = {
        "rule": rule.id,
        "section": rule.section,
        "provenance": rule.level,
        "source": rule.source,
        "text": rule.text,
        "state": verdict.state,
        "compared": verdict.compared,
    }
    if verdict.reason is not None:
        row["reason"] = Secrets(asked.target.accounts).scrub(verdict.reason)
    if verdict.state == "broken":
        row |= _mark(rule.id, asked)
    elif rule.id in _list_gone([verdict], asked.baseline or ()):
        row["baseline"] = "gone"
    return row


def _mark(rule: str, asked: Circumstances) -> dict[str, Any]:
    """Whether a broken rule is accepted, and whether it was broken before."""
    marks: dict[str, Any] = {}
    if divergence := asked.accepted.get(rule):
        marks["accepted"] = {
            "reason": divergence.reason,
            "owner": divergence.owner,
            "expires": divergence.expires.isoformat(),
            "has_expired": divergence.has_expired(asked.began_at.date()),
        }
    if asked.baseline is not None:
        marks["baseline"] = "known" if rule in asked.baseline else "new"
    return marks


def _list_gone(verdicts: Sequence[Verdict], baseline: Collection[str]) -> list[str]:
    return [each.rule for each in verdicts if each.rule in baseline and each.state == "agrees"]
