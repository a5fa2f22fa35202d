"""No artefact has a secret in it: neither a key, nor a token, right or nearly."""

from base64 import b64encode, urlsafe_b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from fakerelay.contract.drafts import Account
from fakerelay.contract.events import Broke
from fakerelay.contract.operations import Level
from fakerelay.contract.reports.files import write_files
from fakerelay.contract.reports.secrets import Secrets
from tests.contract.reports.broken import ACCOUNTS, find, make_report

KEY = 'Sesame"open&<5>'
ACCOUNT = Account(7, "certificate", KEY)
SECRETS = Secrets({0: ACCOUNT, 1: Account(8, "other", "OtherKey123")})

TOLD = {
    "key": (f"no {KEY}.", "no $CERTIFICATE_KEY."),
    "key in JSON": (r"no Sesame\"open&<5>.", "no $CERTIFICATE_KEY."),
    "key in HTML": ("no Sesame&quot;open&amp;&lt;5&gt;.", "no $CERTIFICATE_KEY."),
    "key in a URL": ("no Sesame%22open%26%3C5%3E.", "no $CERTIFICATE_KEY."),
    "beginning of the key": (f"no {KEY[:-1]}.", "no $CERTIFICATE_KEY."),
    "key in capitals": (f"no {KEY.upper()}.", "no $CERTIFICATE_KEY."),
    "token": (f"no {ACCOUNT.token}.", "no $TOKEN."),
    "base64 alone": (f"no {ACCOUNT.token.split()[1]}.", "no $TOKEN."),
    "key of the other": ("no OtherKey123.", "no $OTHER_CERTIFICATE_KEY."),
    "key cut off": (f"no {KEY[:7]}", "no ..."),
    "nothing": ("no key of certificate 7", "no key of certificate 7"),
}


@pytest.mark.parametrize(("text", "scrubbed"), TOLD.values(), ids=TOLD.keys())
def test_secret_is_replaced_by_its_name(text: str, scrubbed: str) -> None:
    assert SECRETS.scrub(text) == scrubbed


def test_tiny_key_is_left_or_it_would_be_found_everywhere() -> None:
    assert Secrets({0: Account(7, "certificate", "k")}).scrub("kept") == "kept"


def list_canaries() -> set[str]:
    canaries = set()
    for account in ACCOUNTS.values():
        key, pair = account.certificate_key, f"{account.certificate_id}:{account.certificate_key}"
        changed = [key, key.swapcase(), key.lower(), key.upper(), key[:-1], key[1:], pair]
        canaries |= {*changed, *(b64encode(each.encode()).decode() for each in changed)}
        canaries |= {urlsafe_b64encode(each.encode()).decode().rstrip("=") for each in changed}
        canaries |= {account.token, account.token.split()[1].rstrip("=")}
    return canaries


def echo(broke: Broke) -> Broke:
    """The finding, had the server answered with the token that it got, right or wrong."""
    tokens = [dict(step.request.headers).get("token", "") for step in broke.steps]
    got = f"HTTP 200 {ACCOUNTS[0].token} {' '.join(tokens)} {ACCOUNTS[0].certificate_key}"
    steps = [
        replace(step, observed=replace(step.observed, body=got.encode())) for step in broke.steps
    ]
    return broke._replace(steps=steps, finding=broke.finding._replace(got=got))


FINDINGS = {
    "of a token": ("key-case-ignored", "documented"),
    "of the beginning of a key": ("key-prefix-accepted", "documented"),
    "of the quota": ("quota-one-more", "documented"),
    "of the other app": ("address-unchecked-across-apps", "assumed"),
}


@pytest.mark.parametrize(("fault", "level"), FINDINGS.values(), ids=FINDINGS.keys())
def test_no_artefact_has_a_secret(fault: str, level: Level, tmp_path: Path) -> None:
    report = make_report(echo(find(fault, level)))
    assert "$TOKEN" in report["findings"][0]["got"]
    write_files(report, tmp_path)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 6
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert "password" not in text, path
        assert not [canary for canary in list_canaries() if canary in text], path
