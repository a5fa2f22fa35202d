"""Whatever is to come, what is told follows the table."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from fakerelay.cdn import Cdn
from fakerelay.core.changes import AppReset, TaskChanged
from fakerelay.core.commands import ResetApp
from fakerelay.core.events import PushStatusChanged
from fakerelay.core.model import SOURCE, Task, TaskKey
from fakerelay.core.pushes import CONNECTING, STOPPED, can_become
from fakerelay.core.rules import Accepted
from tests.cdn.worlds import World
from tests.core.worlds import APPID, set_status, start, stop


class Later(NamedTuple):
    """A status that is scheduled by hand."""

    name: str
    address_key: str
    status: int
    after_seconds: float


urls = st.sampled_from(
    ["h/a", "h/b", "refused.fakerelay.test", "flapping-3.fakerelay.test", "slow-2.fakerelay.test"]
)
names = st.sampled_from(["u", "v"])
faults = st.sampled_from(
    [
        {"fault": "pass"},
        {"fault": "fail"},
        {"fault": "fail", "after_seconds": 2, "recover_seconds": 3},
        {"fault": "flap", "seconds": 2},
        {"fault": "flap", "seconds": 3, "times": 2, "status": "internal_failed"},
        {"fault": "slow", "seconds": 4},
        {"fault": "stop", "seconds": 4},
    ]
)
url_lists = st.lists(urls, min_size=1, max_size=3, unique=True)
actions = st.one_of(
    st.builds(lambda name, texts: start(name, *texts), names, url_lists),
    st.builds(stop, names),
    st.builds(lambda name, text: stop(name, text), names, urls),
    st.builds(set_status, names, urls, st.integers(-1, 3)),
    st.builds(Later, names, urls.map("rtmp://{}".format), st.integers(-1, 3), st.integers(0, 5)),
    st.just(ResetApp(APPID)),
    st.sampled_from([1.0, 2.5, 7.0]),
)


class Spy:
    """Stands between service and CDN, and holds what is decided against the table."""

    def __init__(self, cdn: Cdn) -> None:
        self._cdn = cdn
        self._running: set[tuple[TaskKey, str]] = set()
        self.has_say = cdn.has_say
        self.foresee = cdn.foresee
        self.told: list[tuple[str, int]] = []

    def hear(self, decision: Accepted, now: float) -> None:
        for change in decision.changes:
            if isinstance(change, TaskChanged):
                self._check(change, dict(tell(decision.events)))
            elif isinstance(change, AppReset):
                assert not decision.events
                self._running.clear()
        self.told += tell(decision.events)
        self._cdn.hear(decision, now)

    def _check(self, change: TaskChanged, told: Mapping[str, int]) -> None:
        before, after = statuses_of(change.before), statuses_of(change.after)
        for key in before.keys() | after.keys():
            place = (change.before or change.after).key, key  # type: ignore[union-attr]
            old, new = before.get(key), after.get(key, STOPPED)
            if old is None:
                assert place not in self._running
                self._running.add(place)
            else:
                assert place in self._running, "nothing happens to what has been stopped"
                assert new == old or can_become(old, new)
            if new == STOPPED:
                self._running.discard(place)
            assert told.get(key) == (new if new not in (old, CONNECTING) else None)


def tell(events: Sequence[PushStatusChanged]) -> list[tuple[str, int]]:
    return [(event.address.key, event.status) for event in events]


def statuses_of(task: Task | None) -> dict[str, int]:
    return {push.address.key: push.status for push in task.pushes} if task else {}


@given(
    st.lists(faults, max_size=4),
    st.sampled_from([{}, {"retry_seconds": 2}, {"retry_seconds": 1, "stop_after_failures": 3}]),
    st.lists(actions, max_size=25),
)
def test_whatever_is_to_come_what_is_told_follows_the_table(
    steps: Sequence[Mapping[str, Any]], policy: Mapping[str, Any], actions: Sequence[Any]
) -> None:
    asyncio.run(live(steps, policy, actions))


async def live(
    steps: Sequence[Mapping[str, Any]], policy: Mapping[str, Any], actions: Sequence[Any]
) -> None:
    world = await World(**policy).open()
    if steps:
        world.plan(*steps, match={"rtmpurl": "rtmp://h/*"})
    tenant = world.tenant
    tenant.service.network = spy = Spy(tenant.cdn)
    for action in actions:
        await act(world, action)
    for name in ("u", "v"):
        await world.do(stop(name))
    assert tenant.cdn.save() == [], "what has been stopped has nothing to come"
    told = spy.told[:]
    await world.advance(100)
    assert spy.told == told


async def act(world: World, action: Any) -> None:
    if isinstance(action, Later):
        place = (APPID, SOURCE, action.name), action.address_key
        task = world.tenant.service.view.task(place[0])
        if task is not None and task.find_push(action.address_key):
            world.tenant.cdn.schedule(place, action.status, action.after_seconds)
    elif isinstance(action, float):
        await world.advance(action)
    else:
        await world.do(action)
