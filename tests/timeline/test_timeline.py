"""The report of a failed test over made-up facts: what is folded, left out, waited for, hidden."""

import pytest

from fakerelay.timeline import collect, render_timeline
from tests.facts import (
    NOW,
    Facts,
    Json,
    attempt,
    callback,
    met,
    plan,
    refusal,
    request,
    start,
    stop,
    task,
)

ANNA = "rtmp://cdn.example.com/live/anna"
SHORT = "rtmp://h/a"
BOB = "rtmp://cdn.example.com/live/bob"
TAKEN = refusal(40901, "address_in_use", "address-unique")


def tell(facts: Facts, *, most_lines: int = 40) -> list[str]:
    return render_timeline(collect(facts.control), most_lines=most_lines).splitlines()


def events(facts: Facts, *, most_lines: int = 40) -> list[str]:
    lines = tell(facts, most_lines=most_lines)
    return lines[lines.index("What happened, in seconds from the first:") + 1 :]


def test_world_without_events_says_so() -> None:
    assert tell(Facts()) == [
        "World w: app 7 (callbacks go to http://127.0.0.1:9/cb)",
        "  clock frozen, now +0.000; +0.000 is 2023-11-14T22:13:20.000Z",
        "No task running at the end",
        "Nothing was asked of it, and nothing happened.",
    ]


def test_tasks_are_told_with_what_is_to_come() -> None:
    made = task("anna", f"{ANNA}?key=s3cret", status=-1)
    due = {"status": 0, "status_name": "pushing", "due_at": NOW + 2}
    made["pushes"][0]["scheduled"] = [due]
    assert tell(Facts(tasks=[made]))[2:4] == [
        "1 task running at the end:",
        "  source task 'anna' of room 'room1': rtmp://cdn.example.com/live/anna?key=*** connecting"
        " since",
    ]
    assert tell(Facts(tasks=[made]))[4] == "    +0.000, to be pushing at +2.000"


def test_only_the_newest_of_many_tasks_are_told() -> None:
    lines = tell(Facts(tasks=[task(f"u{n}", ANNA) for n in range(12)]))
    assert lines[2] == "12 tasks running at the end:"
    assert [line[2:20] for line in lines[3:5]] == ["source task 'u2' o", "source task 'u3' o"]
    assert lines[13] == "  and 2 older ones"


def test_requests_are_told_in_order_of_time() -> None:
    told = events(Facts(requests=[start("anna", ANNA, at=1), stop("anna", at=3.5)]))
    assert told == [
        f"  +0.000  startrtmp accepted: source task 'anna', room 'room1', {ANNA}",
        "  +2.500  stoprtmp accepted: source task 'anna', room 'room1'",
        f"            stops {ANNA}",
    ]


def test_storm_is_folded() -> None:
    storm = [start("bob", ANNA, at=n / 10, **TAKEN) for n in range(57)]
    told = events(Facts(requests=[start("anna", ANNA), *storm]))
    assert [line[:62] for line in told if line[2] == "+"] == [
        "  +0.000  startrtmp accepted: source task 'anna', room 'room1'",
        "  +0.000  57 times until +5.600: startrtmp refused, 40901 addr",
    ]


def test_what_comes_in_turns_is_folded() -> None:
    calls: list[Json] = []
    for n in range(5):
        calls += [start("anna", ANNA, at=n), stop("anna", at=n + 0.5)]
    told = events(Facts(requests=calls))
    assert told == [
        f"  +0.000  startrtmp accepted: source task 'anna', room 'room1', {ANNA}",
        "  +0.500  stoprtmp accepted: source task 'anna', room 'room1'",
        f"            stops {ANNA}",
        "            (these 2 came 5 times, until +4.500)",
    ]


def test_flapping_is_folded_whatever_the_callbacks_numbers() -> None:
    flaps = [callback("anna", ANNA, (n + 1) % 2, at=10 * (n + 1), trace=None) for n in range(8)]
    told = events(Facts(requests=[start("anna", ANNA)], callbacks=flaps))
    assert told[-1].strip() == "(these 2 came 4 times, until +80.000)"


def test_only_the_newest_is_told() -> None:
    calls = [start(f"u{n}", BOB, **TAKEN) for n in range(30)]
    told = events(Facts(requests=calls, forgotten=4), most_lines=5)
    assert told[0] == "  (8 older requests and callbacks are forgotten)"
    assert told[1] == "  (29 refused calls left out)"
    assert "source task 'u29'" in told[2]
    assert len(told) <= 2 + 5


def test_trouble_is_told_before_what_is_dull() -> None:
    lives = [[start(f"u{n}", BOB, at=n + 1), stop(f"u{n}", at=n + 1.5)] for n in range(60)]
    dull = [each for life in lives for each in life]
    spoiled = start("dora", BOB, at=0.5, status=None, code=None, **met("drop"))
    told = events(Facts(requests=[start("anna", BOB, **TAKEN), spoiled, *dull]))
    assert "startrtmp refused, 40901" in told[1]
    assert any("fault drop" in line for line in told[1:6])
    assert any("source task 'u59'" in line for line in told[-4:])
    assert told[0].endswith("accepted calls left out)")
    assert len(told) <= 41


def test_one_event_is_told_however_long() -> None:
    assert len(events(Facts(requests=[start("bob", BOB, **TAKEN)]), most_lines=1)) > 1


def test_callback_is_told_until_it_was_taken() -> None:
    posts = [attempt(NOW, 500, answer="oops"), attempt(NOW + 1, None), attempt(NOW + 3)]
    told = events(
        Facts(
            requests=[start("anna", SHORT)], callbacks=[callback("anna", SHORT, 0, attempts=posts)]
        )
    )
    assert told[1:] == [
        f"  +0.000  callback 1 answered HTTP 500 'oops': {SHORT} pushing (source task 'anna')",
        "  +1.000  callback 1 again not delivered, No connection",
        "  +3.000  callback 1 again delivered",
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"attempts": [], "state": "pending"}, ["not posted", "pending"]),
        ({"attempts": [], "state": "pending", "in_flight": True}, ["posted, no answer yet"]),
        ({"attempts": [], "state": "pending", "held": True}, ["not posted", "held until it is"]),
        (
            {"attempts": [], "state": "pending", "next_attempt_at": NOW + 9},
            ["not posted", "pending, next attempt due at +9.000"],
        ),
        (
            {"attempts": [], "state": "dropped", "fault": "drop", "plan": "p"},
            ["not posted", "fault drop (plan p)", "dropped: no reason given"],
        ),
        (
            {"state": "failed", "reason": "given up", "attempts": [attempt(NOW, 404)]},
            ["HTTP 404", "failed: given up"],
        ),
        (
            {
                "fault": "delay",
                "plan": "p",
                "attempts": [attempt(NOW + 5, cause="delay", plan="p")],
            },
            ["posted later", "fault delay (plan p)", "callback 1 now delivered (delay of plan p)"],
        ),
    ],
    ids=["pending", "in flight", "held", "delayed", "dropped", "failed", "late"],
)
def test_callback_that_fares_otherwise_says_how(changes: Json, told: list[str]) -> None:
    lines = events(Facts(callbacks=[callback("anna", SHORT, 0, **changes)]))
    assert len(lines) == len(told)
    assert all(each in line for each, line in zip(told, lines, strict=True)), lines


def test_callback_waits_for_the_one_before() -> None:
    pending = [callback("anna", ANNA, n, state="pending", attempts=[]) for n in range(2)]
    other = callback("bob", BOB, 0, state="pending", attempts=[])
    told = events(Facts(callbacks=[*pending, other]))
    assert [line.strip() for line in told if line[2] == " "] == [
        "pending",
        "pending, waits for callback 1",
        "pending",
    ]


def test_callbacks_follow_their_calls_though_time_stands_still() -> None:
    facts = Facts(
        requests=[start("anna", ANNA, traceid="t1"), stop("anna", traceid="t2")],
        callbacks=[
            callback("anna", ANNA, 0, trace="t1"),
            callback("anna", ANNA, 1, trace=None),
            callback("anna", ANNA, 3, trace="t2"),
        ],
    )
    told = [line[10:].split(" (")[0] for line in events(facts) if line[2] == "+"]
    assert [line.partition(":")[0] for line in told] == [
        "startrtmp accepted",
        "callback 1 delivered",
        "callback 2 delivered",
        "stoprtmp accepted",
        "callback 3 delivered",
    ]
    assert told[2] == f"callback 2 delivered: {ANNA} cdn_failed, without a call"


def test_fault_tells_what_was_done_and_what_was_told() -> None:
    lost = start("anna", ANNA, status=None, code=None, **met("drop", {}))
    told = tell(Facts(requests=[lost], faults=[plan("drop", 1)]))
    assert "  fault-1, on call: step 0 drop met 1 of 1" in told
    assert told[-2:] == [
        "  +0.000  startrtmp got no reply by fault drop (plan fault-1, step 0), done: source task"
        " 'anna',",
        f"            room 'room1', {ANNA}",
    ]


@pytest.mark.parametrize(
    ("times", "told"),
    [
        (0, ["  fault-1, on call: step 0 hang never met"]),
        (
            1,
            [
                "  fault-1, on call: step 0 hang met 1 of 2",
                "    1 call that met it not in the journal: still under way?",
            ],
        ),
    ],
    ids=["never", "under way"],
)
def test_plan_tells_how_often_it_was_met(times: int, told: list[str]) -> None:
    lines = tell(Facts(faults=[plan("hang", times, of=2)]))
    assert lines[3 : 4 + len(told)] == ["Fault plans:", *told]


def test_update_tells_what_it_leaves() -> None:
    told = events(Facts(requests=[start("anna", ANNA), start("anna", BOB)]))
    assert told[2:] == [
        f"            accepted as an update of the running task; starts {BOB}; stops",
        f"              {ANNA}",
    ]


def test_body_that_is_none_is_told_as_that() -> None:
    told = events(Facts(requests=[request("startrtmp", "{", status=200, code=40001)]))
    assert told == ["  +0.000  startrtmp told, code 40001: a body that is no JSON object"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"streamtype": [1], "rtmpurl": None},
        {"streamtype": 1, "taskid": {"a": [1]}, "roomid": 7, "rtmpurl": [ANNA, 3]},
        {"streamtype": 2.0, "uid": None, "rtmpurl": ""},
        {"streamtype": True, "taskid": "mix", "rtmpurl": "rtmp://h/?k='s3cret' s3cret,rtmp://h"},
    ],
    ids=["nothing", "no kind", "odd values", "no name", "quotes"],
)
def test_whatever_was_sent_is_told(body: Json) -> None:
    facts = Facts(requests=[request(name, body) for name in ("startrtmp", "stoprtmp", None)])
    assert "startrtmp accepted" in events(facts)[0]
    assert "s3cret" not in "\n".join(events(facts))
    assert len(facts.assert_called("stoprtmp", times=1)) == 1


def test_what_callers_send_stays_in_its_line_and_secrets_stay_out() -> None:
    name = "a\n\x1b[2J\u202e"
    address = "rtmp://me:s3cret@h/a?key=s3cret"
    hostile = start(name, address, **refusal(40002, "invalid_parameter", "uid-form", value=name))
    strange = request(None, "", method="GET", target="/\n?token=s3cret", status=404, code=None)
    text = "\n".join(tell(Facts(tasks=[task(name, address)], requests=[hostile, strange])))
    assert text.isascii()
    assert all(line.isprintable() for line in text.splitlines())
    assert "s3cret" not in text
