"""Many at once: one address wanted by all, and worlds that must not notice one another."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from fakerelay.core.model import App, Certificate
from fakerelay.server import Server
from tests.web.wires import APPID, SOURCE, START, STOP, Wire, build, path_of

pytestmark = pytest.mark.slow
OpenServer = Callable[..., Awaitable[Server]]

CONNECTIONS = 200
STARTS = 2000


@pytest.mark.parametrize("round_number", range(10))
async def test_of_2000_starts_for_one_address_one_is_accepted(
    open_server: OpenServer, round_number: int
) -> None:
    server = await open_server(settings={"concurrent_pushes": 0}, journal_size=STARTS)
    wires = await asyncio.gather(*(Wire.open(server.url) for _ in range(CONNECTIONS)))

    async def storm(number: int) -> list[int]:
        uids = [f"u{number}-{count}" for count in range(STARTS // CONNECTIONS)]
        codes = []
        for uid in uids:
            await wires[number].send(build({**SOURCE, "uid": uid}))
            codes.append((await wires[number].answer()).code)
        return codes

    codes = Counter(
        code
        for storm_codes in await asyncio.gather(*map(storm, range(CONNECTIONS)))
        for code in storm_codes
    )
    await asyncio.gather(*(opened.close() for opened in wires))
    assert codes == {0: 1, 40901: STARTS - 1}
    view = server.tenants.default.service.view
    (task,) = view.tasks()
    assert view.holders("rtmp://h/a") == (task.key,)
    assert view.running_count(APPID) == 1
    accepted = [e.appid for e in server.tenants.default.journal if e.code == 0]
    assert accepted == [APPID]


WORLDS = 50
ROUNDS = 20


async def test_50_worlds_hammered_at_once_do_not_notice_one_another(
    open_server: OpenServer,
) -> None:
    """The same certificate, rooms, names and addresses everywhere: only the appid differs."""
    server = await open_server(apps=())
    tenants = [server.tenants.create() for _ in range(WORLDS)]
    appids = [server.tenants.free_appid() for _ in tenants]
    for tenant, appid in zip(tenants, appids, strict=True):
        certificate = Certificate("cert", "key", "account")
        await server.tenants.put_account(tenant, App(appid, "account"), certificate)

    wires = await asyncio.gather(*(Wire.open(server.url) for _ in appids))
    await asyncio.gather(
        *(play(opened, appid) for opened, appid in zip(wires, appids, strict=True))
    )
    await asyncio.gather(*(opened.close() for opened in wires))

    for tenant, appid in zip(tenants, appids, strict=True):
        assert {exchange.appid for exchange in tenant.journal} == {appid}
        assert len(tenant.journal) == ROUNDS * 6
        assert [task.key for task in tenant.service.view.tasks()] == []
    assert len(server.tenants.default.journal) == 0


async def play(opened: Wire, appid: int) -> None:
    """The same broadcast again and again; any other world's would break it."""
    source = {**SOURCE, "appid": appid}
    rival = {**source, "uid": "rival"}
    stop = {key: source[key] for key in ("appid", "roomid", "streamtype", "uid")}
    steps = (
        (START, source, 0),
        (START, rival, 40901),
        (START, {**source, "rtmpurl": "rtmp://h/b"}, 0),
        (START, rival, 0),
        (STOP, stop, 0),
        (STOP, {**stop, "uid": "rival"}, 0),
    )
    for _ in range(ROUNDS):
        for operation, body, code in steps:
            await opened.send(build(body, path_of(operation, appid)))
            assert (await opened.answer()).code == code
