"""What a start does, and what it is refused for."""

from dataclasses import replace

import pytest

from fakerelay.core.commands import (
    StartPush,
)
from fakerelay.core.fates import TAKEN, Fate
from fakerelay.core.model import MIXED
from fakerelay.core.pushes import CONNECTING
from fakerelay.core.rules import Accepted, Refused, decide
from fakerelay.core.world import World
from tests.core.test_push_status import statuses
from tests.core.worlds import (
    APPID,
    IN_USE,
    OTHER,
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


def fated(uid: str, **fates: Fate) -> StartPush:
    """A start to the addresses `h/NAME`, each with its fate."""
    command = start(uid, *(f"h/{name}" for name in fates))
    keyed = {f"rtmp://h/{name}": fate for name, fate in fates.items()}
    return replace(command, fates=keyed)


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
