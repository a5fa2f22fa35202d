import pytest

from fakerelay.core.events import PushStatusChanged
from fakerelay.core.model import MIXED, SOURCE, PushAddress
from fakerelay.delivery.notifications import Batch, Notification
from tests.delivery.bench import POLICY

ADDRESS = PushAddress("RTMP://cdn:1935/live/a?key=1", "rtmp://cdn/live/a?key=1")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(MIXED, ("name", None)), (SOURCE, (None, "name"))],
    ids=["mixed", "source"],
)
def test_notification_is_found_by_the_vendors_names(
    kind: int, expected: tuple[str | None, str | None]
) -> None:
    event = PushStatusChanged((7, kind, "name"), "room", ADDRESS, 0, 12.5, "t-1")
    found = Notification(1, "m-1", event, Batch("http://receiver", 0, POLICY))
    assert (found.taskid, found.uid) == expected
    assert (found.appid, found.roomid, found.traceid) == (7, "room", "t-1")
    assert found.rtmpurl == ADDRESS.spelled
