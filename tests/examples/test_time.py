import requests

from fakerelay import FakeRelay

NOBODY = "http://127.0.0.1:1/callbacks"  # where your service doesn't listen yet


def test_a_notification_is_given_up() -> None:
    with FakeRelay(clock="frozen", callback_url=NOBODY) as relay:
        url = f"{relay.url}/app/{relay.appid}/v2/rtmpforward/startrtmp?traceId=first"
        body = {"appid": relay.appid, "roomid": "room1", "streamtype": 2, "uid": "anna"}
        body["rtmpurl"] = "rtmp://cdn.example.com/live/anna"
        requests.post(url, json=body, headers=relay.headers, timeout=5)
        begin = relay.clock.now()

        done = relay.clock.advance(10)
        assert [fired["at"] - begin for fired in done["fired"]] == [1, 3, 7]
        relay.clock.run_until(lambda: relay.callbacks(state="failed"))
        assert relay.clock.now() - begin == 31
