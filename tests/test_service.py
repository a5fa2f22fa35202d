from base64 import b64encode
from collections.abc import Sequence

import pytest

from fakerelay.clock import WorldClock
from fakerelay.core.commands import PutApp, PutCertificate
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.model import App, Certificate
from fakerelay.core.problems import Problem
from fakerelay.core.profile import Profile
from fakerelay.core.rules import Accepted, Refused
from fakerelay.ports import OpenGate
from fakerelay.service import Service
from fakerelay.stores import open_store
from tests.core.worlds import APPID, DEFAULT, profile, set_status, start, stop


class Heard:
    """Takes down what is emitted."""

    def __init__(self) -> None:
        self.emitted: list[tuple[list[int], float, str]] = []
        self.is_open = False

    def emit(
        self, events: Sequence[PushStatusChanged], at: float, profile: Profile
    ) -> OpenGate | None:
        self.emitted.append(([event.status for event in events], at, profile.name))
        return self

    @property
    def wait_first(self) -> None:
        return None

    def __call__(self) -> None:
        self.is_open = True


def make(profile: Profile = DEFAULT) -> tuple[Service, Heard, WorldClock]:
    heard, clock = Heard(), WorldClock("frozen", 100.0)
    return Service(open_store(), clock, profile, heard.emit), heard, clock


def basic(credentials: str) -> str:
    return "Basic " + b64encode(credentials.encode()).decode()


async def make_certified(profile: Profile = DEFAULT) -> Service:
    service, _, _ = make(profile)
    await service.apply(PutApp(App(APPID, "account")))
    await service.apply(PutCertificate(Certificate("c", "k", "account")))
    await service.apply(PutCertificate(Certificate("o", "k", "other")))
    return service


async def test_accepted_command_is_written_stamped_and_told() -> None:
    service, heard, clock = make()
    await clock.advance(5)
    applied = await service.apply(start("u", "h/a", "h/b"))
    assert isinstance(applied.decision, Accepted)
    task = service.view.task((APPID, 2, "u"))
    assert task is not None
    assert task.started_at == 105.0
    assert heard.emitted == [([0, 0], 105.0, "default")]


async def test_what_a_call_caused_waits_for_its_gate() -> None:
    service, heard, _ = make()
    applied = await service.apply(start("u", "h/a"))
    assert not heard.is_open
    assert applied.open_gate is not None
    applied.open_gate()
    assert heard.is_open


async def test_refused_command_is_told_to_nobody() -> None:
    service, heard, _ = make()
    applied = await service.apply(stop("u"))
    assert isinstance(applied.decision, Refused)
    assert applied.open_gate is None
    assert heard.emitted == []


async def test_command_without_events_is_told_to_nobody() -> None:
    service, heard, _ = make()
    for command in (start("u", "h/a"), start("u", "h/a"), set_status("u", "h/a", 0)):
        await service.apply(command)
    assert [statuses for statuses, _, _ in heard.emitted] == [[0]]


async def test_profile_in_force_is_the_one_set_last() -> None:
    service, heard, _ = make()
    await service.apply(start("u", "h/a"))
    service.profile = profile(name="mine", concurrent_pushes=1)
    assert isinstance((await service.apply(start("v", "h/b"))).decision, Refused)
    await service.apply(stop("u"))
    assert heard.emitted[-1][2] == "mine"


AUTHORIZED = {
    "right": (basic("c:k"), APPID, None),
    "no token": (None, APPID, "token_missing"),
    "malformed": ("Basic", APPID, "token_malformed"),
    "wrong key": (basic("c:x"), APPID, "token_invalid"),
    "another account's app": (basic("o:k"), APPID, "app_forbidden"),
    "no such app": (basic("c:k"), 999, "app_forbidden"),
    "wrong key and no such app": (basic("c:x"), 999, "token_invalid"),
}


@pytest.mark.parametrize(("token", "appid", "name"), AUTHORIZED.values(), ids=AUTHORIZED.keys())
async def test_token_is_authorized(token: str | None, appid: int, name: str | None) -> None:
    authorized = (await make_certified()).authorize(token, appid)
    if name is None:
        assert authorized == Certificate("c", "k", "account")
    else:
        assert isinstance(authorized, Problem)
        assert authorized.name == name


async def test_authorization_changes_nothing() -> None:
    service = await make_certified()
    before = service.view.revision
    for token in (basic("c:k"), basic("c:x"), None):
        service.authorize(token, APPID)
    assert service.view.revision == before


async def test_calls_are_counted_only_where_the_profile_limits_them() -> None:
    service, _, clock = make()
    for _ in range(50):
        assert await service.count_call(APPID) is None
    assert service.view.revision == 0
    service.profile = profile(rate_limit_per_second=2)
    problems = [await service.count_call(APPID) for _ in range(3)]
    assert [problem and problem.name for problem in problems] == [None, None, "rate_limited"]
    await clock.advance(1)
    assert await service.count_call(APPID) is None
