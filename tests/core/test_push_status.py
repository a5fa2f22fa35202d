"""Push status that is set by hand."""

import pytest

from fakerelay.core.pushes import CONNECTING
from fakerelay.core.rules import Accepted
from fakerelay.core.world import World
from tests.core.worlds import (
    APPID,
    IN_USE,
    dump,
    held,
    outcome,
    perform,
    set_status,
    start,
    stop,
    told,
    world_after,
)


def statuses(world: World, uid: str) -> list[int]:
    task = world.task((APPID, 2, uid))
    assert task is not None
    return [push.status for push in task.pushes]


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
