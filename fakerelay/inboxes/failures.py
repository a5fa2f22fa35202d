"""What a failed wait or assertion says: what was wanted, and what came instead."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from fakerelay.inboxes.patterns import Pattern
from fakerelay.inboxes.received import Received

_MOST_LISTED = 20


def tell_timeout(
    received: Sequence[Received],
    pattern: Pattern,
    count: int,
    timeout_seconds: float,
    *,
    is_closed: bool,
    hints: Iterable[str] = (),
) -> str:
    """Why a wait ended in vain."""
    head = f"Waited {timeout_seconds:g} s for {_show_wanted(count, pattern)}"
    end = ", until the relay was closed" if is_closed else ""
    return _join(f"{head}{end}: {_show_found(received, pattern)}", received, pattern, hints)


def tell_miscount(
    received: Sequence[Received], pattern: Pattern, count: int | None, hints: Iterable[str] = ()
) -> str:
    """Why there are not as many as asserted; None: at least one."""
    wanted = _show_wanted(1, pattern) if count is None else _show_exactly(count, pattern)
    head = f"Expected {wanted}: {_show_found(received, pattern)}"
    are_few = sum(map(pattern.fits, received)) <= (count or 0)
    return _join(head, received, pattern, hints, with_nearest=are_few)


def tell_unwanted(received: Sequence[Received], pattern: Pattern) -> str:
    head = f"Expected no {_show_kind('callback', pattern)}: {_show_found(received, pattern)}"
    return _join(head, received, pattern, (), with_nearest=False)


def tell_disorder(
    received: Sequence[Received],
    patterns: Sequence[Pattern],
    places: Sequence[int],
    hints: Iterable[str] = (),
) -> str:
    """Which came, at their `places`, and which is the first that did not come behind them."""
    fates = [f": number {place + 1}" for place in places]
    fates.append(f": none came after number {places[-1] + 1}" if places else ": none came")
    lines = ["Expected callbacks in this order:"]
    for number, (pattern, fate) in enumerate(zip_longest(patterns, fates, fillvalue=""), start=1):
        lines.append(f"  {number}. {str(pattern) or 'any'}{fate}")
    return _join("\n".join(lines), received, patterns[len(places)], hints)


def _join(
    head: str,
    received: Sequence[Received],
    pattern: Pattern,
    hints: Iterable[str],
    *,
    with_nearest: bool = True,
) -> str:
    nearest = _find_nearest(received, pattern) if with_nearest else None
    return "\n".join([head, *_list(received, pattern, nearest), *hints])


def _list(
    received: Sequence[Received], pattern: Pattern, nearest: Received | None
) -> Iterator[str]:
    """The latest, each in a line, in order of arrival; one that fits is starred."""
    if not received:
        yield "Nothing has arrived at all"
        return
    yield "Arrived, in this order (* fits):"
    first = max(0, len(received) - _MOST_LISTED)
    if first:
        yield f"    ... {first} earlier ones, left out unless one is the nearest"
    for number, each in enumerate(received, start=1):
        if number > first or each is nearest:
            yield f"  {'*' if pattern.fits(each) else ' '} {number}. {each.describe()}"
        if each is nearest:
            yield f"       ^ nearest: {'; '.join(pattern.differences(each))}"


def _find_nearest(received: Sequence[Received], pattern: Pattern) -> Received | None:
    """Of those that don't fit the one with the fewest differences, the latest of several."""
    others = [each for each in reversed(received) if not pattern.fits(each)]
    return min(others, key=lambda each: len(pattern.differences(each)), default=None)


def _show_wanted(count: int, pattern: Pattern) -> str:
    return _show_kind("a callback" if count == 1 else f"{count} callbacks", pattern)


def _show_exactly(count: int, pattern: Pattern) -> str:
    return _show_kind(f"exactly {count} callback{'s' if count != 1 else ''}", pattern)


def _show_kind(noun: str, pattern: Pattern) -> str:
    return f"{noun} with {pattern}" if str(pattern) else noun


def _show_found(received: Sequence[Received], pattern: Pattern) -> str:
    """Those that fit; a callback that is being forwarded doesn't count as arrived yet."""
    fitting = [each for each in received if pattern.fits(each)]
    waiting = sum(each.is_forwarding for each in fitting)
    came = f"{len(fitting) - waiting or 'none'} came"
    if not waiting:
        return came
    return f"{came}, {waiting} not answered yet by the app under test"
