"""The report for people and for CI: a page, a summary, JUnit's XML; and all of them as files."""

import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fakerelay.contract.divergences import Divergence
from fakerelay.contract.reports.files import write_files
from fakerelay.contract.reports.junit import render_junit
from fakerelay.contract.reports.pages import render_page
from fakerelay.contract.reports.summaries import render_summary
from tests.contract.reports.broken import find, make_report

ACCEPTED = {
    "certificate-known": Divergence(
        "certificate-known", "old | keys", "team relay", date(2031, 1, 1)
    )
}


def test_junit_has_a_case_for_each_rule() -> None:
    report = make_report("quota-one-more", "key-case-ignored", accepted=ACCEPTED)
    suite = ElementTree.fromstring(render_junit(report)).find("testsuite")
    assert suite is not None
    outcomes = {
        (case.get("classname"), case.get("name")): [child.tag for child in case]
        for case in suite.iter("testcase")
    }
    assert len(outcomes) == len(report["rules"])
    assert outcomes["contract.section4", "concurrent-pushes"] == ["failure"]
    assert outcomes["contract.section2", "certificate-known"] == ["skipped"]
    assert outcomes["contract.section3", "uid-form"] == ["error"]
    assert outcomes["contract.section1", "start-path"] == []
    assert outcomes["contract.section1", "https-only"] == ["skipped"]
    tags = [tag for tags in outcomes.values() for tag in tags]
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert suite.get(name) == str(tags.count(tag))
    properties = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert (properties["seed"], properties["version"]) == ("7", "1.2.3")
    assert properties["target"] == "http://127.0.0.1:8481"
    assert properties["budget"] == "321 of 1500 calls, 2.3 of 300.0 s"


def test_junit_failure_says_all_of_it() -> None:
    report = make_report("quota-one-more")
    (failure,) = ElementTree.fromstring(render_junit(report)).iter("failure")
    assert failure.text is not None
    assert "concurrent-pushes (D): By default an app may push five streams" in failure.text
    assert "6. start source task 5" in failure.text
    assert "expected rejected (quota_exceeded)" in failure.text
    assert failure.text.count("curl -sS ") == 12  # what runs is stopped, too
    assert "rejected (quota_exceeded), got HTTP 200" in (failure.get("message") or "")


def test_junit_is_xml_whatever_a_server_answers() -> None:
    broke = find("quota-one-more")
    odd = broke._replace(finding=broke.finding._replace(got="\x00\x1b[31m ]]> <&\ud800\uffff"))
    text = render_junit(make_report(odd))
    assert ElementTree.fromstring(text) is not None
    assert "??[31m ]]" in text


SUMMARY = """\
**BROKEN: 1 broken, 1 accepted as broken, 2 agree, 1 inconclusive, 44 skipped; 321 calls in 2.3 s; level documented, seed 7**

`http://127.0.0.1:8481`, app 7101; profile default@1; fakerelay 1.2.3, 2030-01-31T12:00:00Z

| broken | provenance | expected | got |
| --- | --- | --- | --- |
| `concurrent-pushes` [new] | D | rejected (quota_exceeded) | GOT |
| `certificate-known` [new; accepted until 2031-01-01 by team relay: old \\| keys] | D | rejected (token_invalid) | GOT |

Broken in the baseline, and not now: start-path.
"""  # noqa: E501


def test_summary_says_the_verdict_first() -> None:
    faults = ("key-case-ignored", "quota-one-more")
    report = make_report(*faults, accepted=ACCEPTED, baseline=["start-path"])
    summary = render_summary(report)
    assert re.sub(r"HTTP 200 \{[^}]*\}", "GOT", summary) == SUMMARY


def test_summary_has_at_most_thirty_lines() -> None:
    broke = find("quota-one-more")
    report = make_report(broke)
    report["findings"] *= 50
    report["remarks"] = ["remark"] * 50
    summary = render_summary(report)
    assert summary.count("\n") <= 30
    assert "And 38 more." in summary


class Outline(HTMLParser):
    """What a page loads, where it leads, and its headings in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "data") or (name == "href" and tag != "a"):
                self.loads.append(f"{tag} {value}")
            elif name == "href":
                self.links.append(value or "")
            elif name == "id":
                self.ids.add(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_is_whole_and_needs_nothing_else() -> None:
    page = render_page(make_report("quota-one-more", "key-case-ignored", accepted=ACCEPTED))
    outline = Outline(page)
    assert outline.open == []
    assert outline.loads == []
    assert "<script" not in page
    assert not re.search(r"url\(|@import", page)
    assert {link.removeprefix("#") for link in outline.links} == outline.ids
    assert "prefers-color-scheme: dark" in page
    assert "width=device-width" in page


_UNJUDGED = ["What to do", "What else there was"]


@pytest.mark.parametrize("faults", [(), ("quota-one-more",)], ids=["agrees", "broken"])
def test_page_has_the_verdict_then_what_to_do_then_each_rule(faults: tuple[str, ...]) -> None:
    report = make_report(*faults, fails_on=["broken"])
    page = render_page(report)
    headings = re.findall(r"<h[12]>([^<]*)", page)
    lists = ["Broken", "What to do", "How they broke"] if faults else _UNJUDGED
    assert headings == [report["verdict"], *lists, "Rule by rule", "Budget"]
    for rule in report["rules"]:
        assert f"<b>{rule['rule']}</b> ({rule['provenance']})" in page


def test_page_has_code_where_the_rulebook_has_it() -> None:
    page = render_page(make_report("stop-refused"))
    assert "`" not in re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL)
    assert "<code>POST /app/{appid}/v2/rtmpforward/startrtmp</code>" in page


def test_page_of_accepted_findings_says_nothing_of_what_to_do() -> None:
    page = render_page(make_report("key-case-ignored", accepted=ACCEPTED))
    assert "What to do" not in page
    assert '<details class="inconclusive" id="certificate-known">' in page


def test_page_shows_what_a_server_answers_as_text() -> None:
    broke = find("quota-one-more")
    odd = broke._replace(finding=broke.finding._replace(got="<script>alert(1)</script>"))
    page = render_page(make_report(odd))
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page


def test_scripts_of_an_earlier_run_are_taken_away(tmp_path: Path) -> None:
    write_files(make_report("quota-one-more"), tmp_path)
    (tmp_path / "findings" / "mine.sh").write_text("")
    write_files(make_report("key-case-ignored"), tmp_path)
    assert sorted(path.name for path in (tmp_path / "findings").iterdir()) == [
        "certificate-known.sh",
        "mine.sh",
        "test_certificate_known.py",
    ]
