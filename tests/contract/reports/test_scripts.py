"""Scripts of findings, run with sh: each shows the fault on a server that has it."""

import re
import subprocess
from shlex import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakerelay.contract.credentials import CREDENTIALS
from fakerelay.contract.judgements import Finding
from fakerelay.contract.operations import RIGHT, Kind, Level, Operation, Start, Stop, tell
from fakerelay.contract.reports.blanks import draft_forms
from fakerelay.contract.reports.findings import write_finding
from fakerelay.contract.reports.scripts import render_script
from fakerelay.contract.styles import STYLES
from fakerelay.contract.targets import Target
from tests.contract.reports.broken import ACCOUNTS, VARIABLES, find
from tests.mutants.servers import open_mutant

SHOWN: dict[str, Level] = {
    "key-case-ignored": "documented",
    "key-prefix-accepted": "documented",
    "base-scheme-accepted": "documented",
    "authorization-header-accepted": "documented",
    "no-token-accepted": "documented",
    "refused-start-done-anyway": "documented",
    "roomid-characters-accepted": "documented",
    "only-first-address-checked": "documented",
    "stop-refused": "documented",
    "quota-one-more": "documented",
    "address-race": "documented",
    "success-called-ok": "documented",
    "token-padding-optional": "assumed",
    "address-unchecked-across-apps": "assumed",
    "nan-accepted": "assumed",
    "unknown-path-no-json": "assumed",
    "get-accepted": "assumed",
    "content-type-unchecked": "assumed",
    "code-of-address-in-use-wrong": "assumed",
    "missing-trace-id-refused": "assumed",
}
CASES = pytest.mark.parametrize(("fault", "level"), SHOWN.items(), ids=SHOWN.keys())


def run_script(script: str, **variables: str) -> tuple[list[str], int]:
    """What it prints, line by line, and its exit code; it says nothing on stderr."""
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", **variables}
    ran = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True)
    assert ran.stderr == ""
    return ran.stdout.splitlines(), ran.returncode


@CASES
def test_script_shows_the_fault_and_nothing_runs_then(fault: str, level: Level) -> None:
    broke = find(fault, level)
    with open_mutant(fault) as mutant:
        finding = write_finding(broke, level, Target(mutant.url, ACCOUNTS))
        lines, exit_code = run_script(finding["curl"], **VARIABLES)
        end = lines.index(f"expected: {broke.finding.expected}")
        lines, told_at_the_end = lines[:end], lines[end + 1 :]
        told = [line for line in lines if re.match(r"\d+\. ", line)]
        assert len(told) == len(broke.steps)
        for line, step in zip(told, broke.steps, strict=True):
            assert tell(step.operation) in line
        statuses = re.findall(r" \(HTTP (\d+)\)$", "\n".join(lines), re.MULTILINE)
        assert [int(each) for each in statuses] == [step.observed.status for step in broke.steps]
        bodies = [line for line in lines if re.match(r"[{<]", line)]
        accepted = ['"code": 0, "message": "success"' in body for body in bodies]
        assert accepted == [step.observed.is_accepted for step in broke.steps]
        got = told_at_the_end[0].removeprefix("got: ")
        assert got == lines[-1] or re.fullmatch(r"[2-4] of \d accepted", got)
        assert (told_at_the_end[1:], exit_code) == ([f"STILL {broke.finding.rule}"], 1)


@CASES
def test_script_says_so_once_it_is_mended(fault: str, level: Level) -> None:
    broke = find(fault, level)
    with open_mutant() as mutant:
        finding = write_finding(broke, level, Target(mutant.url, ACCOUNTS))
        lines, exit_code = run_script(finding["curl"], **VARIABLES)
    assert (lines[-1], exit_code) == (f"FIXED {broke.finding.rule}", 0)


def test_script_does_not_take_other_answers_before_for_mended() -> None:
    broke = find("quota-one-more")
    with open_mutant() as mutant:
        finding = write_finding(broke, "documented", Target(mutant.url, ACCOUNTS))
        lines, exit_code = run_script(finding["curl"], CERTIFICATE_KEY="another")
    told = "INCONCLUSIVE: not answered as it was before: step 1 2 3 4 5"
    assert (lines[-1], exit_code) == (told, 3)


@pytest.mark.parametrize("fault", ["quota-one-more", "address-race"])
def test_script_without_answers_shows_nothing(fault: str) -> None:
    broke = find(fault)
    script = write_finding(broke, "documented", Target("http://127.0.0.1:1", ACCOUNTS))["curl"]
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", **VARIABLES}
    ran = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True)
    assert ran.returncode == 3
    assert ran.stdout.splitlines()[-1].startswith("INCONCLUSIVE: ")


LISTENERS = {
    "callback-start": "fakerelay listen --port PORT\n",
    "callback-at-least-once": "fakerelay listen --port PORT --status 500\n",
    "callback-timeout": "fakerelay verify --level assumed --callback-listen HOST:PORT --replay",
}


@pytest.mark.parametrize(("rule", "listener"), LISTENERS.items(), ids=LISTENERS.keys())
def test_script_of_callbacks_says_what_has_to_listen(rule: str, listener: str) -> None:
    broke = find("stop-refused")
    broke = broke._replace(finding=Finding(rule, "status 0 of an address", "nothing"))
    with open_mutant() as mutant:
        script = write_finding(broke, "assumed", Target(mutant.url, ACCOUNTS))["curl"]
        lines, exit_code = run_script(script, **VARIABLES)
    assert listener in script.partition("set -u")[0]
    told = "INCONCLUSIVE: what was told stands where the callbacks came in"
    assert (lines[-1], exit_code) == (told, 3)


def test_script_says_what_it_can_not_tell() -> None:
    broke = find("stop-refused")
    expected = "a message that names roomid"
    broke = broke._replace(finding=broke.finding._replace(expected=expected))
    with open_mutant() as mutant:
        script = write_finding(broke, "assumed", Target(mutant.url, ACCOUNTS))["curl"]
        lines, exit_code = run_script(script, **VARIABLES)
    assert (lines[-1].partition(";")[0], exit_code) == ("INCONCLUSIVE: a shell can't tell", 3)


def test_script_can_be_run_again_and_again() -> None:
    """Names are fresh each time, and what ran was stopped: nothing is in the way."""
    broke = find("quota-one-more")
    with open_mutant("quota-one-more") as mutant:
        script = write_finding(broke, "documented", Target(mutant.url, ACCOUNTS))["curl"]
        first, _code = run_script(script, RUN="1000000001", **VARIABLES)
        second, _code = run_script(script, RUN="1000000002", **VARIABLES)
    assert [line.replace("1000000002", "1000000001") for line in second] == first


def test_script_without_a_key_says_what_it_needs() -> None:
    script = write_finding(find("quota-one-more"), "documented", Target("http://h", ACCOUNTS))
    ran = subprocess.run(["sh", "-c", script["curl"]], env={}, capture_output=True, text=True)
    assert ran.returncode != 0
    assert "FAKERELAY_CERTIFICATE_KEY" in ran.stderr
    assert ran.stdout == ""


def test_script_says_so_of_a_race() -> None:
    script = write_finding(find("address-race"), "documented", Target("http://h", ACCOUNTS))["curl"]
    assert script.count("(at the same moment as the next)") == 3
    assert script.count(" --next ") == 3


KINDS: tuple[Kind, ...] = ("source", "mixed")
symbols = st.integers(0, 9)
starts: st.SearchStrategy[Operation] = st.builds(
    Start,
    symbols,
    st.lists(symbols, min_size=1, max_size=6).map(tuple),
    st.sampled_from(KINDS),
    symbols,
    st.integers(0, 1),
    st.sampled_from([RIGHT, *CREDENTIALS]),
    style=st.sampled_from([name for name in STYLES if STYLES[name].kinds == KINDS[::-1]]),
)
stops: st.SearchStrategy[Operation] = st.builds(
    Stop, symbols, st.none(), st.sampled_from(KINDS), symbols
)


@settings(max_examples=50, deadline=None)
@given(st.lists(starts | stops, min_size=1, max_size=6))
def test_script_mentions_each_step_and_is_one_for_any_shell(operations: list[Operation]) -> None:
    forms = draft_forms(operations, {0: 7, 1: 8}, "rtmp://push.invalid/it's")
    script = render_script(
        [[form] for form in forms],
        [],
        title="it's",
        ending=None,
        url="http://h",
        identities={0: "it's", 1: "$(other)"},
    )
    for number, operation in enumerate(operations, start=1):
        assert f"\necho {quote(f'{number}. {tell(operation)}')}\n" in script
    assert script.count("curl -sS ") == len(operations)
    subprocess.run(["sh", "-n", "-c", script], check=True)


GOLDEN = """\
#!/bin/sh
# certificate-known (D): Only a certificate that exists, with its own key, authenticates a call.
# CERTIFICATE_KEY, or FAKERELAY_CERTIFICATE_KEY, is the key of certificate 'certificate-one'.
set -u
TARGET=${TARGET:-http://127.0.0.1:8481}
RUN=${RUN:-$(date +%s)} # makes names that nobody has used yet
CERTIFICATE_ID=${CERTIFICATE_ID:-certificate-one}
CERTIFICATE_KEY=${CERTIFICATE_KEY:-${FAKERELAY_CERTIFICATE_KEY:?is the key to try it with}}
TOKEN='Basic '"$(printf %s "$CERTIFICATE_ID":"$CERTIFICATE_KEY" | base64 | tr -d '\\n')"
"""


def test_script_begins_with_what_it_shows_and_needs() -> None:
    target = Target("http://127.0.0.1:8481/", ACCOUNTS)
    finding = write_finding(find("key-case-ignored"), "documented", target)
    assert finding["curl"].startswith(GOLDEN)
