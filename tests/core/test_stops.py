"""What a stop ends, and when what it ended is free."""

import pytest

from fakerelay.core.commands import (
    StartPush,
)
from fakerelay.core.model import MIXED
from fakerelay.core.rules import Accepted, Refused, decide
from tests.core.worlds import (
    APPID,
    IN_USE,
    OTHER,
    dump,
    held,
    outcome,
    perform,
    profile,
    start,
    start_mixed,
    stop,
    told,
    world_after,
)


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
