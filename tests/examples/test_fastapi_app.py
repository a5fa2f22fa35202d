from typing import Any

import httpx
from fastapi import FastAPI

from fakerelay import FakeRelay


def make_app(start_url: str, appid: int, headers: dict[str, str]) -> FastAPI:
    """Your application: it puts rooms on a CDN, and is told how that fares."""
    app = FastAPI()
    statuses: dict[str, int] = {}

    @app.post("/rooms/{room}/live")
    async def go_live(room: str) -> dict[str, int]:
        body = {"appid": appid, "roomid": room, "streamtype": 2, "uid": "anna"}
        body["rtmpurl"] = f"rtmp://cdn.example.com/live/{room}"
        async with httpx.AsyncClient() as client:
            reply = await client.post(start_url, json=body, headers=headers)
        return {"code": reply.json()["code"]}

    @app.post("/callbacks")
    async def take_callback(message: dict[str, Any]) -> None:
        statuses[message["context"]["roomid"]] = message["context"]["status"]

    @app.get("/rooms/{room}")
    async def show(room: str) -> dict[str, int]:
        return {"status": statuses[room]}

    return app


async def test_a_room_goes_live(fakerelay: FakeRelay) -> None:
    start_url = f"{fakerelay.url}/app/{fakerelay.appid}/v2/rtmpforward/startrtmp?traceId=live"
    transport = httpx.ASGITransport(make_app(start_url, fakerelay.appid, fakerelay.headers))
    async with httpx.AsyncClient(transport=transport, base_url="http://backend") as app:
        assert (await app.post("/rooms/room1/live")).json() == {"code": 0}
        (told,) = await fakerelay.callbacks.await_for(status="pushing")
        await app.post("/callbacks", json=told.message)
        assert (await app.get("/rooms/room1")).json() == {"status": 0}
