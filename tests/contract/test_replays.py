"""Findings tried again: FIXED, STILL or INCONCLUSIVE."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from fakerelay.contract.catalogue import Scenario
from fakerelay.contract.clients import Client
from fakerelay.contract.events import Event
from fakerelay.contract.judgements import Judge
from fakerelay.contract.operations import Level
from fakerelay.contract.replays import Replayed, exit_code, read_findings, replay
from fakerelay.contract.runs import Run
from fakerelay.contract.targets import Target
from fakerelay.errors import ConfigError
from tests.contract.reports.broken import ACCOUNTS, ERRORS, make_report
from tests.mutants.servers import open_mutant


def replay_on(url: str, text: str) -> list[Replayed]:
    with closing(Client(url)) as client:

        def play(level: Level, scenario: Scenario) -> Iterator[Event]:
            return Run(Target(url, ACCOUNTS), client, Judge(level, ERRORS)).play([scenario])

        return list(replay(read_findings(text, "a file"), play, {}))


def test_finding_is_fixed_or_still_there() -> None:
    text = json.dumps(make_report("quota-one-more", "key-case-ignored", "address-race"))
    with open_mutant("key-case-ignored", "address-race") as mutant:
        replayed = replay_on(mutant.url, text)
    assert [(each.tried.rule, each.state) for each in replayed] == [
        ("concurrent-pushes", "FIXED"),
        ("certificate-known", "STILL"),
        ("address-unique", "STILL"),
    ]
    assert exit_code(replayed) == 1
    assert exit_code(replayed[:1]) == 0


def test_one_finding_alone_can_be_replayed() -> None:
    text = json.dumps(make_report("quota-one-more")["findings"][0])
    with open_mutant() as mutant:
        (replayed,) = replay_on(mutant.url, text)
    assert replayed.state == "FIXED"


def test_nobody_there_and_another_rule_in_the_way_are_inconclusive() -> None:
    text = json.dumps(make_report("quota-one-more"))
    with open_mutant("uid-dash-refused") as mutant:
        (other,) = replay_on(mutant.url, text)
    (nobody,) = replay_on("http://127.0.0.1:1", text)
    assert (other.state, nobody.state) == ("INCONCLUSIVE", "INCONCLUSIVE")
    assert "instead" in other.reason
    assert exit_code([other, nobody]) == 3
    assert exit_code([]) == 3


def spoil(**changes: Any) -> str:
    finding = make_report("key-case-ignored")["findings"][0]
    (operation,) = finding["operations"]
    return json.dumps(finding | {"operations": [operation | changes]})


WRONG = {
    "no JSON": ("{", "it is no JSON"),
    "another file": ("{}", "Missing /version"),
    "another version": (json.dumps({"version": 2}), "a file"),
    "unknown credential": (spoil(credential="key in other cas"), "'key in other case'"),
    "no symbol": (spoil(task="x"), "/operations/0/task"),
    "no start or stop": (spoil(do="restart"), "/operations/0/do"),
    "another field": (spoil(adresses=[1]), "did you mean 'addresses'"),
    "unknown rule": (
        json.dumps(make_report("key-case-ignored")["findings"][0] | {"rule": "certificate-knwon"}),
        "did you mean 'certificate-known'",
    ),
}


@pytest.mark.parametrize(("text", "told"), WRONG.values(), ids=WRONG.keys())
def test_file_of_no_use_is_refused_with_the_place(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_findings(text, "a file")
    assert told in str(refused.value)


def test_place_in_a_whole_report_is_told() -> None:
    report = make_report("key-case-ignored")
    report["findings"][0]["operations"][0]["room"] = -1
    with pytest.raises(ConfigError, match="/findings/0/operations/0/room"):
        read_findings(json.dumps(report), "a file")
