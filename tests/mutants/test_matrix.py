"""The kit against seeded servers, in short; `python -m tests.mutants.matrix` plays them all."""

from typing import Final

import pytest
from click.testing import CliRunner

from fakerelay.contract.operations import Level
from tests.mutants import FAULTS
from tests.mutants.matrix.__main__ import main
from tests.mutants.matrix.kills import Trial, try_kit

DOCUMENTED: Final = (
    "no-token-accepted", "base-scheme-accepted", "roomid-missing-accepted",
    "taskid-missing-accepted", "streamtype-3-accepted", "http-address-accepted",
    "address-513-accepted", "five-addresses-refused", "six-addresses-accepted",
    "address-unchecked", "only-last-address-checked", "claims-though-token",
    "unchanged-update-refused", "quota-one-more", "stop-refused", "success-called-ok",
)  # fmt: skip
ASSUMED: Final = (
    "rtmps-refused", "host-case-counts", "room-may-change", "update-merges", "restart-refused",
    "stop-in-any-room", "partial-stop-ignored", "second-stop-accepted", "kinds-share-names",
    "content-type-unchecked", "trace-id-not-echoed", "get-accepted",
)  # fmt: skip
CASES: Final[tuple[tuple[str, Level], ...]] = (
    *((name, "documented") for name in DOCUMENTED),
    *((name, "assumed") for name in ASSUMED),
)


@pytest.mark.parametrize(("fault", "level"), CASES)
def test_fault_is_noticed_and_shown_in_few_steps(fault: str, level: Level) -> None:
    found = try_kit(Trial(fault, level)).found
    assert found is not None
    assert len(found.steps) <= 6
    assert found.calls <= 1500


@pytest.mark.parametrize("level", ["documented", "assumed"])
@pytest.mark.parametrize("variant", ["more-fields", "other-codes", "quota-eight"])
def test_variant_raises_no_alarm(variant: str, level: Level) -> None:
    result = try_kit(Trial(variant, level, is_variant=True))
    assert result.found is None
    assert result.calls > 500


def test_server_that_is_opposite_wherever_only_assumed_raises_no_alarm() -> None:
    assert try_kit(Trial("opposite-at-once", "documented", is_variant=True)).found is None


def test_matrix_tells_kills_survivors_and_alarms() -> None:
    name = "no-token-accepted"
    shown = CliRunner().invoke(main, ["--faults", name, "--jobs", "1"])
    assert shown.exit_code == 0
    assert f"| {name} | documented | {FAULTS[name].rule} " in shown.stdout
    assert "documented: 1 of 1 killed (100.0%)" in shown.stdout


def test_unknown_fault_is_refused_with_the_nearest_name() -> None:
    refused = CliRunner().invoke(main, ["--faults", "quota-raze"])
    assert refused.exit_code == 2
    assert "'quota-raze' fits none (did you mean 'quota-race'?)" in refused.output
