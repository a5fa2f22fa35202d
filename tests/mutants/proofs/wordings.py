"""Calls that many proofs have, by short names."""

from base64 import b64encode
from typing import Final

from tests.mutants.calls import Call, mixed, no, source
from tests.mutants.tokens import ACCOUNTS

ONE, TWO = ACCOUNTS


def token(key: str = ONE.certificate_key, name: str = ONE.certificate_id) -> str:
    return "Basic " + b64encode(f"{name}:{key}".encode()).decode()


def bad_key(key: str, call: Call) -> Call:
    return no("token_invalid", call.by(token(key)))


def bad(call: Call) -> Call:
    return no("invalid_parameter", call)


def taken(call: Call) -> Call:
    return no("address_in_use", call)


def at_length(size: int) -> str:
    return "rtmp://h/".ljust(size, "x")


def fill(times: int, room: str = "") -> list[Call]:
    """Source tasks, each in a room of its own unless one is given."""
    return [source(f"f{i}", f"f{i}", room or f"room{i}") for i in range(times)]


def fill_room(times: int) -> list[Call]:
    return [mixed(f"m{i}", f"m{i}") for i in range(times)]


def full(call: Call) -> Call:
    return no("quota_exceeded", call)


UNCLAIMED: Final = source("b", "v")
TEXT: Final = {"Content-Type": "text/plain"}
DUPLICATE: Final = no("duplicate_address", source("a a"))


def same(one: str, two: str) -> list[Call]:
    return [source(one), taken(source(two, "v"))]


def apart(one: str, two: str) -> list[Call]:
    return [source(one), source(two, "v")]


FIVE: Final = fill(5)
