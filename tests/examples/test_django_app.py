import json

import django
import requests
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client
from django.urls import path

from fakerelay import FakeRelay

STATUSES: dict[str, int] = {}


def go_live(request: HttpRequest, room: str) -> HttpResponse:
    """Your view: it puts a room on a CDN."""
    body = {"appid": settings.RELAY_APPID, "roomid": room, "streamtype": 2, "uid": "anna"}
    body["rtmpurl"] = f"rtmp://cdn.example.com/live/{room}"
    headers = settings.RELAY_HEADERS
    reply = requests.post(settings.RELAY_START_URL, json=body, headers=headers, timeout=5)
    return JsonResponse({"code": reply.json()["code"]})


def take_callback(request: HttpRequest) -> HttpResponse:
    """Your view: it is told how that fares."""
    told = json.loads(request.body)["context"]
    STATUSES[told["roomid"]] = told["status"]
    return HttpResponse()


urlpatterns = [path("rooms/<room>/live", go_live), path("callbacks", take_callback)]

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["testserver"])
django.setup()


def test_a_room_goes_live(fakerelay: FakeRelay) -> None:
    relay = f"{fakerelay.url}/app/{fakerelay.appid}/v2/rtmpforward"
    settings.RELAY_START_URL = f"{relay}/startrtmp?traceId=live"
    settings.RELAY_APPID, settings.RELAY_HEADERS = fakerelay.appid, fakerelay.headers
    app = Client()
    assert app.post("/rooms/room1/live").json() == {"code": 0}
    (told,) = fakerelay.callbacks.wait_for(status="pushing")
    app.post("/callbacks", data=told.raw, content_type="application/json")
    assert STATUSES == {"room1": 0}
