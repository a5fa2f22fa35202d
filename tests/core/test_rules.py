from dataclasses import replace

import pytest

from fakerelay.core.changes import CertificatePut
from fakerelay.core.commands import (
    CountCall,
    PutApp,
    PutCertificate,
    RemoveApp,
    ResetApp,
    StartPush,
)
from fakerelay.core.fates import TAKEN, Fate
from fakerelay.core.model import MIXED, App, Certificate
from fakerelay.core.pushes import CONNECTING
from fakerelay.core.rules import Accepted, Refused, decide
from fakerelay.core.world import World
from tests.core.worlds import (
    APPID,
    addresses,
    dump,
    held,
    outcome,
    perform,
    profile,
    set_status,
    start,
    start_mixed,
    stop,
    told,
    world_after,
)

IN_USE = ("address_in_use", "address-unique")
OTHER = APPID + 1


def fated(uid: str, **fates: Fate) -> StartPush:
    """A start to the addresses `h/NAME`, each with its fate."""
    command = start(uid, *(f"h/{name}" for name in fates))
    keyed = {f"rtmp://h/{name}": fate for name, fate in fates.items()}
    return replace(command, fates=keyed)


def statuses(world: World, uid: str) -> list[int]:
    task = world.task((APPID, 2, uid))
    assert task is not None
    return [push.status for push in task.pushes]


class TestStart:
    def test_begins_a_task_and_tells_success_for_each_address(self) -> None:
        world = World()
        decision = perform(world, start("u", "h/b", "h/a"), now=5.0)
        assert told(decision) == [("h/b", 0), ("h/a", 0)]
        task = world.task((APPID, 2, "u"))
        assert task is not None
        assert (task.started_at, task.updated_at, task.revision) == (5.0, 5.0, 1)
        assert [(push.status, push.since) for push in task.pushes] == [(0, 5.0), (0, 5.0)]

    def test_events_tell_room_start_and_the_call_that_caused_them(self) -> None:
        decision = perform(World(), start("u", "h/a", room="q", trace="x"), now=5.0)
        assert isinstance(decision, Accepted)
        (event,) = decision.events
        assert (event.key, event.room_id, event.started_at, event.trace_id) == (
            (APPID, 2, "u"),
            "q",
            5.0,
            "x",
        )

    def test_holds_five_addresses(self) -> None:
        world = world_after(start("u", *(f"h/{number}" for number in range(5))))
        assert held(world, "u") == ["h/0", "h/1", "h/2", "h/3", "h/4"]

    @pytest.mark.parametrize("url", ["h/a", "H/a", "h:1935/a"])
    def test_of_an_address_another_task_holds_is_refused(self, url: str) -> None:
        world = world_after(start("u", "h/b", "h/a"))
        decision = decide(world, start("v", "h/c", url), 0.0, profile())
        assert outcome(decision) == IN_USE

    def test_names_the_first_address_in_use_as_the_request_spells_it(self) -> None:
        world = world_after(start("u", "h/a", "h/b"))
        decision = decide(world, start("v", "h/c", "H/b", "h/a"), 0.0, profile())
        assert isinstance(decision, Refused)
        assert decision.problem.facts == {"address": "rtmp://H/b"}

    def test_explains_who_holds_the_address_to_its_own_app_only(self) -> None:
        world = world_after(start("u", "h/a"), now=5.0)
        ours = decide(world, start("v", "h/a"), 9.0, profile())
        assert isinstance(ours, Refused)
        assert ours.problem.explanation["holder"] == {"kind": "source", "name": "u", "since": 5.0}
        theirs = decide(world, start("v", "h/a", appid=OTHER), 9.0, profile())
        assert isinstance(theirs, Refused)
        assert theirs.problem.explanation["holder"] == {"task": "another app's"}
        assert ours.problem.facts == theirs.problem.facts

    def test_source_and_mixed_of_one_name_are_two_tasks(self) -> None:
        world = world_after(start("n", "h/a"), start_mixed("n", "h/b"))
        assert held(world, "n") == ["h/a"]
        assert held(world, "n", kind=MIXED) == ["h/b"]
        assert outcome(decide(world, start_mixed("n", "h/a"), 0.0, profile())) == IN_USE

    def test_one_name_in_two_apps_is_two_tasks(self) -> None:
        world = world_after(start("n", "h/a"), start("n", "h/b", appid=OTHER))
        assert held(world, "n") == ["h/a"]
        assert held(world, "n", appid=OTHER) == ["h/b"]

    def test_one_name_in_two_rooms_is_one_task(self) -> None:
        world = world_after(start("n", "h/a", room="r"))
        decision = decide(world, start("n", "h/b", room="q"), 0.0, profile())
        assert outcome(decision) == ("room_mismatch", "room-fixed")

    def test_names_are_case_sensitive(self) -> None:
        world = world_after(start("n", "h/a"), start("N", "h/b", room="R"))
        assert held(world, "n") == ["h/a"]


class TestUpdate:
    def test_replaces_the_list_and_tells_what_left_before_what_came(self) -> None:
        world = world_after(start("u", "h/a", "h/b", "h/c"), now=1.0)
        decision = perform(world, start("u", "h/d", "h/b", "h/e"), now=2.0)
        assert held(world, "u") == ["h/d", "h/b", "h/e"]
        assert told(decision) == [("h/a", 3), ("h/c", 3), ("h/d", 0), ("h/e", 0)]

    def test_leaves_what_stays_unbroken(self) -> None:
        world = world_after(start("u", "h/a"), set_status("u", "h/a", 1), now=1.0)
        assert told(perform(world, start("u", "h/a", "h/b"), now=2.0)) == [("h/b", 0)]
        task = world.task((APPID, 2, "u"))
        assert task is not None
        assert [(push.status, push.since) for push in task.pushes] == [(1, 1.0), (0, 2.0)]
        assert (task.started_at, task.updated_at, task.revision) == (1.0, 2.0, 3)

    def test_of_nothing_new_tells_nothing(self) -> None:
        world = world_after(start("u", "h/a", "h/b"))
        assert told(perform(world, start("u", "h/b", "h/a"))) == []
        assert held(world, "u") == ["h/b", "h/a"]

    def test_of_the_layout_alone(self) -> None:
        world = world_after(start_mixed("t", "h/a"))
        layout = {"templateid": 3, "output": {}}
        assert told(perform(world, start_mixed("t", "h/a", mixconfig=layout))) == []
        task = world.task((APPID, MIXED, "t"))
        assert task is not None
        assert task.mixconfig == layout

    def test_frees_what_left_at_once(self) -> None:
        world = world_after(start("u", "h/a"), start("u", "h/b"), start("v", "h/a"))
        assert held(world, "v") == ["h/a"]

    def test_takes_over_the_new_spelling(self) -> None:
        world = world_after(start("u", "h/a"), start("u", "H:1935/a"))
        assert told(perform(world, stop("u"))) == [("H:1935/a", 3)]

    def test_with_one_address_taken_changes_nothing(self) -> None:
        world = world_after(start("u", "h/a", "h/b"), start("v", "h/z"))
        before = dump(world)
        assert outcome(perform(world, start("u", "h/b", "h/c", "h/z"))) == IN_USE
        assert dump(world) == before

    def test_swaps_addresses_with_nobody(self) -> None:
        world = world_after(start("u", "h/a"), start("v", "h/b"))
        assert outcome(perform(world, start("u", "h/b"))) == IN_USE
        assert (held(world, "u"), held(world, "v")) == (["h/a"], ["h/b"])

    def test_may_come_as_often_as_wanted(self) -> None:
        world = world_after(*(start("u", f"h/{number}") for number in range(50)))
        assert held(world, "u") == ["h/49"]

    @pytest.mark.parametrize("kind", ["source", "mixed"])
    def test_is_accepted_at_full_quota(self, kind: str) -> None:
        begin = start if kind == "source" else start_mixed
        world = world_after(*(begin(f"n{number}", f"h/{number}") for number in range(5)))
        assert outcome(perform(world, begin("n5", "h/5"))) is not None
        assert outcome(perform(world, begin("n4", "h/4", "h/5"))) is None


class TestStop:
    def test_tells_stopped_for_each_address_and_frees_all(self) -> None:
        world = world_after(start("u", "h/b", "h/a"), now=1.0)
        decision = perform(world, stop("u", trace="x"), now=2.0)
        assert told(decision) == [("h/b", 3), ("h/a", 3)]
        assert isinstance(decision, Accepted)
        assert {(event.started_at, event.trace_id) for event in decision.events} == {(1.0, "x")}
        assert held(world, "u") is None
        assert outcome(perform(world, start("v", "h/a", "h/b"))) is None

    @pytest.mark.parametrize(
        "command",
        [
            stop("v"),
            stop("u", kind=MIXED),
            stop("u", appid=OTHER),
            stop("U"),
            stop("v", "h/a"),
        ],
        ids=["name", "kind", "app", "case", "addresses of another"],
    )
    def test_of_what_does_not_run_is_refused(self, command: object) -> None:
        world = world_after(start("u", "h/a"))
        decision = decide(world, command, 0.0, profile())  # type: ignore[arg-type]
        assert outcome(decision) == ("task_not_found", "stop-running-task")

    def test_twice_is_refused(self) -> None:
        world = world_after(start("u", "h/a"), stop("u"))
        assert outcome(perform(world, stop("u"))) == ("task_not_found", "stop-running-task")

    def test_of_another_room_is_refused(self) -> None:
        world = world_after(start("u", "h/a", room="r"))
        assert outcome(perform(world, stop("u", room="q"))) == ("room_mismatch", "stop-room")

    def test_of_some_addresses_leaves_the_others(self) -> None:
        world = world_after(start("u", "h/a", "h/b", "h/c"), now=1.0)
        decision = perform(world, stop("u", "h/c", "H/a"), now=2.0)
        assert told(decision) == [("h/c", 3), ("H/a", 3)]
        assert held(world, "u") == ["h/b"]
        task = world.task((APPID, 2, "u"))
        assert task is not None
        assert (task.started_at, task.pushes[0].since) == (1.0, 1.0)

    def test_of_some_addresses_frees_them(self) -> None:
        world = world_after(start("u", "h/a", "h/b"), stop("u", "h/a"), start("v", "h/a"))
        assert held(world, "v") == ["h/a"]
        assert outcome(perform(world, start("v", "h/b"))) == IN_USE

    def test_of_the_last_address_ends_the_task(self) -> None:
        world = world_after(start("u", "h/a", "h/b"), stop("u", "h/a"), stop("u", "h/b"))
        assert held(world, "u") is None
        assert world.running_count(APPID) == 0

    def test_of_each_address_ends_the_task(self) -> None:
        world = world_after(start("u", "h/a", "h/b"), stop("u", "h/b", "h/a"))
        assert held(world, "u") is None

    def test_of_an_address_of_another_task_changes_nothing(self) -> None:
        world = world_after(start("u", "h/a", "h/b"), start("v", "h/c"))
        before = dump(world)
        decision = perform(world, stop("u", "h/a", "h/c"))
        assert outcome(decision) == ("address_not_in_task", "stop-own-addresses")
        assert dump(world) == before

    def test_start_after_it_is_a_new_one(self) -> None:
        world = world_after(start("u", "h/a", room="r"), stop("u"), now=1.0)
        decision = perform(world, start("u", "h/a", "h/b", room="q"), now=2.0)
        assert told(decision) == [("h/a", 0), ("h/b", 0)]
        task = world.task((APPID, 2, "u"))
        assert task is not None
        assert (task.started_at, task.revision, task.room_id) == (2.0, 1, "q")


class TestQuota:
    def test_of_an_app_is_counted_in_tasks_of_both_kinds(self) -> None:
        full = profile(concurrent_pushes=3, mixed_tasks_per_room=0)
        five = [f"h/{number}" for number in range(5)]
        commands = (start("u", *five), start_mixed("t1", "h/t1"), start_mixed("t2", "h/t2"))
        world = world_after(*commands, profile=full)
        decision = perform(world, start("v", "h/v"), profile=full)
        assert outcome(decision) == ("quota_exceeded", "concurrent-pushes")
        assert outcome(perform(world, start("v", "h/o", appid=OTHER), profile=full)) is None
        assert outcome(perform(world, stop("u"), profile=full)) is None
        assert outcome(perform(world, start("v", "h/v"), profile=full)) is None

    def test_of_an_app_is_five_by_default(self) -> None:
        world = world_after(*(start(f"u{number}", f"h/{number}") for number in range(5)))
        assert outcome(perform(world, start("v", "h/v"))) is not None

    def test_of_an_app_is_not_freed_by_a_partial_stop(self) -> None:
        full = profile(concurrent_pushes=1)
        world = world_after(start("u", "h/a", "h/b"), stop("u", "h/a"), profile=full)
        assert outcome(perform(world, start("v", "h/v"), profile=full)) is not None

    def test_of_a_room_counts_its_mixed_tasks_only(self) -> None:
        full = profile(concurrent_pushes=0, mixed_tasks_per_room=2)
        commands = (start_mixed("t1", "h/1"), start_mixed("t2", "h/2"), start("u", "h/u"))
        world = world_after(*commands, profile=full)
        decision = perform(world, start_mixed("t3", "h/3"), profile=full)
        assert outcome(decision) == ("room_quota_exceeded", "mixed-tasks-per-room")
        for command in (
            start("v", "h/v"),
            start_mixed("t3", "h/3", room="q"),
            start_mixed("t3", "h/4", appid=OTHER),
            stop("t1", kind=MIXED),
            start_mixed("t4", "h/5"),
        ):
            assert outcome(perform(world, command, profile=full)) is None, command

    def test_of_a_room_is_five_by_default(self) -> None:
        wide = profile(concurrent_pushes=0)
        commands = [start_mixed(f"t{number}", f"h/{number}") for number in range(5)]
        world = world_after(*commands, profile=wide)
        assert outcome(perform(world, start_mixed("t5", "h/5"), profile=wide)) is not None

    def test_of_zero_is_no_limit(self) -> None:
        none = profile(concurrent_pushes=0, mixed_tasks_per_room=0)
        world = world_after(
            *(start_mixed(f"t{number}", f"h/{number}") for number in range(50)), profile=none
        )
        assert world.running_count(APPID) == 50

    def test_lowered_below_what_runs_still_lets_updates_through(self) -> None:
        world = world_after(start("u", "h/a"), start("v", "h/b"))
        low = profile(concurrent_pushes=1)
        assert outcome(perform(world, start("v", "h/c"), profile=low)) is None
        assert outcome(perform(world, start("w", "h/d"), profile=low)) is not None


ALL_BROKEN = profile(concurrent_pushes=1, mixed_tasks_per_room=1, requires_live_room=True)
LIVE = PutApp(App(APPID, "account", live_rooms=(("r", ("u",)), ("q", ()))))
START_ORDER = {
    "room_not_live before all": (start_mixed("t", "h/taken", room="dark"), "room_not_live"),
    "room_mismatch before address_in_use": (
        start_mixed("t", "h/taken", room="q"),
        "room_mismatch",
    ),
    "address_in_use before quotas": (start_mixed("t2", "h/taken"), "address_in_use"),
    "quota_exceeded before the room's": (start_mixed("t2", "h/2"), "quota_exceeded"),
}


@pytest.mark.parametrize(("command", "name"), START_ORDER.values(), ids=START_ORDER.keys())
def test_first_broken_rule_of_a_start_answers(command: StartPush, name: str) -> None:
    world = world_after(LIVE, start_mixed("t", "h/1"), start("u", "h/taken", appid=OTHER))
    decision = decide(world, command, 0.0, ALL_BROKEN)
    assert isinstance(decision, Refused)
    assert decision.problem.name == name


def test_room_quota_answers_last() -> None:
    world = world_after(start_mixed("t", "h/1"))
    decision = decide(world, start_mixed("t2", "h/2"), 0.0, profile(mixed_tasks_per_room=1))
    assert outcome(decision) == ("room_quota_exceeded", "mixed-tasks-per-room")


def test_first_broken_rule_of_a_stop_answers() -> None:
    world = world_after(start("u", "h/a"))
    assert outcome(decide(world, stop("v", "h/x", room="q"), 0.0, profile())) == (
        "task_not_found",
        "stop-running-task",
    )
    assert outcome(decide(world, stop("u", "h/x", room="q"), 0.0, profile())) == (
        "room_mismatch",
        "stop-room",
    )


class TestScope:
    def test_service_keeps_an_address_from_other_apps(self) -> None:
        world = world_after(start("u", "h/a"))
        assert outcome(perform(world, start("u", "h/a", appid=OTHER))) == IN_USE

    def test_app_neither_sees_nor_disturbs_others(self) -> None:
        apart = profile(address_scope="app")
        world = world_after(start("u", "h/a"), start("u", "h/a", appid=OTHER), profile=apart)
        assert outcome(perform(world, start("v", "h/a"), profile=apart)) == IN_USE
        assert outcome(perform(world, start("v", "h/a", appid=OTHER), profile=apart)) == IN_USE
        perform(world, stop("u"), profile=apart)
        assert held(world, "u", appid=OTHER) == ["h/a"]
        assert outcome(perform(world, start("v", "h/a", appid=OTHER), profile=apart)) == IN_USE
        assert outcome(perform(world, start("v", "h/a"), profile=apart)) is None


SLOW = profile(release_seconds=10.0)


class TestRelease:
    @pytest.mark.parametrize(
        "leave", [stop("u"), stop("u", "h/a"), start("u", "h/b")], ids=["stop", "part", "update"]
    )
    def test_keeps_an_address_from_other_tasks_for_a_while(self, leave: StartPush) -> None:
        world = world_after(start("u", "h/a", "h/b"), profile=SLOW)
        perform(world, leave, now=100.0, profile=SLOW)
        for other in (start("v", "h/a"), start_mixed("u", "h/a"), start("u", "h/a", appid=OTHER)):
            assert outcome(decide(world, other, 109.9, SLOW)) == IN_USE, other
            assert outcome(decide(world, other, 110.0, SLOW)) is None, other

    def test_keeps_an_address_from_no_task_that_had_it(self) -> None:
        world = world_after(start("u", "h/a"), stop("u"), start("u", "h/a"), profile=SLOW)
        assert held(world, "u") == ["h/a"]

    def test_ends_when_its_task_takes_the_address_back(self) -> None:
        world = world_after(start("u", "h/a"), stop("u"), start("u", "h/a"), profile=SLOW)
        assert not world.releases("rtmp://h/a")

    def test_keeps_neither_name_nor_quota(self) -> None:
        slow = profile(release_seconds=10.0, concurrent_pushes=1)
        world = world_after(start("u", "h/a"), stop("u"), start("v", "h/b"), profile=slow)
        assert held(world, "v") == ["h/b"]

    def test_explains_when_the_address_is_free(self) -> None:
        world = world_after(start("u", "h/a"), stop("u"), now=100.0, profile=SLOW)
        decision = decide(world, start("v", "h/a"), 105.0, SLOW)
        assert isinstance(decision, Refused)
        assert decision.problem.explanation["holder"] == {"released": True, "free_at": 110.0}

    def test_in_scope_app_is_not_cut_short_by_another_app(self) -> None:
        apart = profile(release_seconds=10.0, address_scope="app")
        world = world_after(start("u", "h/a"), stop("u"), profile=apart)
        assert outcome(perform(world, start("x", "h/a", appid=OTHER), 1.0, apart)) is None
        assert outcome(perform(world, start("v", "h/a"), 2.0, apart)) == IN_USE
        assert outcome(perform(world, start("v", "h/a"), 10.0, apart)) is None

    def test_that_is_over_is_forgotten_though_nobody_claims_its_address(self) -> None:
        world = world_after(start("u", "h/a"), stop("u"), now=0.0, profile=SLOW)
        perform(world, start("v", "h/b"), 10.0, SLOW)
        perform(world, stop("v"), 10.0, SLOW)
        assert not world.releases("rtmp://h/a")
        assert world.releases("rtmp://h/b")

    def test_that_is_over_leaves_nothing_behind(self) -> None:
        world = world_after(start("u", "h/a"), stop("u"), now=0.0, profile=SLOW)
        perform(world, start("v", "h/a"), 10.0, SLOW)
        assert not world.releases("rtmp://h/a")


class TestScopeSwitchedWhileTasksRun:
    def test_task_goes_on_with_an_address_that_another_app_holds_too(self) -> None:
        apart = profile(address_scope="app")
        world = world_after(start("u", "h/a"), start("x", "h/a", appid=OTHER), profile=apart)
        assert outcome(perform(world, start("u", "h/a", "h/b"), 1.0)) is None
        assert outcome(perform(world, start("v", "h/a"), 2.0)) == IN_USE


class TestLiveRoom:
    needed = profile(requires_live_room=True)

    @pytest.mark.parametrize(("room", "is_live"), [("r", True), ("q", True), ("R", False)])
    def test_is_asked_for_by_the_profile(self, room: str, *, is_live: bool) -> None:
        world = world_after(LIVE)
        expected = None if is_live else ("room_not_live", "room-live")
        assert outcome(decide(world, start("u", "h/a", room=room), 0.0, self.needed)) == expected

    def test_of_another_app_does_not_count(self) -> None:
        world = world_after(LIVE, PutApp(App(OTHER, "account")))
        decision = decide(world, start("u", "h/a", appid=OTHER), 0.0, self.needed)
        assert outcome(decision) == ("room_not_live", "room-live")

    def test_is_not_asked_for_by_default(self) -> None:
        assert (
            outcome(decide(world_after(), start("u", "h/a", room="dark"), 0.0, profile())) is None
        )

    def test_is_not_asked_for_by_a_stop(self) -> None:
        world = world_after(start("u", "h/a", room="dark"))
        assert outcome(perform(world, stop("u", room="dark"), profile=self.needed)) is None


class TestRateLimit:
    limited = profile(rate_limit_per_second=2)

    def count(self, world: World, now: float, appid: int = APPID) -> tuple[str, str] | None:
        return outcome(perform(world, CountCall(appid), now, self.limited))

    def test_lets_so_many_calls_through_in_any_one_second(self) -> None:
        world = World()
        assert [self.count(world, now) for now in (0.0, 0.5)] == [None, None]
        assert self.count(world, 0.99) == ("rate_limited", "rate-limit")
        assert self.count(world, 1.0) is None
        assert self.count(world, 1.49) is not None
        assert self.count(world, 1.5) is None

    def test_does_not_count_what_it_refused(self) -> None:
        world = World()
        results = [self.count(world, number / 100) for number in range(100)]
        assert results.count(None) == 2
        assert self.count(world, 1.01) is None

    def test_counting_a_call_is_no_new_revision(self) -> None:
        world = world_after(start("u", "h/a"))
        before = world.revision
        assert self.count(world, 0.0) is None
        assert world.revision == before

    def test_is_each_apps_own(self) -> None:
        world = World()
        assert [self.count(world, 0.0, appid) for appid in (APPID, APPID, OTHER)] == [None] * 3
        assert self.count(world, 0.0) is not None

    def test_is_off_by_default(self) -> None:
        world = World()
        assert {outcome(perform(world, CountCall(APPID))) for _ in range(100)} == {None}


class TestPushStatus:
    @pytest.mark.parametrize("status", [1, 2])
    def test_failure_is_told_without_a_call_and_keeps_the_address(self, status: int) -> None:
        world = world_after(start("u", "h/a", "h/b"), now=1.0)
        decision = perform(world, set_status("u", "h/b", status), now=2.0)
        assert told(decision) == [("h/b", status)]
        assert isinstance(decision, Accepted)
        assert (decision.events[0].started_at, decision.events[0].trace_id) == (1.0, None)
        assert held(world, "u") == ["h/a", "h/b"]
        assert outcome(perform(world, start("v", "h/b"))) == IN_USE

    def test_recovery_is_told(self) -> None:
        world = world_after(start("u", "h/a"), set_status("u", "h/a", 1))
        assert told(perform(world, set_status("u", "h/a", 0))) == [("h/a", 0)]

    @pytest.mark.parametrize("status", [0, 4, -2])
    def test_that_nothing_leads_to_is_told_to_nobody(self, status: int) -> None:
        world = world_after(start("u", "h/a"))
        before = dump(world)
        assert told(perform(world, set_status("u", "h/a", status))) == []
        assert dump(world) == before

    def test_connecting_is_told_to_nobody(self) -> None:
        world = world_after(start("u", "h/a"), set_status("u", "h/a", 1))
        assert told(perform(world, set_status("u", "h/a", CONNECTING))) == []
        assert statuses(world, "u") == [CONNECTING]
        assert told(perform(world, set_status("u", "h/a", 0))) == [("h/a", 0)]

    def test_stopped_lets_go_of_the_address_and_of_a_task_that_has_no_other(self) -> None:
        world = world_after(start("u", "h/a", "h/b"))
        assert told(perform(world, set_status("u", "h/a", 3))) == [("h/a", 3)]
        assert held(world, "u") == ["h/b"]
        perform(world, set_status("u", "h/b", 3))
        assert held(world, "u") is None

    def test_of_what_does_not_run_is_refused(self) -> None:
        world = world_after(start("u", "h/a"), start("v", "h/b"))
        assert outcome(perform(world, set_status("w", "h/a", 1))) is not None
        assert outcome(perform(world, set_status("u", "h/b", 1))) is not None

    def test_of_a_failed_push_is_stopped_like_any_other(self) -> None:
        world = world_after(start("u", "h/a"), set_status("u", "h/a", 2))
        assert told(perform(world, stop("u"))) == [("h/a", 3)]


class TestFates:
    def test_push_that_connects_is_told_once_it_works(self) -> None:
        world = World()
        assert told(perform(world, fated("u", a=Fate(CONNECTING), b=Fate()))) == [("h/b", 0)]
        assert statuses(world, "u") == [CONNECTING, 0]
        assert told(perform(world, set_status("u", "h/a", 0))) == [("h/a", 0)]

    @pytest.mark.parametrize("status", [1, 2])
    def test_push_that_fails_at_once_is_told_with_the_call_that_began_it(self, status: int) -> None:
        world = World()
        decision = perform(world, fated("u", a=Fate(status), b=Fate()))
        assert told(decision) == [("h/a", status), ("h/b", 0)]
        assert isinstance(decision, Accepted)
        assert [event.trace_id for event in decision.events] == ["t", "t"]
        assert statuses(world, "u") == [status, 0]

    def test_of_an_update_are_those_of_what_is_new(self) -> None:
        world = world_after(start("u", "h/a"))
        decision = perform(world, fated("u", a=Fate(1), b=Fate(CONNECTING), c=Fate(2)))
        assert told(decision) == [("h/c", 2)]
        assert statuses(world, "u") == [0, CONNECTING, 2]

    def test_push_that_connects_tells_nothing_but_its_end_when_it_is_stopped(self) -> None:
        world = world_after(fated("u", a=Fate(CONNECTING)))
        assert told(perform(world, stop("u"))) == [("h/a", 3)]

    def test_taken_address_refuses_the_whole_start(self) -> None:
        world = World()
        before = dump(world)
        decision = perform(world, fated("u", a=Fate(1), b=TAKEN))
        assert outcome(decision) == IN_USE
        assert dump(world) == before

    def test_are_handed_on_where_the_start_is_accepted(self) -> None:
        command = fated("u", a=Fate(1))
        decision = decide(World(), command, 0.0, profile())
        assert isinstance(decision, Accepted)
        assert decision.fates == command.fates


class TestApps:
    def test_removal_takes_the_tasks_along_and_tells_nobody(self) -> None:
        world = world_after(
            PutApp(App(APPID, "a")), start("u", "h/a"), start("x", "h/x", appid=OTHER)
        )
        assert told(perform(world, RemoveApp(APPID))) == []
        assert world.app(APPID) is None
        assert [task.key for task in world.tasks()] == [(OTHER, 2, "x")]
        assert outcome(perform(world, start("v", "h/a", appid=OTHER))) is None

    def test_reset_forgets_tasks_releases_and_calls_but_not_the_app(self) -> None:
        limited = profile(release_seconds=10.0, rate_limit_per_second=1, concurrent_pushes=1)
        commands = (PutApp(App(APPID, "a")), start("u", "h/a"), start("u", "h/b"), CountCall(APPID))
        world = world_after(*commands, profile=limited)
        perform(world, ResetApp(APPID), profile=limited)
        assert world.app(APPID) == App(APPID, "a")
        for command in (start("v", "h/a", "h/b"), CountCall(APPID)):
            assert outcome(perform(world, command, profile=limited)) is None

    def test_certificate_is_put(self) -> None:
        certificate = Certificate("c", "k", "account")
        world = World()
        decision = perform(world, PutCertificate(certificate))
        assert decision == Accepted((CertificatePut(certificate),))
        assert list(world.certificates()) == [certificate]


def test_decision_changes_nothing_by_itself() -> None:
    world = world_after(start("u", "h/a", "h/b"))
    before = dump(world)
    for command in (start("v", "h/c"), start("u", "h/c"), stop("u"), set_status("u", "h/a", 1)):
        assert isinstance(decide(world, command, 9.0, SLOW), Accepted)
        assert dump(world) == before


def test_same_question_gets_the_same_answer() -> None:
    world = world_after(start("u", "h/a"))
    command = StartPush((APPID, 2, "v"), "r", addresses("h/a"), None, "t")
    assert decide(world, command, 1.0, profile()) == decide(world, command, 1.0, profile())
