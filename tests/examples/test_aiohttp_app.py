import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from fakerelay import FakeRelay


def make_app(start_url: str, appid: int, headers: dict[str, str]) -> web.Application:
    """Your application: it puts rooms on a CDN, and is told how that fares."""
    statuses: dict[str, int] = {}

    async def go_live(request: web.Request) -> web.Response:
        room = request.match_info["room"]
        body = {"appid": appid, "roomid": room, "streamtype": 2, "uid": "anna"}
        body["rtmpurl"] = f"rtmp://cdn.example.com/live/{room}"
        async with aiohttp.request("POST", start_url, json=body, headers=headers) as reply:
            return web.json_response({"code": (await reply.json())["code"]})

    async def take_callback(request: web.Request) -> web.Response:
        told = (await request.json())["context"]
        statuses[told["roomid"]] = told["status"]
        return web.Response()

    async def show(request: web.Request) -> web.Response:
        return web.json_response({"status": statuses[request.match_info["room"]]})

    app = web.Application()
    app.router.add_post("/rooms/{room}/live", go_live)
    app.router.add_post("/callbacks", take_callback)
    app.router.add_get("/rooms/{room}", show)
    return app


async def test_a_room_goes_live(fakerelay: FakeRelay, aiohttp_client: AiohttpClient) -> None:
    start_url = f"{fakerelay.url}/app/{fakerelay.appid}/v2/rtmpforward/startrtmp?traceId=live"
    app: TestClient[web.Request, web.Application] = await aiohttp_client(
        make_app(start_url, fakerelay.appid, fakerelay.headers)
    )
    fakerelay.callbacks.forward_to(str(app.make_url("/callbacks")))
    assert await (await app.post("/rooms/room1/live")).json() == {"code": 0}
    assert (await fakerelay.callbacks.await_for(status="pushing"))[0].answered == 200
    assert await (await app.get("/rooms/room1")).json() == {"status": 0}
