"""Picks the server, plays the kit's scenarios on it once, and hands each test its verdict."""

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any, Final, NamedTuple

import pytest

from fakerelay import schemas
from fakerelay.cli.judged import open_target
from fakerelay.cli.routes import hurry, open_route
from fakerelay.contract.callbacks.routes import Route
from fakerelay.contract.efforts import EFFORTS
from fakerelay.contract.inquiries import open_inquiry
from fakerelay.contract.operations import Level
from fakerelay.contract.reports.findings import write_finding, write_leftover
from fakerelay.contract.runs import Budget
from fakerelay.contract.targets import PUSH_BASE, Target
from fakerelay.contract.verdicts import Tally, Verdict
from fakerelay.errors import ConfigError
from fakerelay.profiles import merge_profile, merge_settings, parse_setting, read_profile

# Each is an option of `fakerelay verify`, with `--relay-` before its name.
OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "target": {"help": "URL of the server; a fake of its own by default."},
    "app": {"help": "APPID:CERTID of the app to judge with, on a target."},
    "other-app": {"help": "APPID:CERTID of an app of another account's."},
    "ca": {"help": "File of whom to trust, of an https target."},
    "shared-account": {"action": "store_true", "help": "Others run tasks in the apps meanwhile."},
    "room": {"help": "ROOM:UID,... that are live, to be used instead of made-up ones."},
    "push-base": {"default": PUSH_BASE, "help": "What all addresses begin with."},
    "callback-listen": {"help": "HOST:PORT where callbacks come in, at level assumed."},
    "level": {"choices": ["documented", "assumed"], "default": "documented"},
    "profile": {"default": "default", "help": "NAME or FILE of the profile it is to be as."},
    "set": {"action": "append", "default": [], "help": "KEY=VALUE of it, changed."},
    "effort": {"choices": list(EFFORTS), "default": "quick"},
    "seed": {"type": int, "default": 0, "help": "What is made up, again."},
}


class Played(NamedTuple):
    """What one run of all scenarios came to; `evidence` are the calls that show a rule broken."""

    verdicts: Mapping[str, Verdict]
    evidence: Mapping[str, str]
    left: Sequence[str]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("relay", "the server that the contract is tested on")
    for name, parts in OPTIONS.items():
        group.addoption(f"--relay-{name}", **parts)


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--relay-target") and config.getoption("numprocesses", None):
        raise pytest.UsageError(
            "Two processes would take the quota of --relay-target from each other: leave -n away"
        )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each rule of the section that a module is about."""
    if "rule" in metafunc.fixturenames:
        section = metafunc.module.SECTION
        rules = [rule.id for rule in schemas.rulebook().values() if rule.section == section]
        metafunc.parametrize("rule", rules)


@pytest.fixture(scope="session")
def played(request: pytest.FixtureRequest) -> Played:
    options = {
        name.replace("-", "_"): request.config.getoption(f"--relay-{name}") for name in OPTIONS
    }
    settings: dict[str, Any] = {}
    try:
        for text in options["set"]:
            settings = merge_settings(settings, parse_setting(text))
        profile = merge_profile(read_profile(options["profile"]), settings, "--relay-set")
        if options["target"] is None:
            profile = hurry(profile, settings)
        with (
            open_route(options, profile["callback"]) as route,
            open_target(options, profile, None if route is None else route.url) as target,
        ):
            return tell(play(target, options, profile, route), target, options["level"])
    except ConfigError as error:
        told = re.sub(rf"--(?=(?:{'|'.join(OPTIONS)})\b)", "--relay-", str(error))
        pytest.exit(told, returncode=pytest.ExitCode.USAGE_ERROR)


def play(
    target: Target, options: Mapping[str, Any], profile: Mapping[str, Any], route: Route | None
) -> Tally:
    level, effort = options["level"], EFFORTS[options["effort"]]
    with closing(target.open_client()) as client:
        _run, tally, events = open_inquiry(
            target,
            client,
            level,
            profile["errors"],
            effort,
            seed=options["seed"],
            budget=Budget(effort.max_calls),
            route=route,
        )
        for _event in events:
            pass
    return tally


def tell(tally: Tally, target: Target, level: Level) -> Played:
    findings = [write_finding(each, level, target) for each in tally.findings]
    return Played(
        {each.rule: each for each in tally.verdicts()},
        {
            each["rule"]: f"expected {each['expected']}, got {each['got']}\n\n{each['curl']}"
            for each in findings
        },
        [write_leftover(each, target)["told"] for each in tally.left],
    )


@pytest.fixture
def verdict(rule: str, played: Played) -> Verdict:
    """What the run has to say of a rule; what it can't say is no failure of the server's."""
    verdict = played.verdicts.get(rule)
    if verdict is None:
        pytest.skip("it is judged at --relay-level assumed only")
    if verdict.state == "skipped":
        pytest.skip(verdict.reason or "")
    if verdict.state == "inconclusive":
        pytest.fail(f"inconclusive: {verdict.reason}", pytrace=False)
    return verdict
