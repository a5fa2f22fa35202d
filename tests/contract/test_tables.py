"""What the kit can spoil or say differently: each is what it claims to be, by the schemas."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema.validators
import pytest

from fakerelay import schemas
from fakerelay.contract.credentials import CREDENTIALS
from fakerelay.contract.drafts import Account, Names
from fakerelay.contract.drivers import make_request
from fakerelay.contract.faults import FAULTS
from fakerelay.contract.flaws import FLAWS, ORDERS, find_flaw
from fakerelay.contract.operations import Kind, Operation, Start, Stop
from fakerelay.contract.styles import STYLES

ACCOUNT = Account(7, "Cert-one", "Key-One~?>=")
OTHER = Account(8, "Cert-two", "Key-Two+/=")


def find_pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Iterator[Any]:
    """By ECMA 262, as JSON Schema has it: nothing may follow the end, not even a line break."""
    if isinstance(instance, str) and not re.search(pattern.replace("$", r"\Z"), instance):
        yield jsonschema.ValidationError(f"{instance!r} does not match {pattern!r}")


Validator: Any = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, {"pattern": find_pattern}
)
SCHEMAS: Mapping[str, Any] = {
    name: Validator(schemas.load_schema(f"{name}.request")) for name in ("startrtmp", "stoprtmp")
}
# Refused by a schema, as all of `invalid_parameter` is; or by what no schema can say.
UNSAID = ("address-", "rtmpurl-count", "tile-", "input-uid-once", "order-of-checks", "stop-own-")


def operation(name: str, kind: Kind, **parts: Any) -> Operation:
    addresses = (0,)
    return (Start if name == "startrtmp" else Stop)(0, addresses, kind, **parts)


def request_of(wanted: Operation) -> Any:
    return make_request(wanted, {0: ACCOUNT, 1: OTHER}, Names("run", 1, "rtmp://push.invalid/live"))


CASES = [
    pytest.param(name, flawed, kind, id=f"{flawed}, {kind}, {name}")
    for flawed, flaw in {**FLAWS, **ORDERS}.items()
    for name in flaw.operations
    for kind in flaw.kinds
]


@pytest.mark.parametrize(("name", "flawed", "kind"), CASES)
def test_flaw_spoils_what_would_be_right(name: str, flawed: str, kind: Kind) -> None:
    right = request_of(operation(name, kind))
    wrong = request_of(operation(name, kind, flaw=flawed))
    fault = find_flaw(flawed).fault
    SCHEMAS[name].validate(right.body)
    assert (wrong.encode(), wrong.headers, wrong.method, wrong.path) != (
        right.encode(),
        right.headers,
        right.method,
        right.path,
    )
    if fault.problem == "invalid_parameter" and not fault.rule.startswith(UNSAID):
        assert not SCHEMAS[name].is_valid(wrong.body)


@pytest.mark.parametrize("name", CREDENTIALS)
def test_credential_is_not_the_right_one(name: str) -> None:
    wrong = request_of(operation("startrtmp", "source", credential=name))
    assert ("token", ACCOUNT.token) not in wrong.headers


STYLED = [
    pytest.param(name, styled, kind, id=f"{styled}, {kind}, {name}")
    for styled, style in STYLES.items()
    for name in style.operations
    for kind in style.kinds
]


@pytest.mark.parametrize(("name", "styled", "kind"), STYLED)
def test_style_says_it_differently_and_right(name: str, styled: str, kind: Kind) -> None:
    said = request_of(operation(name, kind, style=styled))
    SCHEMAS[name].validate(said.body)
    if styled != "plain":
        plain = request_of(operation(name, kind))
        assert (said.encode(), said.headers, said.target) != (
            plain.encode(),
            plain.headers,
            plain.target,
        )


def test_all_rules_are_in_the_book_and_of_their_level() -> None:
    book = schemas.rulebook()
    marked = [(fault.rule, fault.level) for fault in FAULTS.values()]
    marked += [(style.rule, style.level) for style in STYLES.values()]
    for rule, level in marked:
        assert level == "assumed" or book[rule].level in ("D", "S"), rule
