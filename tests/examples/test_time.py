import pytest

from fakerelay import FakeRelay

NOBODY = "http://127.0.0.1:1/callbacks"  # where your service doesn't listen yet


@pytest.mark.fakerelay(clock="frozen", callback_url=NOBODY)
def test_a_notification_is_given_up(fakerelay: FakeRelay) -> None:
    fakerelay.start("rtmp://cdn.example.com/live/anna")
    begin = fakerelay.clock.now()

    done = fakerelay.clock.advance(10)
    assert [fired["at"] - begin for fired in done["fired"]] == [1, 3, 7]
    fakerelay.clock.run_until(lambda: fakerelay.notifications(state="failed"))
    assert fakerelay.clock.now() - begin == 31
