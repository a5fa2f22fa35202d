import requests

from fakerelay import FakeRelay


def test_a_relay_is_started(fakerelay: FakeRelay) -> None:
    url = f"{fakerelay.url}/app/{fakerelay.appid}/v2/rtmpforward/startrtmp?traceId=first"
    body = {"appid": fakerelay.appid, "roomid": "room1", "streamtype": 2, "uid": "anna"}
    body["rtmpurl"] = "rtmp://cdn.example.com/live/anna"
    reply = requests.post(url, json=body, headers=fakerelay.headers, timeout=5)
    assert reply.json()["code"] == 0
    fakerelay.assert_pushing("rtmp://cdn.example.com/live/anna")
