"""Lines of the request log: what they tell, and what they never do."""

import asyncio
import json
import os
from typing import Any, Literal

import pytest

from fakerelay.cli.printer import Printer
from fakerelay.cli.request_log import RequestLog, render_json, render_text
from fakerelay.core import problems
from fakerelay.core.problems import NO_RULE, RuleWarning
from fakerelay.journal import Exchange, FaultMet


def exchange(body: bytes = b"", **changes: Any) -> Exchange:
    made = Exchange("POST", "/app/7/v2/rtmpforward/startrtmp?traceId=t1", 1_700_000_000.25)
    made.appid, made.operation, made.trace_id = 7, "startrtmp", "t1"
    made.status, made.code, made.duration_seconds = 200, 0, 0.00123
    made.keep_body(body)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


BODY = json.dumps(
    {
        "appid": 7,
        "roomid": "room1",
        "uid": "user1",
        "rtmpurl": "rtmp://a/live/x?key=S3CRET,rtmp://me:S3CRET@b/y",
    }
).encode()


def test_text_tells_call_answer_and_task() -> None:
    assert render_text(exchange(BODY)) == (
        "2023-11-14T22:13:20.250Z app=7 startrtmp code=0 rule=- 1.23 ms roomid=room1 uid=user1"
        " rtmpurl=rtmp://a/live/x?key=***,rtmp://me:***@b/y"
    )


def test_text_names_the_rule_and_warnings() -> None:
    refused = exchange(
        problem=problems.task_not_found((7, 2, "u")),
        code=40401,
        warnings=[RuleWarning("trace-id-missing", "one was made up")],
    )
    line = render_text(refused)
    assert " code=40401 rule=stop-running-task " in line
    assert line.endswith(" warnings=trace-id-missing")


def test_warning_of_our_own_is_named_by_its_field() -> None:
    mistyped = exchange(warnings=[RuleWarning(NO_RULE, "no magic name", "rtmpurl")])
    assert render_text(mistyped).endswith(" warnings=rtmpurl")


def test_json_tells_the_same() -> None:
    assert json.loads(render_json(exchange(BODY))) == {
        "event": "request",
        "time": "2023-11-14T22:13:20.250Z",
        "appid": 7,
        "call": "startrtmp",
        "code": 0,
        "rule": None,
        "ms": 1.23,
        "method": "POST",
        "path": "/app/7/v2/rtmpforward/startrtmp",
        "status": 200,
        "traceId": "t1",
        "warnings": [],
        "roomid": "room1",
        "uid": "user1",
        "rtmpurl": "rtmp://a/live/x?key=***,rtmp://me:***@b/y",
    }


def met(fault: str, told: Literal["reply", "part", "nothing"]) -> FaultMet:
    made = FaultMet("fault-1", 0, fault)
    made.told = told
    return made


def test_text_and_json_tell_of_a_fault() -> None:
    lost = exchange(status=None, code=None, fault=met("drop_after_commit", "nothing"))
    assert " code=- rule=- 1.23 ms fault=fault-1/drop_after_commit told=nothing" in render_text(
        lost
    )
    shown = json.loads(render_json(lost))
    assert (shown["status"], shown["code"]) == (None, None)
    assert (shown["fault"], shown["told"]) == ("fault-1/drop_after_commit", "nothing")
    cut = exchange(status=200, code=None, fault=met("truncate", "part"))
    assert render_text(cut).endswith(" fault=fault-1/truncate told=200(part)")
    problem = problems.asked_for("internal_error", {}, "why")
    refused = exchange(code=50001, problem=problem, fault=met("problem", "reply"))
    assert " code=50001 rule=- 1.23 ms fault=fault-1/problem told=200" in render_text(refused)


def test_unknown_path_shows_without_its_query() -> None:
    line = render_text(exchange(target="/x?key=S3CRET", operation=None, appid=None, code=40403))
    assert " app=- POST /x code=40403 " in line
    assert "S3CRET" not in line


ODD_BODIES = {
    "not JSON": b"{",
    "not UTF-8": b"\xff",
    "array": b"[]",
    "deep": b"[" * 100_000,
    "other types": b'{"uid":1,"rtmpurl":["rtmp://a?key=S3CRET"],"roomid":{}}',
    "huge number": b'{"appid":' + b"1" * 5000 + b"}",
}


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES.keys())
def test_body_that_names_nothing_leaves_it_out(body: bytes) -> None:
    line = render_text(exchange(body))
    assert line.endswith(" ms")
    assert json.loads(render_json(exchange(body)))["code"] == 0


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[2Jb", "\ud800", "\x7f", "\u202e", "\u2028"])
def test_what_callers_send_stays_in_its_line(text: str) -> None:
    body = json.dumps({"uid": text}).encode()
    line = render_text(exchange(body))
    assert line.isascii()
    assert line.isprintable()
    assert "\n" not in render_json(exchange(body, trace_id=text))


def test_long_values_are_cut() -> None:
    body = json.dumps({"roomid": "r" * 10_000}).encode()
    assert len(render_text(exchange(body, target="/" + "x" * 9_000, operation=None))) < 6_000


def test_what_is_cut_has_been_masked_before() -> None:
    rtmpurl = f"rtmp://me:{'S3CRET' * 1_000}@a/x"
    assert "S3CRET" not in render_text(exchange(json.dumps({"rtmpurl": rtmpurl}).encode()))


class Paper(Printer):
    """Keeps what is printed, while there is room."""

    def __init__(self) -> None:
        super().__init__(-1)
        self.blocks: list[str] = []
        self.has_room = True

    def print(self, text: str) -> bool:
        if self.has_room:
            self.blocks.append(text)
        return self.has_room


async def test_calls_of_one_turn_are_written_in_order() -> None:
    paper = Paper()
    log = RequestLog("json", paper)
    for trace_id in ("one", "two"):
        log(exchange(trace_id=trace_id))
    assert paper.blocks == []
    await asyncio.sleep(0)
    lines = paper.blocks[0].splitlines()
    assert [json.loads(line)["traceId"] for line in lines] == ["one", "two"]


@pytest.mark.parametrize(
    ("log_format", "told"),
    [
        ("text", "(2 lines left out: nobody read them)"),
        ("json", '{"event": "left_out", "lines": 2}'),
    ],
)
async def test_lines_without_room_are_counted_in_the_next(log_format: str, told: str) -> None:
    paper = Paper()
    log = RequestLog(log_format, paper)
    paper.has_room = False
    for _ in range(2):
        log(exchange())
    await asyncio.sleep(0)
    paper.has_room = True
    log(exchange())
    log.close()
    assert [block.splitlines()[0] for block in paper.blocks] == [told]


def test_printer_keeps_nobody_waiting_for_a_reader() -> None:
    reader, writer = os.pipe()
    printer = Printer(writer, most_waiting=3)
    block = "x" * 70_000  # more than a pipe holds
    taken = [printer.print(block) for _ in range(6)]
    assert taken.count(True) in (3, 4)
    read = b""
    while read.count(b"\n") < taken.count(True):
        read += os.read(reader, 65536)
    printer.close()
    os.close(reader)
    os.close(writer)
    assert read == f"{block}\n".encode() * taken.count(True)
