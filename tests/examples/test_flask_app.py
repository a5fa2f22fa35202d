import requests
from flask import Flask, request

from fakerelay import FakeRelay


def make_app(start_url: str, appid: int, headers: dict[str, str]) -> Flask:
    """Your application: it puts rooms on a CDN, and is told how that fares."""
    app = Flask(__name__)
    statuses: dict[str, int] = {}

    @app.post("/rooms/<room>/live")
    def go_live(room: str) -> dict[str, int]:
        body = {"appid": appid, "roomid": room, "streamtype": 2, "uid": "anna"}
        body["rtmpurl"] = f"rtmp://cdn.example.com/live/{room}"
        reply = requests.post(start_url, json=body, headers=headers, timeout=5)
        return {"code": reply.json()["code"]}

    @app.post("/callbacks")
    def take_callback() -> str:
        told = request.get_json()["context"]
        statuses[told["roomid"]] = told["status"]
        return ""

    @app.get("/rooms/<room>")
    def show(room: str) -> dict[str, int]:
        return {"status": statuses[room]}

    return app


def test_a_room_goes_live(fakerelay: FakeRelay) -> None:
    start_url = f"{fakerelay.url}/app/{fakerelay.appid}/v2/rtmpforward/startrtmp?traceId=live"
    app = make_app(start_url, fakerelay.appid, fakerelay.headers).test_client()
    assert app.post("/rooms/room1/live").json == {"code": 0}
    (told,) = fakerelay.callbacks.wait_for(status="pushing")
    app.post("/callbacks", data=told.raw, headers=told.headers)
    assert app.get("/rooms/room1").json == {"status": 0}
