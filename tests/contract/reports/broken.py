"""Findings to be told of, made on servers that are wrong on purpose."""

from contextlib import closing
from functools import cache

from fakerelay import schemas
from fakerelay.contract.catalogue import list_scenarios
from fakerelay.contract.clients import Client
from fakerelay.contract.drafts import Account
from fakerelay.contract.events import Broke
from fakerelay.contract.judgements import Judge
from fakerelay.contract.operations import Level
from fakerelay.contract.runs import Run
from fakerelay.contract.targets import Target
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
