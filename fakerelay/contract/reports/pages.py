"""The report as one HTML page, which needs nothing else: no script, no font, no picture."""

import re
from collections.abc import Iterator, Mapping
from html import escape
from itertools import groupby
from typing import Any, Final

from fakerelay.contract.reports.summaries import (
    advise,
    fails,
    list_broken,
    tell_marks,
    tell_provenances,
    tell_verdict,
)

_SECTIONS: Final = {
    0: "What is judged",
    1: "Transport and addresses of the API",
    2: "Authentication",
    3: "startrtmp",
    4: "Tasks and their rules",
    5: "stoprtmp",
    6: "Replies",
    7: "Callbacks",
}
_SIGNS: Final = {"agrees": "✓", "broken": "✗", "skipped": "-", "inconclusive": "?"}
_MOST_LISTED: Final = 12
_MOST_EXPLAINED: Final = 4  # so that a phone's first screen has what to do as well
_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1d2129; --soft: #5c6573; --back: #fff; --card: #f5f6f8;
  --line: #dde1e7; --good: #17703a; --link: #0b57d0; --bad: #b3261e; --vague: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7eaf0; --soft: #a2abba; --back: #14171c;
  --card: #1e232b; --line: #333b47; --good: #6fd493; --link: #8ab4f8; --bad: #ff8a80;
  --vague: #f3c04b; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; color: var(--ink); background: var(--back);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; color: var(--soft); }
a { color: var(--link); }
p, ul { margin: .25rem 0; }
ul { padding-left: 1.25rem; }
.top { border-left: .5rem solid var(--tone); padding-left: 1rem; }
.top h1, .sign { color: var(--tone); }
.agrees { --tone: var(--good); } .broken { --tone: var(--bad); }
.skipped { --tone: var(--soft); } .inconclusive { --tone: var(--vague); }
.soft { color: var(--soft); font-size: .9rem; }
details { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  margin: .5rem 0; padding: .5rem .75rem; }
details.broken { border-left: .25rem solid var(--tone); }
summary { cursor: pointer; font-weight: 600; }
summary small, li small { font-weight: normal; color: var(--soft); }
pre { overflow-x: auto; background: var(--back); border: 1px solid var(--line);
  border-radius: .25rem; padding: .5rem; font-size: .8rem; line-height: 1.4;
  overflow-wrap: normal; }
code { font-family: ui-monospace, monospace; font-size: .9em; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .1rem .75rem; margin: .5rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
.rules { list-style: none; padding: 0; }
.rules li { display: grid; grid-template-columns: 1.5rem 1fr auto; gap: .25rem;
  border-top: 1px solid var(--line); padding: .35rem 0; }
.sign { font-weight: 700; }
.count { color: var(--soft); font-size: .8rem; white-space: nowrap; text-align: right; }
"""


def render_page(report: Mapping[str, Any]) -> str:
    """Verdict, broken rules and what to do first; then each rule; then what it took."""
    body = [*_open(report), *_render_findings(report), *_render_rules(report), *_close(report)]
    title = f"{report['verdict']}: fakerelay verify"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            '<head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head>",
            "<body>",
            *body,
            "</body></html>",
            "",
        ]
    )


def _open(report: Mapping[str, Any]) -> Iterator[str]:
    word, _, rest = tell_verdict(report).partition(": ")
    tone = {"AGREES": "agrees", "INCONCLUSIVE": "inconclusive", "SKIPPED": "inconclusive"}
    target = report["target"]
    yield f'<header class="top {tone.get(word, "broken")}"><h1>{escape(word)}</h1>'
    yield f"<p>{escape(rest)}</p>"
    yield (
        f'<p class="soft">{escape(target["url"])}, app {target["appid"]};'
        f" {escape(report['began_at'])}</p></header>"
    )
    broken = list_broken(report)
    if broken:
        yield "<h2>Broken</h2><ul>"
        for each in broken[:_MOST_LISTED]:
            told = f": {_mark_up(each['text'])}" if len(broken) <= _MOST_EXPLAINED else ""
            yield (
                f'<li><a href="#{escape(each["rule"])}">{escape(each["rule"])}</a>'
                f" ({each['provenance']}){told}<small>{escape(tell_marks(each))}</small></li>"
            )
        if len(broken) > _MOST_LISTED:
            yield f"<li>and {len(broken) - _MOST_LISTED} more, all of them below</li>"
        yield "</ul>"
    yield from _advise(report)
    for left in report["leftovers"]:
        yield f"<details><summary>May still run: {escape(left['told'])}</summary>"
        yield f"<p><code>{escape(left['answer'])}</code></p>"
        yield f"<pre>{escape(left['curl'])}</pre></details>"
    if report["gone"]:
        yield f"<p>Broken in the baseline, and not now: {escape(', '.join(report['gone']))}.</p>"


def _advise(report: Mapping[str, Any]) -> Iterator[str]:
    advice = list(advise(report, "."))
    if advice:
        yield "<h2>What to do</h2><ul>"
        for told, command in advice:
            shown = "" if command is None else f": <code>{escape(command)}</code>"
            yield f"<li>{escape(told)}{shown}</li>"
        yield "</ul>"
    if report["remarks"]:
        yield "<h2>What else there was</h2><ul>"
        yield from (f"<li>{escape(remark)}</li>" for remark in report["remarks"])
        yield "</ul>"


def _render_findings(report: Mapping[str, Any]) -> Iterator[str]:
    for number, finding in enumerate(list_broken(report)):
        if number == 0:
            yield "<h2>How they broke</h2>"
        is_open = " open" if number == 0 and fails(finding) else ""
        tone = "broken" if fails(finding) else "inconclusive"
        yield f'<details class="{tone}" id="{escape(finding["rule"])}"{is_open}>'
        yield f"<summary>{escape(finding['rule'])}"
        yield f"<small>{_mark_up(finding['text'])}</small></summary>"
        yield f"<dl><dt>expected</dt><dd>{escape(finding['expected'])}</dd>"
        yield f"<dt>got</dt><dd><code>{escape(finding['got'])}</code></dd></dl>"
        yield "<ol>"
        for step in finding["steps"]:
            answer = f"<small><code>{escape(step['answer'])}</code></small>"
            yield f"<li>{escape(step['told'])}<br>{answer}</li>"
        yield "</ol>"
        yield from (f"<pre>{escape(each)}</pre>" for each in finding.get("evidence", ()))
        for told, code in (("As a script", "curl"), ("As a test", "pytest")):
            yield f"<details><summary>{told}</summary><pre>{escape(finding[code])}</pre></details>"
        yield "</details>"


def _render_rules(report: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>Rule by rule</h2>"
    yield f'<p class="soft">{escape(tell_provenances())}.</p>'
    for section, rules in groupby(report["rules"], lambda rule: rule["section"]):
        yield f'<h3>{section}. {escape(_SECTIONS.get(section, ""))}</h3><ul class="rules">'
        for rule in rules:
            state = rule["state"]
            times = f"{rule['compared']} times" if rule["compared"] else escape(state)
            why = rule.get("reason") or ""
            yield (
                f'<li class="{state}"><span class="sign" title="{state}">{_SIGNS[state]}</span>'
                f"<span><b>{escape(rule['rule'])}</b> ({rule['provenance']})"
                f" {_mark_up(rule['text'])}{_render_reason(why)}</span>"
                f'<span class="count">{times}</span></li>'
            )
        yield "</ul>"


def _render_reason(why: str) -> str:
    return f"<br><small>{escape(why)}</small>" if why else ""


def _mark_up(text: str) -> str:
    """A text of the rulebook, which has code between backticks."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _close(report: Mapping[str, Any]) -> Iterator[str]:
    budget, settings = report["budget"], report["settings"]
    rows = {
        "calls": f"{budget['calls']} of {budget['max_calls']}",
        "seconds": f"{budget['seconds']:g} of {budget['max_seconds']:g}",
        "scenarios": str(budget["scenarios"]),
        "effort, seed": f"{settings['effort']}, {settings['seed']}",
        "level": settings["level"],
        "profile": settings["profile"],
        "fails for": ", ".join(report["failing_for"]),
        "fakerelay": report["kit"],
    }
    if settings["rules"]:
        rows["only"] = ", ".join(settings["rules"])
    yield "<h2>Budget</h2><dl>"
    yield from (f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows.items())
    yield "</dl>"
