import httpx

from fakerelay import FakeRelay

BODY = {"roomid": "room1", "streamtype": 2, "uid": "anna"}
ADDRESS = "rtmp://cdn.example.com/live/anna"


def test_a_relay_is_started(fakerelay: FakeRelay) -> None:
    with httpx.Client(base_url=fakerelay.url, headers=fakerelay.headers) as client:
        path = f"/app/{fakerelay.appid}/v2/rtmpforward/startrtmp?traceId=first"
        body = {**BODY, "appid": fakerelay.appid, "rtmpurl": ADDRESS}
        assert client.post(path, json=body).json()["code"] == 0
    fakerelay.assert_pushing(ADDRESS)


async def test_a_relay_is_started_by_a_coroutine(fakerelay: FakeRelay) -> None:
    async with httpx.AsyncClient(base_url=fakerelay.url, headers=fakerelay.headers) as client:
        path = f"/app/{fakerelay.appid}/v2/rtmpforward/startrtmp?traceId=first"
        body = {**BODY, "appid": fakerelay.appid, "rtmpurl": ADDRESS}
        assert (await client.post(path, json=body)).json()["code"] == 0
    fakerelay.assert_pushing(ADDRESS)
