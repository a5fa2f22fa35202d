"""Section 4 of the contract: what a task is, and its rules."""

from typing import Final

from contract_tests.conftest import Played
from fakerelay.contract.verdicts import Verdict

SECTION: Final = 4


def test_rule(rule: str, verdict: Verdict, played: Played) -> None:
    assert verdict.state == "agrees", played.evidence[rule]
