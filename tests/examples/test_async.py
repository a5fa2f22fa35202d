from fakerelay import FakeRelay


async def test_an_address_has_one_task_at_a_time(fakerelay: FakeRelay) -> None:
    address = "rtmp://cdn.example.com/live/main"
    client = fakerelay.client
    assert (await client.start_source("room1", "anna", address)).is_accepted
    refused = await client.start_source("room1", "bob", address)
    assert (refused.code, refused.rule) == (40901, "address-unique")

    await client.stop_source("room1", "anna")
    assert (await client.start_source("room1", "bob", address)).is_accepted
    fakerelay.assert_called("startrtmp", times=2, uid="bob", rtmpurl=address)
    assert [each.status for each in await fakerelay.callbacks.await_for(3)] == [0, 3, 0]
