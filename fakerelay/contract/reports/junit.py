"""The report as JUnit has it: a case for each rule, by an id that stays the same."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from fakerelay.contract.reports.summaries import fails, tell_marks

_FORBIDDEN = {number: "?" for number in range(32) if chr(number) not in "\t\n\r"}
_FORBIDDEN |= dict.fromkeys((*range(0xD800, 0xE000), 0xFFFE, 0xFFFF), "?")


def render_junit(report: Mapping[str, Any]) -> str:
    """Broken rules are failures, those that nobody could judge errors; the accepted are skipped."""
    findings = {each["rule"]: each for each in report["findings"]}
    root = Element("testsuites", name="fakerelay verify")
    suite = SubElement(
        root, "testsuite", name="fakerelay verify", timestamp=report["began_at"][:-1]
    )
    _add_properties(suite, report)
    seconds = report["budget"]["seconds"]
    for rule in report["rules"]:
        case = SubElement(
            suite,
            "testcase",
            classname=f"contract.section{rule['section']}",
            name=rule["rule"],
            time="0",
        )
        _add_outcome(case, rule, findings.get(rule["rule"]))
    counted = Counter(child.tag for case in suite.iter("testcase") for child in case)
    for element in (root, suite):
        element.set("tests", str(len(report["rules"])))
        element.set("failures", str(counted["failure"]))
        element.set("errors", str(counted["error"]))
        element.set("skipped", str(counted["skipped"]))
        element.set("time", str(seconds))
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _add_properties(suite: Element, report: Mapping[str, Any]) -> None:
    budget, settings = report["budget"], report["settings"]
    values = {
        "verdict": report["verdict"],
        "target": report["target"]["url"],
        "version": report["kit"],
        "level": settings["level"],
        "profile": settings["profile"],
        "effort": settings["effort"],
        "seed": settings["seed"],
        "budget": f"{budget['calls']} of {budget['max_calls']} calls,"
        f" {budget['seconds']} of {budget['max_seconds']} s",
    }
    properties = SubElement(suite, "properties")
    for name, value in values.items():
        SubElement(properties, "property", name=name, value=_clean(str(value)))


def _add_outcome(case: Element, rule: Mapping[str, Any], finding: Mapping[str, Any] | None) -> None:
    state = rule["state"]
    if finding is not None:
        tag = "failure" if fails(finding) else "skipped"
        told = f"expected {finding['expected']}, got {finding['got']}{tell_marks(finding)}"
        outcome = SubElement(case, tag, message=_clean(told))
        outcome.text = _clean(_describe(finding))
    elif state in ("skipped", "inconclusive"):
        tag = "skipped" if state == "skipped" else "error"
        SubElement(case, tag, message=_clean(rule["reason"]))


def _describe(finding: Mapping[str, Any]) -> str:
    lines = [f"{finding['rule']} ({finding['provenance']}): {finding['text']}", ""]
    for number, step in enumerate(finding["steps"], start=1):
        lines += [f"{number}. {step['told']}", f"   {step['answer']}"]
    lines += [f"expected {finding['expected']}", f"got      {finding['got']}"]
    lines += finding.get("evidence", ())
    return "\n".join([*lines, "", finding["curl"]])


def _clean(text: str) -> str:
    """Without what XML can't say."""
    return text.translate(_FORBIDDEN)
