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


def test_a_reply_is_lost() -> None:
    with FakeRelay() as relay:
        relay.control("create_fault", steps=[{"fault": "drop_after_commit"}])
        with pytest.raises(requests.ConnectionError):
            start(relay)
        assert [task["uid"] for task in relay.tasks()] == ["anna"]  # it was done all the same
        assert start(relay) == 0  # the retry is taken for an update
        lost, retried = relay.requests(traceid="lost")
        assert (lost["accepted"], lost["fault"]["told"]) == (True, "nothing")
        assert (retried["accepted"], retried["fault"]) == (True, None)
        assert relay.control("faults")["items"][0]["unmet"] == []  # the plan was met
