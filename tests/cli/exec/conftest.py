"""Commands that are run without trust from outside."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.exec.commands import BUNDLES, SECONDS, Exec, compose


@pytest.fixture(autouse=True)
def _no_trust_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*BUNDLES, "NODE_EXTRA_CA_CERTS", "JAVA_TOOL_OPTIONS", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run_exec(ca_dir: Path) -> Exec:
    def run(*words: str, **settings: Any) -> subprocess.CompletedProcess[str]:
        command = compose(ca_dir, *words)
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, **settings)

    return run
