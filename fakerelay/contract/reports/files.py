"""The report as files in a folder: each is written whole, so that nobody reads half of one."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fakerelay import schemas
from fakerelay.contract.reports.junit import render_junit
from fakerelay.contract.reports.pages import render_page
from fakerelay.contract.reports.summaries import render_summary


def write_files(report: Mapping[str, Any], folder: Path) -> None:
    """Into a folder that is made where it is missing; scripts of an earlier run are taken away.

    Raises OSError.
    """
    findings = folder / "findings"
    findings.mkdir(parents=True, exist_ok=True)
    for rule in schemas.rulebook():
        for path in (findings / f"{rule}.sh", findings / _name_test(rule)):
            path.unlink(missing_ok=True)
    for path in findings.glob("stop-*.sh"):
        path.unlink()
    for number, left in enumerate(report["leftovers"], start=1):
        _write(findings / f"stop-{number}.sh", left["curl"])
    for finding in report["findings"]:
        _write(findings / f"{finding['rule']}.sh", finding["curl"])
        _write(findings / _name_test(finding["rule"]), finding["pytest"])
    _write(folder / "report.json", json.dumps(report, indent=2) + "\n")
    _write(folder / "junit.xml", render_junit(report))
    _write(folder / "index.html", render_page(report))
    _write(folder / "summary.md", render_summary(report))


def _name_test(rule: str) -> str:
    return f"test_{rule.replace('-', '_')}.py"


def _write(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8", errors="replace")
    os.replace(part, path)
