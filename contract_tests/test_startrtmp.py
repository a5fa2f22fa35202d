"""Section 3 of the contract: startrtmp, and what stands in it."""

from typing import Final

from contract_tests.conftest import Played
from fakerelay.contract.verdicts import Verdict

SECTION: Final = 3


def test_rule(rule: str, verdict: Verdict, played: Played) -> None:
    assert verdict.state == "agrees", played.evidence[rule]
