"""Which callbacks wait for which."""

import asyncio

from tests.delivery.bench import BROKEN, OK, Bench


async def test_delivery_keeps_a_later_status_behind_an_earlier_one(bench: Bench) -> None:
    answers = iter([BROKEN, BROKEN, OK, OK])
    bench.sender.answer = lambda post: next(answers)
    await bench.tell(("a", 0))
    await bench.tell(("a", 3))
    await bench.clock.advance(60)
    assert bench.sender.told() == [("a", 0), ("a", 0), ("a", 0), ("a", 3)]


async def test_delivery_keeps_order_when_an_address_passes_to_another_task(bench: Bench) -> None:
    answers = iter([BROKEN, OK, OK])
    bench.sender.answer = lambda post: next(answers)
    for taskid, status in (("t", 3), ("later", 0)):
        bench.emit(("a", status), taskid=taskid)()
    await bench.clock.advance(60)
    assert bench.sender.told() == [("a", 3), ("a", 3), ("a", 0)]


async def test_delivery_goes_on_with_the_lane_after_giving_up(bench: Bench) -> None:
    bench.sender.answer = lambda post: BROKEN if post.told[1] == 0 else OK
    await bench.tell(("a", 0), ("a", 3))
    await bench.clock.advance(60)
    assert bench.states() == ["failed", "delivered"]


async def test_delivery_keeps_order_when_a_later_gate_opens_first(bench: Bench) -> None:
    first = bench.emit(("a", 0))
    await bench.tell(("a", 3))
    assert bench.sender.posts == []
    first()
    await bench.settle()
    assert bench.sender.told() == [("a", 0), ("a", 3)]


async def test_delivery_waits_for_the_gate_of_what_moved_up(bench: Bench) -> None:
    await_reply = bench.emit(("a", 3))
    bench.delivery.hold()
    later = bench.emit(("a", 0))
    await_reply()
    bench.delivery.release()
    await bench.settle()
    assert bench.sender.told() == [("a", 3)]
    later()
    await bench.settle()
    assert bench.sender.told() == [("a", 3), ("a", 0)]


async def test_delivery_lets_other_lanes_pass_a_failing_one(bench: Bench) -> None:
    bench.sender.answer = lambda post: BROKEN if post.told[0] == "a" else OK
    await bench.tell(("a", 0), ("b", 0))
    assert bench.states() == ["pending", "delivered"]


async def test_delivery_of_one_app_never_delays_another(bench: Bench) -> None:
    bench.sender.stuck["http://stuck"] = asyncio.Event()
    await bench.tell(*((f"a{n}", 0) for n in range(50)), appid=1, url="http://stuck")
    assert bench.sender.in_flight["http://stuck"] == 16
    await bench.tell(("b", 0), appid=2)
    assert bench.sender.told()[-1] == ("b", 0)
    bench.sender.stuck["http://stuck"].set()
    await bench.settle()
    assert bench.states() == ["delivered"] * 51
