from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakerelay.feed import Event, Feed, Kind, Listener, Missed


class World(NamedTuple):
    id: str


ONE, OTHER = World("one"), World("other")


def tell(feed: Feed, amount: int, kind: Kind = "call", world: World = ONE) -> None:
    for _ in range(amount):
        feed.tell(kind, world, 0.0, 7, None)


def take_all(listener: Listener) -> list[int | Missed]:
    taken: list[int | Missed] = []
    while (told := listener.take()) is not None:
        taken.append(told.number if isinstance(told, Event) else told)
    return taken


def listen_and_leave(feed: Feed, after: int) -> Listener:
    listener = listen(feed, after=after)
    listener.close()
    return listener


def listen(feed: Feed, *, after: int | None = None, most: int = 1000) -> Listener:
    listener = Listener(feed, most=most)
    feed.listen(listener, after=after)
    return listener


def test_listener_hears_what_comes_after_it() -> None:
    feed = Feed()
    tell(feed, 3)
    listener = listen(feed)
    tell(feed, 2)
    assert take_all(listener) == [4, 5]


def test_events_are_counted_while_nobody_listens() -> None:
    feed = Feed()
    tell(feed, 3)
    assert (feed.number, feed.is_warm) == (3, False)


def test_slow_listener_is_told_how_much_it_missed_and_goes_on_from_there() -> None:
    feed = Feed()
    slow, quick = listen(feed, most=3), listen(feed)
    tell(feed, 5)
    assert slow.take() == Event(1, "call", ONE, 0.0, 7, None)
    tell(feed, 1)
    assert take_all(slow) == [2, 3, Missed(6, 3)]
    tell(feed, 1)
    assert take_all(slow) == [7]
    assert take_all(quick) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("after", "heard"),
    [
        (7, []),
        (5, [6, 7]),
        (4, [5, 6, 7]),
        (2, [Missed(4, 2), 5, 6, 7]),
        (99, [Missed(4, 4), 5, 6, 7]),
    ],
    ids=["nothing new", "some", "all that is kept", "more than is kept", "before a restart"],
)
def test_listener_that_comes_back_hears_what_is_kept(after: int, heard: list[int]) -> None:
    feed = Feed(most_kept=3)
    listen(feed).close()
    tell(feed, 3)
    listen(feed)
    tell(feed, 4)
    assert take_all(listen(feed, after=after)) == heard


def test_nothing_is_kept_for_one_that_stays_away() -> None:
    feed = Feed(most_kept=3)
    listen(feed).close()
    tell(feed, 3)
    assert take_all(listen_and_leave(feed, after=2)) == [3]
    tell(feed, 5)
    assert take_all(listen(feed, after=2)) == [Missed(8, 6)]


def test_filters_pick_world_app_and_kind() -> None:
    feed = Feed()
    listeners = [
        Listener(feed, world=OTHER),
        Listener(feed, appid=8),
        Listener(feed, kinds=["push", "fault"]),
    ]
    for listener in listeners:
        feed.listen(listener)
    tell(feed, 1)
    tell(feed, 1, world=OTHER)
    tell(feed, 1, kind="push")
    feed.tell("clock", ONE, 0.0, None, None)
    feed.tell("control", ONE, 0.0, 8, None)
    assert [take_all(listener) for listener in listeners] == [[2], [5], [3]]


async def test_wait_ends_with_an_event_an_end_or_the_time() -> None:
    feed = Feed()
    listener = listen(feed)
    await listener.wait(0)
    tell(feed, 1)
    await listener.wait(60)
    assert take_all(listener) == [1]
    listener.close()
    await listener.wait(60)


def test_forgotten_world_ends_who_listens_to_it_and_leaves_nothing() -> None:
    feed = Feed()
    everything, gone = Listener(feed), Listener(feed, world=OTHER)
    feed.listen(everything)
    feed.listen(gone)
    tell(feed, 1, world=OTHER)
    tell(feed, 1)
    feed.forget(OTHER)
    assert (everything.is_closed, gone.is_closed, len(feed)) == (False, True, 1)
    assert take_all(gone) == [1]
    assert take_all(listen(feed, after=0)) == [2]


def test_closed_feed_ends_everybody() -> None:
    feed = Feed()
    listener = listen(feed)
    feed.close()
    assert listener.is_closed
    assert listen(feed).is_closed
    assert len(feed) == 0


@given(steps=st.lists(st.sampled_from(["tell", "take", "come back", "leave"]), max_size=60))
def test_no_event_is_told_twice_or_lost_without_a_word(steps: list[str]) -> None:
    """However slowly somebody listens, and however often they come back."""
    feed = Feed(most_kept=5)
    listener, heard = listen(feed, most=3), 0
    for step in [*steps, "tell", "come back", *["take"] * 10]:
        if step == "tell":
            tell(feed, 1)
        elif step == "leave":
            listener.close()
        elif step == "come back":
            listener.close()
            listener = listen(feed, after=heard, most=3)
        elif (told := listener.take()) is not None:
            amount = told.amount if isinstance(told, Missed) else 1
            assert told.number == heard + amount
            heard = told.number
    assert heard == feed.number
