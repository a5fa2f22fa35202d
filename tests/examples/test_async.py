from fakerelay import FakeRelay


async def test_an_address_has_one_task_at_a_time() -> None:
    address = "rtmp://cdn.example.com/live/main"
    async with FakeRelay() as relay, relay.client() as client:
        assert (await client.start_source("room1", "anna", address)).is_accepted
        refused = await client.start_source("room1", "bob", address)
        assert (refused.code, refused.rule) == (40901, "address-unique")

        await client.stop_source("room1", "anna")
        assert (await client.start_source("room1", "bob", address)).is_accepted
        assert [task["uid"] for task in relay.tasks()] == ["bob"]
        assert [call["code"] for call in relay.requests()] == [0, 40901, 0, 0]
