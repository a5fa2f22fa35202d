"""Worlds that are made once somebody looks for them, whoever that is, and else never."""

from collections.abc import Callable, Iterator
from functools import partial
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from fakerelay import FakeRelay, Host
from fakerelay.arrivals import Arrivals
from fakerelay.errors import ConfigError
from fakerelay.hosts import open_shared


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    host = open_shared(tls=False)
    yield host
    host.close()


def test_what_waits_is_made_once_and_in_order() -> None:
    arrivals, made = Arrivals(), list[str]()
    for name in ("first", "second", "third"):
        arrivals.add(name, partial(made.append, name))
    assert arrivals.has_any
    arrivals.let_in()
    arrivals.let_in()
    assert (made, arrivals.has_any) == (["first", "second", "third"], False)


def test_what_is_taken_back_is_never_made() -> None:
    arrivals, made = Arrivals(), list[str]()
    arrivals.add("first", lambda: made.append("first"))
    assert arrivals.remove("first")
    arrivals.let_in()
    assert (made, arrivals.remove("first")) == ([], False)


def ask(url: str, method: str = "GET", headers: dict[str, str] | None = None) -> int:
    """As another process does, which knows of no relay."""
    try:
        with urlopen(Request(url, headers=headers or {}, method=method), timeout=5) as reply:
            status: int = reply.status
    except HTTPError as refused:
        with refused:
            status = refused.code
    return status


def call(relay: FakeRelay) -> int:
    url = f"{relay.url}/app/{relay.appid}/v2/rtmpforward/startrtmp"
    return ask(url, "POST", relay.headers)


def control(path: str) -> Callable[[FakeRelay], int]:
    def look(relay: FakeRelay) -> int:
        named = path.format(world=relay.env()["FAKERELAY_WORLD"], appid=relay.appid)
        return ask(f"{relay.control_url}/_fakerelay/v1/{named}")

    return look


LOOKS: dict[str, tuple[Callable[[FakeRelay], int], int]] = {
    "a call": (call, 200),
    "the list of worlds": (control("worlds"), 200),
    "a list of all worlds": (control("tasks"), 200),
    "a world by its name": (control("tasks?world={world}"), 200),
    "an app": (control("apps/{appid}"), 200),
}


@pytest.mark.parametrize(("look", "status"), LOOKS.values(), ids=LOOKS.keys())
def test_world_is_there_for_whoever_looks_over_http(
    host: Host, look: Callable[[FakeRelay], int], status: int
) -> None:
    with FakeRelay(server=host) as relay:
        before = relay._lodging.is_made
        assert look(relay) == status
        assert (before, relay._lodging.is_made) == (False, True)
    assert [tenant.id for tenant in host.server.tenants] == ["default"]


def test_callback_that_is_posted_by_hand_is_answered_however_its_relay_ends(host: Host) -> None:
    with FakeRelay(server=host) as relay:
        url = relay.callback_url or ""
        assert ask(url, "POST") == 200
    assert ask(url, "POST") == 404
    assert host.receiver._inboxes == {}


def test_what_waits_keeps_its_appid(host: Host) -> None:
    with FakeRelay(server=host) as first:
        with (
            pytest.raises(ConfigError, match="another world"),
            FakeRelay(server=host, appid=first.appid),
        ):
            pass
        assert first.start("rtmp://cdn.example.com/live/1").code == 0


def test_what_waits_keeps_its_id(host: Host) -> None:
    async def make_world(world_id: str) -> None:
        host.server.tenants.create(world_id)

    with FakeRelay(server=host) as first:
        with pytest.raises(ConfigError, match="exists already"):
            host.run(make_world(first.env()["FAKERELAY_WORLD"]))
        assert first.tasks() == []
