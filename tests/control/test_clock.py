"""The clock of a world, moved in process and over HTTP alike."""

from fakerelay.client import RelayClient
from tests.control.conftest import APPID, Control

FOREVER_REFUSED = "http://127.0.0.1:1/cb"


async def test_advance_tells_what_it_fired(control: Control, relay: RelayClient) -> None:
    await control.call("put_clock", mode="frozen")
    await control.call("put_profile", callback={"retry_delays_seconds": [10, 60]})
    await control.call("put_app", appid=APPID, callback_url=FOREVER_REFUSED)
    await relay.start_source("r", "u", "rtmp://h/a")
    begin = (await control.call("clock"))["now"]
    advance = await control.call("advance_clock", seconds=100)
    (callback,) = (await control.call("callbacks"))["items"]
    what = f"retry of {callback['msgid']}"
    assert advance == {
        "world": "default",
        "now": begin + 100,
        "fired": [{"at": begin + 10, "what": what}, {"at": begin + 70, "what": what}],
        "reached": True,
        "unfinished": 0,
    }
    assert [attempt["at"] - begin for attempt in callback["attempts"]] == [0, 10, 70]
    assert callback["state"] == "failed"
