"""What assertions let pass, and what they can't be asked."""

from collections.abc import Callable

import pytest

from fakerelay.errors import FakerelayError
from tests.facts import NOW, Facts, attempt, callback, met, refusal, request, start, stop, task

ANNA = "rtmp://cdn.example.com/live/anna"
BOB = "rtmp://cdn.example.com/live/bob"
ROOMS = [("anna", "room1", 0, 0, 320, 360), ("anna", "room2", 320, 0, 320, 360)]
MIX = task("mix", BOB, mixed=True, tiles=ROOMS)
REFUSED = refusal(40901, "address_in_use", "address-unique")
WARNED = {"rule": None, "detail": "look", "field": None}

Check = Callable[[Facts], object]

HOLDS: dict[str, tuple[Facts, Check]] = {
    "pushing to several": (
        Facts(tasks=[task("anna", ANNA), task("bob", BOB), MIX]),
        lambda facts: facts.assert_pushing(f"{BOB},RTMP://CDN.example.com:1935/live/anna"),
    ),
    "pushing for one of two apps": (
        Facts(tasks=[task("anna", ANNA, status=1), task("anna", ANNA, appid=8)]),
        lambda facts: facts.assert_pushing(ANNA),
    ),
    "stopped by its task": (
        Facts(requests=[start("anna", ANNA), stop("anna")]),
        lambda facts: facts.assert_stopped(ANNA),
    ),
    "stopped by an update": (
        Facts(tasks=[task("anna", BOB)], requests=[start("anna", ANNA), start("anna", BOB)]),
        lambda facts: facts.assert_stopped(ANNA),
    ),
    "stopped by the vendor": (
        Facts(requests=[start("anna", ANNA)], callbacks=[callback("anna", ANNA, 3, trace=None)]),
        lambda facts: facts.assert_stopped(ANNA),
    ),
    "stopped, and only a callback knows": (
        Facts(callbacks=[callback("anna", ANNA, 3, trace=None)]),
        lambda facts: facts.assert_stopped(ANNA),
    ),
    "stopped after a start whose reply was lost": (
        Facts(requests=[start("anna", ANNA, status=None, code=None, **met("drop", {}))]),
        lambda facts: facts.assert_stopped(ANNA),
    ),
    "stopped though much is forgotten": (
        Facts(requests=[start("anna", ANNA), stop("anna")], forgotten=9),
        lambda facts: facts.assert_stopped(ANNA),
    ),
    "stopped after a start with a float for a streamtype": (
        Facts(requests=[request("startrtmp", {"streamtype": 2.0, "uid": "anna", "rtmpurl": ANNA})]),
        lambda facts: facts.assert_stopped(ANNA),
    ),
    "layout": (
        Facts(tasks=[task("mix", BOB, mixed=True, tiles=ROOMS[:1])]),
        lambda facts: facts.assert_layout("mix", {"anna": (0, 0, 320, 360)}),
    ),
    "layout with lists": (
        Facts(tasks=[task("mix", BOB, mixed=True, tiles=ROOMS[:1])]),
        lambda facts: facts.assert_layout("mix", {"anna": [0, 0, 320, 360]}),  # type: ignore[arg-type]
    ),
    "layout of two rooms": (
        Facts(tasks=[MIX]),
        lambda facts: facts.assert_layout(
            "mix", {("anna", "room1"): (0, 0, 320, 360), ("anna", "room2"): (320, 0, 320, 360)}
        ),
    ),
    "layout of one of two apps": (
        Facts(tasks=[MIX, task("mix", BOB, mixed=True, appid=8)]),
        lambda facts: facts.assert_layout("mix", {}, appid=8),
    ),
    "called at all, on the second page": (
        Facts(requests=[start("bob", BOB), start("bob", BOB), start("anna", ANNA)]),
        lambda facts: facts.assert_called("startrtmp", uid="anna"),
    ),
    "called at all, though much is forgotten": (
        Facts(requests=[start("anna", ANNA)], forgotten=3),
        lambda facts: facts.assert_called("startrtmp"),
    ),
    "called with several addresses in another order": (
        Facts(requests=[start("anna", ANNA, BOB)]),
        lambda facts: facts.assert_called("startrtmp", times=1, rtmpurl=[BOB, ANNA]),
    ),
    "called with a field that nobody knows": (
        Facts(requests=[request("startrtmp", {"colour": "red"}), request("startrtmp", "no JSON")]),
        lambda facts: facts.assert_called("startrtmp", times=1, colour="red"),
    ),
    "called without a field": (
        Facts(requests=[start("anna", ANNA), stop("anna", BOB), stop("anna")]),
        lambda facts: [
            facts.assert_called("stoprtmp", times=1, uid="anna", rtmpurl=rtmpurl)
            for rtmpurl in (BOB, None)
        ],
    ),
    "called and decided": (
        Facts(requests=[start("anna", ANNA, status=None, code=None, **met("drop", {}))]),
        lambda facts: facts.assert_called("startrtmp", times=1, code=0, status=None),
    ),
    "called and warned": (
        Facts(requests=[start("anna", ANNA, warnings=[WARNED]), start("anna", ANNA, **REFUSED)]),
        lambda facts: facts.assert_called("startrtmp", times=1, rule=None, accepted=True),
    ),
    "never called": (
        Facts(requests=[start("anna", ANNA)]),
        lambda facts: facts.assert_called("stoprtmp", times=0),
    ),
    "nothing left": (
        Facts(
            callbacks=[
                callback("anna", ANNA, 0, attempts=[attempt(NOW, 500), attempt(NOW)]),
                callback("anna", ANNA, 3, state="dropped"),
            ]
        ),
        lambda facts: facts.assert_no_leftovers(),
    ),
}


@pytest.mark.parametrize("name", HOLDS)
def test_assertion_lets_pass(name: str) -> None:
    facts, check = HOLDS[name]
    check(facts)


WRONG: dict[str, tuple[Check, str]] = {
    "no address": (lambda facts: facts.assert_pushing("http://h/a"), "begins with rtmp://"),
    "an empty address": (lambda facts: facts.assert_stopped(f"{ANNA},"), "Can't use ''"),
    "unknown operation": (
        lambda facts: facts.assert_called("startrtmps"),  # type: ignore[arg-type]  # a mistake
        "did you mean 'startrtmp'",
    ),
    "fewer than never": (
        lambda facts: facts.assert_called("startrtmp", -1),
        "Can't use -1 as 'times'",
    ),
    "a truth for a number": (
        lambda facts: facts.assert_called("startrtmp", True),
        "Can't use True as 'times'",
    ),
    "unknown field": (
        lambda facts: facts.assert_called("stoprtmp", 0, task="a"),
        "did you mean 'taskid'",
    ),
    "unknown rule": (
        lambda facts: facts.assert_called("stoprtmp", 0, rule="unique"),
        "Unknown rule 'unique'",
    ),
    "no address among calls": (
        lambda facts: facts.assert_called("stoprtmp", 0, rtmpurl=[]),
        r"Can't use \[\] as",
    ),
    "a number for an address": (
        lambda facts: facts.assert_called("stoprtmp", 0, rtmpurl=7),
        "Can't use 7 as 'rtmpurl'",
    ),
    "half a place": (
        lambda facts: facts.assert_layout("mix", {"anna": (1, 2)}),  # type: ignore[arg-type]
        "write .x, y, width, height",
    ),
    "a word for a place": (
        lambda facts: facts.assert_layout("mix", {"anna": "wide"}),  # type: ignore[arg-type]
        "Can't use 'wide'",
    ),
    "a uid of two rooms": (
        lambda facts: facts.assert_layout("mix", {"anna": (0, 0, 1, 1)}),
        "of rooms room1 and",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_can_never_hold_is_refused(name: str) -> None:
    check, message = WRONG[name]
    with pytest.raises(FakerelayError, match=message):
        check(Facts(tasks=[MIX]))


def test_same_task_of_two_apps_is_no_guess() -> None:
    facts = Facts(tasks=[MIX, task("mix", BOB, mixed=True, appid=8)])
    with pytest.raises(FakerelayError, match="Apps 7 and 8 run a mixed task 'mix'"):
        facts.assert_layout("mix", {})


def test_calls_that_match_are_answered() -> None:
    facts = Facts(requests=[start("anna", ANNA), stop("anna"), start("anna", BOB)])
    assert [each["number"] for each in facts.assert_called("startrtmp", uid="anna")] == [1, 3]
    assert facts.assert_called("startrtmp", times=0, uid="bob") == []


def test_traceback_ends_at_the_users_line() -> None:
    with pytest.raises(AssertionError) as failure:
        Facts().assert_pushing(ANNA)
    hidden = failure.traceback.filter(failure)
    assert [entry.path for entry in hidden] == [failure.traceback[0].path]
