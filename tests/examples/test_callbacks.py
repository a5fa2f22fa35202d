from fakerelay import FakeRelay


def test_a_failing_cdn_is_told(fakerelay: FakeRelay) -> None:
    address = "rtmp://cdn.example.com/live/anna"
    fakerelay.start(address, roomid="room1", uid="anna")
    fakerelay.push_status(address, "cdn_failed")
    (failed,) = fakerelay.callbacks.wait_for(status="cdn_failed", rtmpurl=address)
    assert (failed.uid, failed.roomid) == ("anna", "room1")
    fakerelay.callbacks.assert_in_order({"status": "pushing"}, {"status": "cdn_failed"})


def test_a_callback_comes_again_until_it_is_taken(fakerelay: FakeRelay) -> None:
    fakerelay.clock.freeze()
    fakerelay.callbacks.fail(times=2)
    fakerelay.start("rtmp://cdn.example.com/live/anna")
    fakerelay.clock.advance(60)
    told = fakerelay.callbacks.wait_for(3)
    assert [each.answered for each in told] == [500, 500, 200]
    assert len({each.msgid for each in told}) == 1
