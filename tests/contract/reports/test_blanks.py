"""Requests with blanks: filled in, they are what was sent."""

import pytest

from fakerelay.contract.credentials import CREDENTIALS
from fakerelay.contract.drafts import Account, Names
from fakerelay.contract.drivers import make_request
from fakerelay.contract.flaws import FLAWS
from fakerelay.contract.operations import Operation, Start, Stop
from fakerelay.contract.reports.blanks import RUN, draft_forms, fill
from fakerelay.contract.styles import STYLES

PUSH_BASE = "rtmp://push.invalid/live"
ACCOUNT = Account(7, "Cert-one", "Key-One~?>=")
OTHER = Account(8, "Cert-two", "Key-Two")
FILLED = {
    "CERTIFICATE_ID": "Cert-one",
    "CERTIFICATE_KEY": "Key-One~?>=",
    "OTHER_CERTIFICATE_ID": "Cert-two",
    "OTHER_CERTIFICATE_KEY": "Key-Two",
}


def list_operations() -> dict[str, Operation]:
    operations: dict[str, Operation] = {
        name: Start(0, (0,), credential=name) for name in CREDENTIALS
    }
    for name, flaw in FLAWS.items():
        operations[name] = Start(0, (0,), flaw.kinds[0], flaw=name)
        if "startrtmp" not in flaw.operations:
            operations[name] = Stop(0, kind=flaw.kinds[0], flaw=name)
    for name, style in STYLES.items():
        operations[name] = Start(0, (0,), style.kinds[0], style=name)
    return operations | {"other app": Start(0, (0,), app=1), "stop": Stop(0, (1, 2))}


OPERATIONS = list_operations()


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_form_filled_in_is_what_is_sent(operation: Operation) -> None:
    (form,) = draft_forms([operation], {0: 7, 1: 8}, PUSH_BASE)
    sent = make_request(operation, {0: ACCOUNT, 1: OTHER}, Names(RUN, 1, PUSH_BASE))
    assert (form.method, form.target, form.body) == (sent.method, sent.target, sent.encode())
    assert [(name, fill(value, FILLED)) for name, value in form.headers] == sent.headers
