import json
from base64 import b64encode
from random import Random

import pytest

from fakerelay.clock import Start
from fakerelay.core.model import App, Certificate
from fakerelay.core.rules import Accepted
from fakerelay.errors import ConfigError
from fakerelay.faults import read_plan
from fakerelay.ids import SeededIds
from fakerelay.ports import Sent
from fakerelay.stores import open_store
from fakerelay.tenants import Parts, Tenant, Tenants
from tests.core.worlds import DEFAULT, held, start


class MemorySender:
    def __init__(self) -> None:
        self.posts: list[tuple[str, int]] = []

    async def send(
        self, url: str, body: bytes, timeout_seconds: float, content_type: str = ""
    ) -> Sent:
        self.posts.append((url, json.loads(body)["context"]["appid"]))
        return Sent(200, None, 0.0)


def make(sender: MemorySender | None = None) -> Tenants:
    sender = sender or MemorySender()
    start = Start("frozen", 0.0)
    return Tenants(Parts(open_store, start, SeededIds, sender, DEFAULT, 10, Random(1)))


def basic(credentials: str) -> str:
    return "Basic " + b64encode(credentials.encode()).decode()


async def put(tenants: Tenants, tenant: Tenant, appid: int, url: str | None = None) -> None:
    certificate = Certificate(f"cert-{tenant.id}", "key", "account")
    await tenants.put_account(tenant, App(appid, "account", url), certificate)


async def apply(tenant: Tenant, appid: int, uid: str, url: str) -> bool:
    """Whether the start was accepted; what it caused goes out at once."""
    applied = await tenant.service.apply(start(uid, url, appid=appid))
    if applied.open_gate is not None:
        applied.open_gate()
    return isinstance(applied.decision, Accepted)


async def test_there_is_a_default_world_from_the_beginning() -> None:
    tenants = make()
    assert [tenant.id for tenant in tenants] == ["default"]
    assert tenants.get("default") is tenants.default


async def test_world_gets_an_id_of_its_own() -> None:
    tenants = make()
    ids = {tenants.create().id for _ in range(10)}
    assert len(ids) == 10
    assert tenants.create("mine") is tenants.get("mine")
    with pytest.raises(ConfigError, match="World 'mine' exists already: choose another id"):
        tenants.create("mine")


async def test_appid_belongs_to_one_world() -> None:
    tenants = make()
    one, other = tenants.create("one"), tenants.create("other")
    await put(tenants, one, 1)
    await put(tenants, one, 1, "http://127.0.0.1:1/changed")
    with pytest.raises(ConfigError, match="Appid 1 belongs to another world"):
        await put(tenants, other, 1)
    assert tenants.find(1) is one
    assert other.service.view.app(1) is None
    assert tenants.find(2) is None


async def test_worlds_share_neither_addresses_nor_tasks_nor_journals() -> None:
    tenants = make()
    worlds = [tenants.create() for _ in range(3)]
    for appid, tenant in enumerate(worlds, 1):
        await put(tenants, tenant, appid)
        assert await apply(tenant, appid, "u", "h/a")
        assert held(tenant.service.view, "u", appid) == ["h/a"]
    assert len({id(tenant.journal) for tenant in worlds}) == 3
    assert len({id(tenant.clock) for tenant in worlds}) == 3


async def test_request_is_answered_by_the_world_of_its_app_or_of_its_certificate() -> None:
    tenants = make()
    one, other = tenants.create("one"), tenants.create("other")
    await put(tenants, one, 1)
    await put(tenants, other, 2)
    assert tenants.find_for(1, None) is one
    assert tenants.find_for(1, basic("cert-other:key")) is one
    assert tenants.find_for(9, basic("cert-other:key")) is other
    assert tenants.find_for(9, basic("cert-other:wrong")) is other
    assert tenants.find_for(9, basic("nobody:key")) is tenants.default
    assert tenants.find_for(9, None) is tenants.default
    assert tenants.find_for(9, "garbage") is tenants.default
    assert tenants.find_for(None, basic("cert-other:key")) is tenants.default


async def test_dropped_world_leaves_its_appids_and_its_id_free() -> None:
    tenants = make()
    one = tenants.create("one")
    await put(tenants, one, 1)
    await put(tenants, one, 2)
    await tenants.drop(one)
    assert (tenants.get("one"), tenants.find(1), tenants.find(2)) == (None, None, None)
    again = tenants.create("one")
    await put(tenants, again, 1)
    assert await apply(again, 1, "u", "h/a")


async def test_dropped_world_holds_no_call_from_then_on() -> None:
    """Its clock may stand for ever, and one that is under way may yet reach it."""
    tenants = make()
    one = tenants.create("one")
    plan = {"steps": [{"fault": "delay", "seconds": 60, "count": "always"}]}
    one.faults.add(read_plan(plan, "plan", one.clock.now()))
    await tenants.drop(one)
    assert not one.faults.has("call")


async def test_removed_app_takes_its_tasks_along() -> None:
    tenants = make()
    tenant = tenants.default
    await put(tenants, tenant, 1)
    await put(tenants, tenant, 2)
    await apply(tenant, 1, "u", "h/a")
    await tenants.remove_app(tenant, 1)
    assert tenants.find(1) is None
    assert list(tenant.service.view.tasks()) == []
    assert await apply(tenant, 2, "u", "h/a")


async def test_callbacks_go_to_the_url_of_their_own_app() -> None:
    sender = MemorySender()
    tenants = make(sender)
    tenant = tenants.default
    await put(tenants, tenant, 1, "http://127.0.0.1:1/one")
    await put(tenants, tenant, 2)
    await put(tenants, tenant, 3, "http://127.0.0.1:1/three")
    for appid in (1, 2, 3):
        await apply(tenant, appid, "u", f"h/{appid}")
    await tenant.clock.advance(0)
    assert sorted(sender.posts) == [("http://127.0.0.1:1/one", 1), ("http://127.0.0.1:1/three", 3)]


async def test_free_appid_is_exact_in_every_language() -> None:
    tenants = make()
    appids = {tenants.free_appid() for _ in range(100)}
    assert len(appids) == 100
    assert all(0 < appid < 2**53 for appid in appids)
