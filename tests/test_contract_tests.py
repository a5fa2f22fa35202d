"""`pytest contract_tests`: each rule is a test of a server."""

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fakerelay import FakeRelay, schemas
from tests.cli.test_verify import find_port

ROOT = Path(__file__).parent.parent


def run_tests(report: Path, *args: str, key: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "contract_tests", f"--junit-xml={report}", "-q"]
    return subprocess.run(
        [*command, "-p", "no:randomly", *args],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | ({} if key is None else {"FAKERELAY_CERTIFICATE_KEY": key}),
        timeout=240,
    )


def test_rule_that_a_server_breaks_is_the_test_that_fails(tmp_path: Path) -> None:
    report = tmp_path / "junit.xml"
    with FakeRelay(quota=6, callback_url=None) as relay:
        app = f"{relay.appid}:{relay.certificate_id}"
        args = ("--relay-target", relay.http_url, "--relay-app", app)
        ran = run_tests(report, *args, key=relay.certificate_key)
    cases = ElementTree.parse(report).findall(".//testcase")
    names = {case.attrib["name"]: {part.tag for part in case} for case in cases}
    assert ran.returncode == 1
    rules = [rule.id for rule in schemas.rulebook().values() if rule.section]
    assert {f"test_rule[{rule}]" for rule in rules} <= names.keys()
    assert {name for name, parts in names.items() if "failure" in parts} == {
        "test_rule[concurrent-pushes]"
    }
    # It is compared only after what fails there, so nothing is known of it.
    assert {name for name, parts in names.items() if "error" in parts} <= {
        "test_rule[update-at-full-quota]"
    }
    assert "skipped" in names["test_rule[address-scope]"]
    assert "skipped" not in names["test_rule[address-unique]"]
    assert "curl" in ran.stdout
    assert relay.certificate_key not in ran.stdout


def test_option_that_is_wrong_is_told(tmp_path: Path) -> None:
    ran = run_tests(tmp_path / "junit.xml", "--relay-set", "quota=1")
    assert ran.returncode == 4
    assert "quota" in ran.stderr + ran.stdout


APP_OF_NOBODY = ("--relay-target", "http://127.0.0.1:1", "--relay-app")
UNUSABLE = {
    "no key": ("1:a", "No key for certificate 'a'; set FAKERELAY_CERTIFICATE_KEY"),
    "no certificate": ("1", "Can't use --relay-app '1': write APPID:CERTID"),
}


@pytest.mark.parametrize(("app", "told"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_app_that_can_not_be_used_is_told_once(tmp_path: Path, app: str, told: str) -> None:
    ran = run_tests(tmp_path / "junit.xml", *APP_OF_NOBODY, app)
    assert (ran.returncode, (ran.stdout + ran.stderr).count(told)) == (4, 1)


def test_callbacks_are_judged_where_they_come_in(tmp_path: Path) -> None:
    listen = f"127.0.0.1:{find_port()}"
    settings = {"callback.retry_delays_seconds": [0.05], "callback.timeout_seconds": 1}
    report = tmp_path / "junit.xml"
    with FakeRelay(callback_url=f"http://{listen}/told", settings=settings) as relay:
        app = f"{relay.appid}:{relay.certificate_id}"
        args = ["--relay-target", relay.http_url, "--relay-app", app, "--relay-level", "assumed"]
        args += [f"--relay-set={key}={value}" for key, value in settings.items()]
        args += ["--relay-callback-listen", listen, "contract_tests/test_callbacks.py"]
        ran = run_tests(report, *args, key=relay.certificate_key)
    assert ran.returncode == 0, ran.stdout
    judged = {
        case.attrib["name"] for case in ElementTree.parse(report).iter("testcase") if not len(case)
    }
    assert {"test_rule[callback-start]", "test_rule[callback-at-least-once]"} <= judged
