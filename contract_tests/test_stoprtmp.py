"""Section 5 of the contract: stoprtmp."""

from typing import Final

from contract_tests.conftest import Played
from fakerelay.contract.verdicts import Verdict

SECTION: Final = 5


def test_rule(rule: str, verdict: Verdict, played: Played) -> None:
    assert verdict.state == "agrees", played.evidence[rule]


def test_nothing_runs_on(played: Played) -> None:
    assert played.left == []
