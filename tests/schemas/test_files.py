"""The files of the schemas, as a whole."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest

from fakerelay.schemas import (
    list_names,
    load_schema,
    read_json,
    rulebook,
)
from tests.schemas.test_calls import START, STOP

SCHEMAS = [
    START,
    STOP,
    "reply",
    "callback",
    "config",
    "profile",
    "rulebook.schema",
    "report",
    "finding",
    "known",
]


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_a_valid_schema(name: str) -> None:
    schema = load_schema(name)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema.Draft202012Validator.check_schema(schema)
    assert jsonschema_rs.meta.is_valid(dict(schema))


def test_schemas_are_all_listed() -> None:
    assert set(list_names("")) == {
        *SCHEMAS,
        "rulebook",
        "faults",
        "magic_addresses",
        "snapshot",
        "scenarios",
    }


def test_unknown_schema_is_no_file() -> None:
    with pytest.raises(FileNotFoundError):
        read_json("startrtmp")


def test_x_rules_are_in_the_book_at_their_level() -> None:
    for name in SCHEMAS:
        for node in find_nodes(load_schema(name)):
            if "x-rule" in node:
                assert rulebook()[node["x-rule"]].level == node["x-level"], node


def find_nodes(value: Any) -> list[Mapping[str, Any]]:
    if isinstance(value, list):
        return [node for item in value for node in find_nodes(item)]
    if not isinstance(value, Mapping):
        return []
    return [value, *(node for item in value.values() for node in find_nodes(item))]


def test_data_files_end_with_a_line_feed() -> None:
    root = Path(__file__).parents[2] / "schemas"
    files = [root / f"{name}.json" for name in (*SCHEMAS, "rulebook")]
    assert all(file.read_text(encoding="utf-8").endswith("}\n") for file in files)
