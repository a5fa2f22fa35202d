"""The report in few words: for a terminal, and for the summary of a CI job."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from shlex import quote
from typing import Any, Final

_MOST_LINES: Final = 30
_MOST_BROKEN: Final = 12
_MOST_GOT: Final = 160
PROVENANCES: Final = {
    "D": "documented by the vendor",
    "S": "from the vendor's SDK manual",
    "B": "borrowed from a sibling API",
    "A": "assumed",
}
_STATES: Final = {
    "broken": "broken",
    "accepted": "accepted as broken",
    "agrees": "agree",
    "inconclusive": "inconclusive",
    "skipped": "skipped",
}


def tell_verdict(report: Mapping[str, Any]) -> str:
    """One line: the verdict, how many rules are how, and what it took."""
    counted = Counter(_tell_state(rule) for rule in report["rules"])
    amounts = [f"{counted[state]} {word}" for state, word in _STATES.items() if counted[state]]
    budget, settings = report["budget"], report["settings"]
    return (
        f"{report['verdict']}: {', '.join(amounts) or 'no rule judged'}; {budget['calls']} calls in"
        f" {budget['seconds']:g} s; level {settings['level']}, seed {settings['seed']}"
    )


def _tell_state(rule: Mapping[str, Any]) -> str:
    return "accepted" if rule["state"] == "broken" and not fails(rule) else rule["state"]


def list_broken(report: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The findings, those first that the run fails for."""
    return sorted(report["findings"], key=lambda each: not fails(each))


def fails(finding: Mapping[str, Any]) -> bool:
    """Whether nobody has accepted it, or not any more."""
    accepted = finding.get("accepted")
    return accepted is None or accepted["has_expired"]


def tell_provenances(letters: Iterable[str] = PROVENANCES) -> str:
    """What some letters behind rules say, in the order of the contract."""
    used = set(letters)
    return "; ".join(f"{letter} {text}" for letter, text in PROVENANCES.items() if letter in used)


def tell_marks(finding: Mapping[str, Any]) -> str:
    """What else is known of a broken rule, in brackets; or nothing."""
    marks = []
    if finding.get("baseline"):
        marks.append("new" if finding["baseline"] == "new" else "known from the baseline")
    if accepted := finding.get("accepted"):
        word = "was accepted" if accepted["has_expired"] else "accepted"
        marks.append(
            f"{word} until {accepted['expires']} by {accepted['owner']}: {accepted['reason']}"
        )
    return f" [{'; '.join(marks)}]" if marks else ""


def advise(report: Mapping[str, Any], place: str | None) -> Iterator[tuple[str, str | None]]:
    """What to do now, with the command for it if there is one.

    `place` is the folder that the report was written into, if it was.
    """
    failing = [each["rule"] for each in list_broken(report) if fails(each)]
    if failing and place is None:
        yield "See it happen: --report DIR writes a curl script of each, and more", None
    elif failing:
        yield "See it happen", f"sh {quote(f'{place}/findings/{failing[0]}.sh')}"
        yield "Once it is mended", _replay(report, f"{place}/report.json")
    if failing:
        yield (
            "If it is to stay so: accept it, with a reason and a date, in a file for --known",
            None,
        )
    if report["exit_code"] == 0 and report["verdict"] != "AGREES":
        told = ", ".join(report["failing_for"])
        yield (
            f"The exit code is 0 all the same: the run is to fail for {told} only (--fail-on)",
            None,
        )
    if report["leftovers"]:
        told = f"Tasks may run on: {len(report['leftovers'])}"
        yield told, None if place is None else f"sh {quote(f'{place}/findings/stop-1.sh')}"


def _replay(report: Mapping[str, Any], path: str) -> str:
    target = report["target"]
    whom = ["--target", target["url"], "--app", f"{target['appid']}:{target['certificate_id']}"]
    words = ["fakerelay", "verify", *([] if target["is_own"] else whom), "--replay", path]
    return " ".join(map(quote, words))


def render_summary(report: Mapping[str, Any]) -> str:
    """Markdown of at most 30 lines; the first is the verdict."""
    target = report["target"]
    lines = [
        f"**{tell_verdict(report)}**",
        "",
        f"`{target['url']}`, app {target['appid']}; profile {report['settings']['profile']};"
        f" fakerelay {report['kit']}, {report['began_at']}",
    ]
    broken = list_broken(report)
    if broken:
        lines += ["", "| broken | provenance | expected | got |", "| --- | --- | --- | --- |"]
        lines += [_render_row(each) for each in broken[:_MOST_BROKEN]]
    if len(broken) > _MOST_BROKEN:
        lines += ["", f"And {len(broken) - _MOST_BROKEN} more."]
    if report["gone"]:
        lines += ["", f"Broken in the baseline, and not now: {', '.join(report['gone'])}."]
    remarks = [f"- {_shorten(each)}" for each in report["remarks"]]
    lines += ["", *remarks] if remarks else []
    return "\n".join(lines[:_MOST_LINES]) + "\n"


def _render_row(finding: Mapping[str, Any]) -> str:
    told = f"`{finding['rule']}`{tell_marks(finding)}"
    cells = [told, finding["provenance"], finding["expected"], _shorten(finding["got"])]
    return f"| {' | '.join(map(_escape, cells))} |"


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_GOT else f"{line[: _MOST_GOT - 3]}..."


def _escape(text: str) -> str:
    """For a cell of a table: no pipes, no line breaks, no tags."""
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;")
