import requests

from fakerelay import FakeRelay


def test_a_relay_is_started() -> None:
    with FakeRelay() as relay:
        url = f"{relay.url}/app/{relay.appid}/v2/rtmpforward/startrtmp?traceId=first"
        body = {"appid": relay.appid, "roomid": "room1", "streamtype": 2, "uid": "anna"}
        body["rtmpurl"] = "rtmp://cdn.example.com/live/anna"
        reply = requests.post(url, json=body, headers=relay.headers, timeout=5)
        assert reply.json()["code"] == 0
        assert relay.tasks()[0]["uid"] == "anna"
