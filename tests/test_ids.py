from collections.abc import Callable

import pytest

from fakerelay.ids import RandomIds, SeededIds
from fakerelay.ports import IdSource


@pytest.mark.parametrize("make", [RandomIds, lambda: SeededIds(7)], ids=["random", "seeded"])
def test_ids_never_repeat(make: Callable[[], IdSource]) -> None:
    ids = make()
    made = [name() for _ in range(1000) for name in (ids.message_id, ids.trace_id)]
    assert len(set(made)) == len(made)


def test_random_ids_of_two_sources_differ() -> None:
    assert RandomIds().message_id() != RandomIds().message_id()


def test_seeded_ids_are_the_same_for_the_same_seed() -> None:
    first, second = SeededIds(7), SeededIds(7)
    assert [first.message_id(), first.trace_id()] == [second.message_id(), second.trace_id()]


def test_seeded_ids_differ_between_seeds() -> None:
    assert SeededIds(7).message_id() != SeededIds(8).message_id()
