"""What is drawn: a right request validates, a wrong one doesn't, where a schema can say so."""

import json
import re
from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakerelay import schemas
from fakerelay.contract.drafts import Account, Names
from fakerelay.contract.drivers import make_request
from fakerelay.contract.flaws import FLAWS
from fakerelay.contract.machines import address_lists, kinds, rooms, tasks
from fakerelay.contract.operations import Kind, Operation, Start, Stop, name_operation
from fakerelay.contract.styles import STYLES

ACCOUNTS = {number: Account(7 + number, f"Cert-{number}", "Key+/=") for number in (0, 1)}
SCHEMAS: Mapping[str, Any] = {
    name: jsonschema.Draft202012Validator(schemas.load_schema(f"{name}.request"))
    for name in ("startrtmp", "stoprtmp")
}
SAID_BY_CODE = ("address-", "stop-own-", "rtmpurl-count", "tile-", "input-uid-once")
"""Rules of `invalid_parameter` that no schema can say."""
OF_FIELDS = [
    name
    for name, flaw in FLAWS.items()
    if flaw.fault.problem == "invalid_parameter" and not flaw.fault.rule.startswith(SAID_BY_CODE)
]
OF_ADDRESSES = [
    name
    for name, flaw in FLAWS.items()
    if flaw.fault.problem == "invalid_parameter" and flaw.fault.rule.startswith("address-")
]
ADDRESS = re.compile(
    r"(?=.{1,512}\Z)rtmps?://[^,/:\s]+(:(?!0)(?!65536)[0-9]{1,5})?(/[!-~]*)?", re.ASCII
)
apps = st.integers(0, 1)
styles = st.sampled_from(sorted(STYLES))
starts = st.builds(Start, tasks, address_lists, kinds, rooms, apps)
stops = st.builds(Stop, tasks, st.none() | address_lists, kinds, rooms, apps)


def is_valid(operation: Operation) -> bool:
    request = make_request(operation, ACCOUNTS, Names("run", 1, "rtmp://push.invalid/live"))
    body = json.loads(request.encode())
    return bool(SCHEMAS[name_operation(operation)].is_valid(body))


def suits(kind: Kind, operation: Operation, row: Any) -> bool:
    return kind in row.kinds and name_operation(operation) in row.operations


@given(operation=starts | stops)
def test_right_request_validates(operation: Operation) -> None:
    assert is_valid(operation)


@given(start=starts, style=styles)
def test_right_request_validates_however_it_is_said(start: Start, style: str) -> None:
    said = Start(start.task, start.addresses, start.kind, start.room, start.app, style=style)
    if suits(start.kind, said, STYLES[style]):
        assert is_valid(said)


@given(operation=starts | stops, flaw=st.sampled_from(OF_FIELDS))
def test_wrong_request_does_not_validate(operation: Operation, flaw: str) -> None:
    if suits(operation.kind, operation, FLAWS[flaw]) and operation.addresses is not None:
        make = Start if isinstance(operation, Start) else Stop
        wrong = make(operation.task, operation.addresses, operation.kind, flaw=flaw)
        assert not is_valid(wrong)


@pytest.mark.parametrize("flaw", OF_ADDRESSES)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_wrong_address_is_wrong_beside_others(flaw: str, count: int) -> None:
    addresses = tuple(range(count))
    assert all(map(ADDRESS.fullmatch, list_addresses(Start(0, addresses, "source"))))
    wrong = list_addresses(Start(0, addresses, "source", flaw=flaw))
    assert not all(map(ADDRESS.fullmatch, wrong))


def list_addresses(start: Start) -> list[str]:
    request = make_request(start, ACCOUNTS, Names("run", 1, "rtmp://push.invalid/live"))
    addresses: list[str] = request.body["rtmpurl"].split(",")
    return addresses
