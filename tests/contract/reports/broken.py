"""Findings to be told of, made on servers that are wrong on purpose."""

from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from typing import Any

from fakerelay import schemas
from fakerelay.contract.catalogue import list_scenarios
from fakerelay.contract.clients import Client
from fakerelay.contract.drafts import Account
from fakerelay.contract.events import Broke
from fakerelay.contract.judgements import Judge
from fakerelay.contract.operations import Level
from fakerelay.contract.reports.circumstances import Circumstances
from fakerelay.contract.reports.documents import write_report
from fakerelay.contract.runs import Run
from fakerelay.contract.scopes import Scope
from fakerelay.contract.targets import Target
from fakerelay.contract.verdicts import Tally
from tests.mutants import tokens
from tests.mutants.servers import open_mutant

ACCOUNTS = {number: Account(*account) for number, account in enumerate(tokens.ACCOUNTS)}
VARIABLES = {
    "CERTIFICATE_KEY": ACCOUNTS[0].certificate_key,
    "OTHER_CERTIFICATE_KEY": ACCOUNTS[1].certificate_key,
}
ERRORS = schemas.read_json("profiles/default")["errors"]


@cache
def find(fault: str, level: Level = "documented") -> Broke:
    """The first finding on a server with this fault."""
    with open_mutant(fault) as mutant, closing(Client(mutant.url)) as client:
        target = Target(mutant.url, ACCOUNTS)
        run = Run(target, client, Judge(level, ERRORS))
        events = run.play(list_scenarios(level, target.policy))
        return next(event for event in events if isinstance(event, Broke))


COUNTS = {"start-path": 40, "stop-ends-task": 12, "concurrent-pushes": 3, "certificate-known": 9}


def make_report(*faults: str | Broke, **asked: Any) -> dict[str, Any]:
    """Of a run that found these faults, and agreed in a few other rules."""
    tally = Tally("documented", COUNTS, scope=Scope(frozenset({*COUNTS, "uid-form"}), {}))
    for fault in faults:
        tally.add(find(fault) if isinstance(fault, str) else fault)
    usual: dict[str, Any] = {
        "kit": "1.2.3",
        "began_at": datetime(2030, 1, 31, 12, tzinfo=UTC),
        "target": Target("http://somebody:password@127.0.0.1:8481", ACCOUNTS),
        "is_own": False,
        "level": "documented",
        "effort": "quick",
        "seed": 7,
        "profile": "default@1",
        "max_calls": 1500,
        "max_seconds": 300.0,
    }
    circumstances = Circumstances(**(usual | asked))
    return write_report(tally, circumstances, calls=321, scenarios=45, seconds=2.345)
