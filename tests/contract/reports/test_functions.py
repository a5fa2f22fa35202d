"""Tests made of findings: red on the server that is wrong, green on one that is right."""

from typing import Any

import pytest

from fakerelay.contract.operations import Level
from fakerelay.contract.reports.findings import write_finding
from fakerelay.contract.targets import Target
from tests.contract.reports.broken import ACCOUNTS, VARIABLES, find
from tests.contract.reports.test_scripts import CASES
from tests.mutants.servers import open_mutant


def run_function(code: str) -> None:
    names: dict[str, Any] = {}
    exec(compile(code, "finding", "exec"), names)
    (test,) = (names[name] for name in names if name.startswith("test_"))
    test()


@CASES
def test_function_fails_on_the_wrong_server_only(
    fault: str, level: Level, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    broke = find(fault, level)
    with open_mutant(fault) as wrong, open_mutant() as right:
        code = write_finding(broke, level, Target(wrong.url, ACCOUNTS))["pytest"]
        with pytest.raises(AssertionError):
            run_function(code)
        monkeypatch.setenv("TARGET", right.url)
        run_function(code)
