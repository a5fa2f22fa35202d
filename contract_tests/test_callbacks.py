"""Section 7 of the contract: callbacks."""

from typing import Final

from contract_tests.conftest import Played
from fakerelay.contract.verdicts import Verdict

SECTION: Final = 7


def test_rule(rule: str, verdict: Verdict, played: Played) -> None:
    assert verdict.state == "agrees", played.evidence[rule]
