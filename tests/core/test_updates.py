"""What a start does to a task that runs."""

import pytest

from fakerelay.core.model import MIXED
from tests.core.worlds import (
    APPID,
    IN_USE,
    dump,
    held,
    outcome,
    perform,
    set_status,
    start,
    start_mixed,
    stop,
    told,
    world_after,
)


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
