"""Whose addresses, rooms and apps are whose."""

import pytest

from fakerelay.core.changes import CertificatePut
from fakerelay.core.commands import (
    CountCall,
    PutApp,
    PutCertificate,
    RemoveApp,
    ResetApp,
)
from fakerelay.core.model import App, Certificate
from fakerelay.core.rules import Accepted, decide
from fakerelay.core.world import World
from tests.core.test_rules import LIVE
from tests.core.worlds import (
    APPID,
    IN_USE,
    OTHER,
    held,
    outcome,
    perform,
    profile,
    start,
    stop,
    told,
    world_after,
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
