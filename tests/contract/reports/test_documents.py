"""The report as JSON: of its schema, and true to the run."""

from datetime import date
from typing import Any

import jsonschema
import pytest

from fakerelay import schemas
from fakerelay.contract.catalogue import Scenario
from fakerelay.contract.divergences import Divergence
from fakerelay.contract.events import Compared
from fakerelay.contract.operations import MADE_UP, Race, Start, Stop
from fakerelay.contract.reports.findings import read_move, write_move
from fakerelay.contract.scopes import Scope
from fakerelay.contract.verdicts import Tally
from tests.contract.reports.broken import find, make_report

REPORT: Any = jsonschema.Draft202012Validator(schemas.load_schema("report"))
FINDING: Any = jsonschema.Draft202012Validator(schemas.load_schema("finding"))
FAULTS = ("quota-one-more", "key-case-ignored", "address-race")


def accept(rule: str, expires: str = "2030-02-01") -> dict[str, Divergence]:
    return {rule: Divergence(rule, "it is old", "team relay", date.fromisoformat(expires))}


@pytest.mark.parametrize("faults", [(), FAULTS], ids=["none", "three"])
def test_report_is_of_its_schema(faults: tuple[str, ...]) -> None:
    report = make_report(*faults, accepted=accept("concurrent-pushes"), baseline=["address-unique"])
    REPORT.validate(report)
    for finding in report["findings"]:
        FINDING.validate(finding)
    assert len(report["findings"]) == len(faults)


def test_report_has_a_verdict_for_each_rule_of_the_level() -> None:
    rules = {row["rule"]: row for row in make_report("quota-one-more")["rules"]}
    levels = {name: rule.level for name, rule in schemas.rulebook().items()}
    assert list(rules) == [name for name in levels if levels[name] in ("D", "S")]
    states = {
        name: rules[name]["state"] for name in ("start-path", "concurrent-pushes", "uid-form")
    }
    assert states == {
        "start-path": "agrees",
        "concurrent-pushes": "broken",
        "uid-form": "inconclusive",
    }
    assert rules["https-only"]["state"] == "skipped"
    assert rules["https-only"]["reason"]


CONCLUSIONS: dict[str, tuple[tuple[str, ...], dict[str, Any], str, int]] = {
    "broken": (FAULTS[:1], {}, "BROKEN", 1),
    "accepted": (FAULTS[:1], {"accepted": accept("concurrent-pushes")}, "INCONCLUSIVE", 3),
    "one of two accepted": (FAULTS[:2], {"accepted": accept("concurrent-pushes")}, "BROKEN", 1),
    "accepted until today": (
        FAULTS[:1],
        {"accepted": accept("concurrent-pushes", "2030-01-31"), "fails_on": ["broken", "expired"]},
        "INCONCLUSIVE",
        0,
    ),
    "accepted until yesterday": (
        FAULTS[:1],
        {"accepted": accept("concurrent-pushes", "2030-01-30")},
        "BROKEN",
        1,
    ),
    "accepted until yesterday, and mended": (
        (),
        {"accepted": accept("concurrent-pushes", "2030-01-30")},
        "EXPIRED",
        1,
    ),
    "broken, and not to fail for that": (FAULTS[:1], {"fails_on": ["leftovers"]}, "BROKEN", 0),
    "to fail for what is skipped": ((), {"fails_on": ["skipped"]}, "SKIPPED", 3),
}


@pytest.mark.parametrize(
    ("faults", "asked", "verdict", "code"), CONCLUSIONS.values(), ids=CONCLUSIONS.keys()
)
def test_run_comes_to_a_verdict(
    faults: tuple[str, ...], asked: dict[str, Any], verdict: str, code: int
) -> None:
    report = make_report(*faults, **asked)
    assert (report["verdict"], report["exit_code"]) == (verdict, code)


def test_baseline_tells_what_is_new_known_and_gone() -> None:
    baseline = ["concurrent-pushes", "start-path", "uid-form"]
    report = make_report("quota-one-more", "key-case-ignored", baseline=baseline)
    marks = {finding["rule"]: finding["baseline"] for finding in report["findings"]}
    assert marks == {"concurrent-pushes": "known", "certificate-known": "new"}
    assert report["gone"] == ["start-path"]  # nobody knows of the one that was not compared


def test_acceptance_of_what_agrees_is_remarked_upon() -> None:
    report = make_report(accepted=accept("start-path"))
    told = "start-path is accepted as broken, but agrees: take it off the list"
    assert told in report["remarks"]


@pytest.mark.parametrize("name", ["over quota", MADE_UP])
def test_rule_that_only_comes_after_a_broken_one_is_skipped(name: str) -> None:
    """Else what is accepted would fail the run by what it hides."""
    broke = find("quota-one-more")
    tally = Tally("documented", {}, scope=Scope(frozenset(["uid-form"]), {}))
    tally.add(broke)
    tally.add(Compared(Scenario(name, []), broke.steps[0], []))
    states = {verdict.rule: verdict.state for verdict in tally.verdicts()}
    assert states["uid-form"] == ("skipped" if name == MADE_UP else "inconclusive")


MOVES = {
    "start": Start(1, (0, 2), "mixed", 1, 1, "no token", "body: null", "rtmps"),
    "stop": Stop(1),
    "stop of some": Stop(3, (4, 5), room=1),
    "race": Race((Start(0, (0,)), Start(1, (0,)))),
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES.keys())
def test_move_is_the_same_when_read_again(move: Start | Stop | Race) -> None:
    assert read_move(write_move(move), "", "a test") == move
