"""What a refusal must not give away."""

import json
from base64 import b64decode
from collections.abc import Callable
from contextlib import closing
from itertools import count

import pytest

from fakerelay import schemas
from fakerelay.contract.catalogue import Scenario
from fakerelay.contract.clients import Client, Observed
from fakerelay.contract.drafts import Account, Draft
from fakerelay.contract.events import Broke
from fakerelay.contract.judgements import Judge
from fakerelay.contract.operations import Level, Start
from fakerelay.contract.runs import Run
from fakerelay.contract.targets import Target
from tests.mutants import open_mutant

ERRORS = schemas.read_json("profiles/default")["errors"]
URL = "http://127.0.0.1:9"
ACCOUNT = Account(7, "Cert-one", "Key-one")
WRONG = [Start(0, (0,), credential=name) for name in ("another key", "unknown certificate")]
Say = Callable[[str], str]


class Refusing(Client):
    """No server: each call is refused for its token, in words made of the certificate's id."""

    def __init__(self, say: Say) -> None:
        super().__init__(URL)
        self._say = say

    def send(self, request: Draft) -> Observed:
        token = next(value for name, value in request.headers if name == "token")
        certificate = b64decode(token.split()[1]).decode().partition(":")[0]
        envelope = {
            "code": ERRORS["token_invalid"]["code"],
            "message": self._say(certificate),
            "traceId": request.trace_id,
        }
        return Observed(200, {}, json.dumps(envelope).encode(), envelope)


def find(say: Say, level: Level = "assumed") -> list[str]:
    run = Run(Target(URL, {0: ACCOUNT}), Refusing(say), Judge(level, ERRORS))
    events = list(run.play([Scenario("refused", [*WRONG, *WRONG])]))
    return [event.finding.rule for event in events if isinstance(event, Broke)]


def tell_cause(certificate: str) -> str:
    return "no such certificate" if certificate.endswith("unknown") else "wrong key"


def test_refusal_that_tells_which_half_of_a_token_is_wrong_is_found() -> None:
    assert find(tell_cause) == ["token-reply-discreet"]


def test_what_is_told_is_nobodys_business_at_level_documented() -> None:
    assert find(tell_cause, "documented") == []


numbers = count()
FINE: dict[str, Say] = {
    "the same": lambda certificate: "wrong token",
    "the caller's own id": lambda certificate: f"{certificate} and that key do not fit",
    "never the same": lambda certificate: f"wrong token (incident {next(numbers)})",
}


@pytest.mark.parametrize("say", FINE.values(), ids=FINE.keys())
def test_refusal_that_gives_nothing_away_is_fine(say: Say) -> None:
    assert find(say) == []


@pytest.mark.parametrize(("faults", "rules"), [(["holder-told"], 1), ([], 0)])
def test_refusal_that_names_another_apps_task_is_found(faults: list[str], rules: int) -> None:
    scenario = Scenario("two apps", [Start(0, (0,)), Start(1, (0,), app=1)])
    with open_mutant(*faults) as mutant, closing(Client(mutant.url)) as client:
        accounts = {number: Account(*account) for number, account in enumerate(mutant.accounts)}
        run = Run(Target(mutant.url, accounts), client, Judge("assumed", ERRORS))
        found = [event for event in run.play([scenario]) if isinstance(event, Broke)]
    assert [each.finding.rule for each in found] == ["address-reply-discreet"] * rules
