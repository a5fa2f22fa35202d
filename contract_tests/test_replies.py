"""Section 6 of the contract: replies."""

from typing import Final

from contract_tests.conftest import Played
from fakerelay.contract.verdicts import Verdict

SECTION: Final = 6


def test_rule(rule: str, verdict: Verdict, played: Played) -> None:
    assert verdict.state == "agrees", played.evidence[rule]
