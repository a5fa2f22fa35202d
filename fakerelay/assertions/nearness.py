"""What comes nearest to an address that was looked for, with what differs marked."""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import takewhile

from fakerelay.core.addresses import address_key
from fakerelay.evidence.wording import show_address

_MOST_LISTED = 5


def show_nearest(wanted: str, known: Iterable[str], what: str) -> list[str]:
    """Two lines one below the other and marks below these; or what is known, if none is near."""
    addresses = {show_address(each): each for each in known}
    if not addresses:
        return [f"  {what}: none"]
    near = get_close_matches(show_address(wanted), addresses, n=_MOST_LISTED)
    if not near:
        listed = sorted(addresses)[:_MOST_LISTED]
        more = len(addresses) - len(listed)
        return [f"  {what}: {', '.join(listed)}{f' and {more} more' if more else ''}"]
    best = max(near, key=lambda each: sum(_count_same(show_address(wanted), each)))
    return [f"  {what}:", *_mark_difference(wanted, addresses[best])]


def _mark_difference(wanted: str, got: str) -> list[str]:
    one, other = show_address(wanted), show_address(got)
    lines = [f"    wanted  {one}", f"    nearest {other}"]
    if one == other:
        if address_key(wanted) == address_key(got):
            return lines
        return [*lines, "            (they differ in what is not shown: a value of the query)"]
    return [*lines, " " * 12 + _mark(one, other)]


def _mark(one: str, other: str) -> str:
    """Carets between what both begin and what both end with."""
    head, tail = _count_same(one, other)
    return " " * head + "^" * max(1, max(len(one), len(other)) - head - tail)


def _count_same(one: str, other: str) -> tuple[int, int]:
    """How many characters both begin, and both end with."""
    head = _count_head(one, other)
    return head, _count_head(one[head:][::-1], other[head:][::-1])


def _count_head(one: str, other: str) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
