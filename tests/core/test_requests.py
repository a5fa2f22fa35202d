from collections.abc import Mapping
from typing import Any

import pytest

from fakerelay.core.commands import StartPush, StopPush
from fakerelay.core.model import MIXED, SOURCE
from fakerelay.core.problems import Problem
from fakerelay.core.requests import START, STOP, find_warnings, read_start, read_stop
from tests.core.worlds import APPID, DEFAULT, profile

CALL = (APPID, "trace", DEFAULT)
STRICT = (APPID, "trace", profile(taskid_style="alphanumeric20"))

SOURCE_BODY: Mapping[str, Any] = {
    "appid": APPID,
    "roomid": "r",
    "rtmpurl": "rtmp://h/a,rtmp://h/b",
    "streamtype": 2,
    "uid": "u",
}
MIXED_BODY: Mapping[str, Any] = {
    "appid": APPID,
    "roomid": "r",
    "rtmpurl": "rtmp://h/a",
    "streamtype": 1,
    "taskid": "t",
    "mixconfig": {"templateid": 1, "output": {}},
}
STOP_BODY: Mapping[str, Any] = {"appid": APPID, "roomid": "r", "streamtype": 2, "uid": "u"}


def started(**changes: Any) -> StartPush | Problem:
    return read_start({**SOURCE_BODY, **changes}, *CALL)


def mixed(**changes: Any) -> StartPush | Problem:
    return read_start({**MIXED_BODY, **changes}, *CALL)


def stopped(**changes: Any) -> StopPush | Problem:
    return read_stop({**STOP_BODY, **changes}, *CALL)


def rule_of(command: StartPush | StopPush | Problem) -> str | None:
    return command.rule if isinstance(command, Problem) else None


def test_start_of_a_source_is_read() -> None:
    command = started()
    assert isinstance(command, StartPush)
    assert (command.key, command.room_id, command.mixconfig) == ((APPID, SOURCE, "u"), "r", None)
    assert [address.spelled for address in command.addresses] == ["rtmp://h/a", "rtmp://h/b"]
    assert command.trace_id == "trace"


def test_start_of_a_mixed_task_is_read() -> None:
    command = mixed()
    assert isinstance(command, StartPush)
    assert (command.key, command.mixconfig) == ((APPID, MIXED, "t"), MIXED_BODY["mixconfig"])


def test_stop_is_read() -> None:
    command = stopped()
    assert isinstance(command, StopPush)
    assert (command.key, command.room_id, command.addresses) == ((APPID, SOURCE, "u"), "r", None)


def test_stop_of_some_addresses_is_read() -> None:
    command = stopped(rtmpurl="rtmp://h/b,rtmp://h/a")
    assert isinstance(command, StopPush)
    assert command.addresses is not None
    assert [address.spelled for address in command.addresses] == ["rtmp://h/b", "rtmp://h/a"]


@pytest.mark.parametrize("number", [SOURCE, float(SOURCE)])
def test_whole_float_names_the_same_task_as_an_integer(number: float) -> None:
    command = started(streamtype=number, appid=float(APPID))
    assert isinstance(command, StartPush)
    assert repr(command.key) == repr((APPID, SOURCE, "u"))


def test_fields_of_the_other_kind_are_ignored_unchecked() -> None:
    command = started(taskid=["no", "string"], mixconfig="no object")
    assert isinstance(command, StartPush)
    assert (command.key, command.mixconfig) == ((APPID, SOURCE, "u"), None)
    command = mixed(uid={"no": "string"})
    assert isinstance(command, StartPush)
    assert command.key == (APPID, MIXED, "t")


TILE_OUTSIDE = {"input": [{"uid": "u", "x": 999}], "output": {}}
START_ORDER = {
    "address before appid": ({"rtmpurl": "http://h", "appid": 1}, "address-scheme"),
    "address before a repeated one": ({"rtmpurl": "rtmp://h,rtmp://h,x"}, "address-scheme"),
    "count before a repeated one": ({"rtmpurl": ",".join(["rtmp://h"] * 6)}, "rtmpurl-count"),
    "address before tiles": ({"rtmpurl": "x", "mixconfig": TILE_OUTSIDE}, "address-scheme"),
    "tiles before appid": ({"appid": 1, "mixconfig": TILE_OUTSIDE}, "tile-in-canvas"),
    "tiles before a repeated address": (
        {"rtmpurl": "rtmp://h,rtmp://h", "mixconfig": TILE_OUTSIDE},
        "tile-in-canvas",
    ),
    "appid before a repeated address": (
        {"appid": 1, "rtmpurl": "rtmp://h,rtmp://h"},
        "appid-matches-path",
    ),
    "a repeated address": ({"rtmpurl": "rtmp://h,rtmp://h"}, "address-once"),
}


@pytest.mark.parametrize(("changes", "rule"), START_ORDER.values(), ids=START_ORDER.keys())
def test_first_broken_check_of_a_start_answers(changes: dict[str, Any], rule: str) -> None:
    assert rule_of(mixed(**changes)) == rule


STOP_ORDER = {
    "address before appid": ({"rtmpurl": "x", "appid": 1}, "address-scheme"),
    "six": ({"rtmpurl": ",".join(f"rtmp://{n}" for n in range(6))}, "rtmpurl-count"),
    "appid before a repeated address": (
        {"appid": 1, "rtmpurl": "rtmp://h,rtmp://h"},
        "appid-matches-path",
    ),
    "a repeated address": ({"rtmpurl": "rtmp://h,rtmp://h"}, "address-once"),
}


@pytest.mark.parametrize(("changes", "rule"), STOP_ORDER.values(), ids=STOP_ORDER.keys())
def test_first_broken_check_of_a_stop_answers(changes: dict[str, Any], rule: str) -> None:
    assert rule_of(stopped(**changes)) == rule


@pytest.mark.parametrize("appid", [APPID + 1, 0, 2**64 - 1, APPID + 1.0])
def test_appid_of_the_body_is_that_of_the_path(appid: float) -> None:
    for problem in (started(appid=appid), stopped(appid=appid)):
        assert isinstance(problem, Problem)
        assert problem.name == "appid_mismatch"
        assert problem.facts == {"appid": str(int(appid)), "path_appid": str(APPID)}


def test_largest_appid_is_compared_exactly() -> None:
    call = (2**64 - 1, "trace", DEFAULT)
    assert isinstance(read_start({**SOURCE_BODY, "appid": 2**64 - 1}, *call), StartPush)
    assert isinstance(read_start({**SOURCE_BODY, "appid": 2**64 - 2}, *call), Problem)


TWICE = {
    "exactly": "rtmp://h/a,rtmp://h/a",
    "by case": "rtmp://h/a,RTMP://H/a",
    "by default port": "rtmps://h/a,rtmps://h:443/a",
    "first and last": "rtmp://h/a,rtmp://h/b,rtmp://h/c,rtmp://h/d,rtmp://H/a",
}


@pytest.mark.parametrize("rtmpurl", TWICE.values(), ids=TWICE.keys())
def test_address_twice_is_refused_as_the_second_spells_it(rtmpurl: str) -> None:
    for problem in (started(rtmpurl=rtmpurl), mixed(rtmpurl=rtmpurl), stopped(rtmpurl=rtmpurl)):
        assert isinstance(problem, Problem)
        assert (problem.name, problem.rule) == ("duplicate_address", "address-once")
        assert problem.facts == {"address": rtmpurl.split(",")[-1]}


@pytest.mark.parametrize(
    ("taskid", "is_fine"),
    [("a" * 20, True), ("A1", True), ("a" * 21, False), ("a_b", False), ("a-b", False)],
)
def test_stricter_taskid_is_the_profiles_option(taskid: str, *, is_fine: bool) -> None:
    body = {**MIXED_BODY, "taskid": taskid}
    assert isinstance(read_start(body, *CALL), StartPush)
    assert rule_of(read_start(body, *STRICT)) == (None if is_fine else "taskid-style")
    assert rule_of(read_stop(body, *STRICT)) == (None if is_fine else "taskid-style")


def test_stricter_taskid_says_nothing_of_a_uid() -> None:
    assert rule_of(read_start({**SOURCE_BODY, "uid": "u" * 64, "taskid": "_"}, *STRICT)) is None


LONG = "rtmp://h/".ljust(257, "a")
START_WARNINGS: dict[str, tuple[Mapping[str, Any], list[tuple[str, str]]]] = {
    "nothing": (SOURCE_BODY, []),
    "nothing of a mixed task": (MIXED_BODY, []),
    "unknown field": ({**SOURCE_BODY, "zzz": 1}, [("field-unknown", "zzz")]),
    "unknown fields": (
        {**SOURCE_BODY, "zzz": 1, "Uid": 1, "": 1},
        [("field-unknown", ""), ("field-unknown", "Uid"), ("field-unknown", "zzz")],
    ),
    "mixed fields of a source": (
        {**SOURCE_BODY, "taskid": 1, "mixconfig": 1},
        [("field-ignored", "mixconfig"), ("field-ignored", "taskid")],
    ),
    "uid of a mixed task": ({**MIXED_BODY, "uid": 1}, [("field-ignored", "uid")]),
    "256 bytes": ({**SOURCE_BODY, "rtmpurl": LONG[:-1]}, []),
    "257 bytes": ({**SOURCE_BODY, "rtmpurl": LONG}, [("address-over-256", "rtmpurl")]),
    "two of 257 bytes": (
        {**SOURCE_BODY, "rtmpurl": f"{LONG},{LONG[:-1]}b"},
        [("address-over-256", "rtmpurl")] * 2,
    ),
    "nine inputs": (
        {**MIXED_BODY, "mixconfig": {"input": [{"uid": f"{n}"} for n in range(9)], "output": {}}},
        [],
    ),
    "ten inputs": (
        {**MIXED_BODY, "mixconfig": {"input": [{"uid": f"{n}"} for n in range(10)], "output": {}}},
        [("inputs-over-nine", "mixconfig.input")],
    ),
    "unknown fields of the mixconfig": (
        {
            **MIXED_BODY,
            "mixconfig": {"zzz": 1, "input": [{"uid": "u", "zzz": 1}], "output": {"zzz": 1}},
        },
        [
            ("field-unknown", "mixconfig.zzz"),
            ("field-unknown", "mixconfig.output.zzz"),
            ("field-unknown", "mixconfig.input[0].zzz"),
        ],
    ),
    "unknown fields of a source's mixconfig": (
        {**SOURCE_BODY, "mixconfig": {"zzz": 1}},
        [("field-ignored", "mixconfig")],
    ),
}


@pytest.mark.parametrize(("body", "expected"), START_WARNINGS.values(), ids=START_WARNINGS.keys())
def test_start_is_accepted_with_warnings(
    body: Mapping[str, Any], expected: list[tuple[str, str]]
) -> None:
    command = read_start(body, *CALL)
    assert isinstance(command, StartPush), command
    warnings = find_warnings(START, body, command)
    assert [(warning.rule, warning.field) for warning in warnings] == expected


STOP_WARNINGS: dict[str, tuple[Mapping[str, Any], list[tuple[str, str]]]] = {
    "nothing": (STOP_BODY, []),
    "addresses": ({**STOP_BODY, "rtmpurl": "rtmp://h/a"}, []),
    "a long address": ({**STOP_BODY, "rtmpurl": LONG}, [("address-over-256", "rtmpurl")]),
    "unknown field": ({**STOP_BODY, "zzz": 1}, [("field-unknown", "zzz")]),
    "taskid of a source": ({**STOP_BODY, "taskid": 1}, [("field-ignored", "taskid")]),
}


@pytest.mark.parametrize(("body", "expected"), STOP_WARNINGS.values(), ids=STOP_WARNINGS.keys())
def test_stop_is_accepted_with_warnings(
    body: Mapping[str, Any], expected: list[tuple[str, str]]
) -> None:
    command = read_stop(body, *CALL)
    assert isinstance(command, StopPush), command
    warnings = find_warnings(STOP, body, command)
    assert [(warning.rule, warning.field) for warning in warnings] == expected
