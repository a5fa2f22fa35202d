"""How much there may be at a time, and how many calls."""

from fakerelay.core.commands import (
    CountCall,
)
from fakerelay.core.model import MIXED
from fakerelay.core.world import World
from tests.core.worlds import (
    APPID,
    OTHER,
    outcome,
    perform,
    profile,
    start,
    start_mixed,
    stop,
    world_after,
)


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
