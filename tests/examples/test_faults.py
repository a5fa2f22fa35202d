import pytest
import requests

from fakerelay import FakeRelay


def start(relay: FakeRelay) -> int:
    """Your service's call."""
    url = f"{relay.url}/app/{relay.appid}/v2/rtmpforward/startrtmp?traceId=lost"
    body = {"appid": relay.appid, "roomid": "room1", "streamtype": 2, "uid": "anna"}
    body["rtmpurl"] = "rtmp://cdn.example.com/live/anna"
    reply = requests.post(url, json=body, headers=relay.headers, timeout=5)
    return int(reply.json()["code"])


def test_a_reply_is_lost(fakerelay: FakeRelay) -> None:
    fakerelay.faults.add("drop_after_commit")
    with pytest.raises(requests.ConnectionError):
        start(fakerelay)
    fakerelay.assert_pushing("rtmp://cdn.example.com/live/anna")  # it was done all the same
    assert start(fakerelay) == 0  # the retry is taken for an update
    lost, retried = fakerelay.requests(traceid="lost")
    assert (lost["accepted"], lost["fault"]["told"]) == (True, "nothing")
    assert (retried["accepted"], retried["fault"]) == (True, None)
