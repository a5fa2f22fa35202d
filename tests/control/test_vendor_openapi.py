"""The document of the vendor API: what it calls valid is valid, and what it tells is so."""

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakerelay.control.vendor_openapi import build_vendor_document
from fakerelay.core.addresses import MOST_ADDRESSES, read_addresses
from fakerelay.core.problems import Problem
from fakerelay.profiles import open_profile
from fakerelay.schemas import compile_validator

START = "/app/{appid}/v2/rtmpforward/startrtmp"
STOP = "/app/{appid}/v2/rtmpforward/stoprtmp"
DOCUMENT = build_vendor_document(open_profile("rest"), [7, 8], ["https://h"])
SCHEMAS = DOCUMENT["components"]["schemas"]


def schema_of(operation: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(SCHEMAS[operation])


def pattern_of(operation: str) -> str:
    pattern: str = SCHEMAS[operation]["oneOf"][0]["properties"]["rtmpurl"]["pattern"]
    return pattern


@given(st.from_regex(pattern_of("startrtmp"), fullmatch=True))
def test_addresses_of_the_pattern_are_addresses(rtmpurl: str) -> None:
    addresses = read_addresses(rtmpurl)
    assert not isinstance(addresses, Problem)
    assert 1 <= len(addresses) <= MOST_ADDRESSES


COMMON = {"appid": 7, "roomid": "r", "rtmpurl": "rtmp://h/a"}
MIXED = {
    **COMMON,
    "streamtype": 1,
    "taskid": "t",
    "mixconfig": {"templateid": 1, "output": {"width": 640}},
}
SOURCE = {**COMMON, "streamtype": 2, "uid": "u"}


@pytest.mark.parametrize(
    ("body", "is_valid"),
    [
        (MIXED, True),
        (SOURCE, True),
        ({**SOURCE, "taskid": 5, "colour": 1}, True),
        ({**SOURCE, "appid": 9}, False),
        ({**SOURCE, "streamtype": 1}, False),
        ({**SOURCE, "rtmpurl": "http://h"}, False),
        ({**SOURCE, "uid": "a b"}, False),
        ({**MIXED, "mixconfig": {"output": {}}}, False),
        ({**MIXED, "mixconfig": {"templateid": 1}}, False),
        ({**MIXED, "mixconfig": {"templateid": 1, "output": {"width": 17}}}, False),
    ],
)
def test_bodies_are_judged_as_the_server_judges_them(
    body: dict[str, object], is_valid: bool
) -> None:
    assert schema_of("startrtmp").is_valid(body) is is_valid
    if is_valid:
        compile_validator("startrtmp.request").validate(body)


@pytest.mark.parametrize("path", [START, STOP])
def test_examples_are_valid(path: str) -> None:
    content = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    operation = path.rpartition("/")[2]
    for example in content["examples"].values():
        schema_of(operation).validate(example["value"])


def test_statuses_are_those_of_the_profile() -> None:
    replies = DOCUMENT["paths"][START]["post"]["responses"]
    assert "40901 address_in_use" in replies["409"]["description"]
    assert "task_not_found" not in str(replies)
    assert "task_not_found" in str(DOCUMENT["paths"][STOP]["post"]["responses"]["404"])
    default = build_vendor_document(open_profile("default"), [7], [])
    assert list(default["paths"][START]["post"]["responses"]) == ["200", "404", "405", "413"]


def test_profile_and_apps_shape_the_document() -> None:
    profile = open_profile("default", {"legacy_paths": True, "taskid_style": "alphanumeric20"})
    document = build_vendor_document(profile, [], [])
    assert "/app/{appid}/v1/recordoss/startrtmp" in document["paths"]
    mixed = document["components"]["schemas"]["startrtmp"]["oneOf"][0]["properties"]
    assert mixed["taskid"]["pattern"] == "^[A-Za-z0-9]{1,20}$"
    assert "enum" not in mixed["appid"]
