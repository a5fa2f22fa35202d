"""What requests did to tasks and addresses, told again from the journal and the callbacks."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

from fakerelay.core.addresses import address_key
from fakerelay.core.pushes import PUSHING, STOPPED
from fakerelay.core.requests import START
from fakerelay.evidence import Json
from fakerelay.evidence.wording import body_of, name_field

Key = tuple[int, int, str]
Addresses = dict[str, str]
"""As spelled, by what they are compared by."""


class Effect(NamedTuple):
    """The addresses that a request, or the vendor, began to push to, left and kept.

    `is_unclear` where something was done that can't be told: its body isn't kept, or it is about a
    task whose beginning isn't.
    """

    started: Sequence[str] = ()
    stopped: Sequence[str] = ()
    kept: Sequence[str] = ()
    is_update: bool = False
    is_unclear: bool = False


_NONE: Final = Effect()


class Moment(NamedTuple):
    """A request with its effect, or a status change that a callback tells.

    `place` is where it stands among the requests: times alone don't order what a frozen clock saw.
    """

    at: float
    place: tuple[int, int, int]
    request: Json | None = None
    callback: Json | None = None
    effect: Effect = _NONE


def read_moments(requests: Sequence[Json], callbacks: Sequence[Json]) -> list[Moment]:
    """All that happened, in order of time."""
    moments = [
        Moment(request["at"], (index, 0, 0), request=request)
        for index, request in enumerate(requests, start=1)
    ]
    moments += _place_callbacks(requests, callbacks)
    moments.sort(key=lambda moment: moment.place)
    running: dict[Key, Addresses] = {}
    moments = [moment._replace(effect=_apply(running, moment)) for moment in moments]
    return sorted(moments, key=lambda moment: (moment.at, moment.place))


def is_done(request: Json) -> bool:
    """Whether the service did it at all, whatever the caller was told."""
    fault = request["fault"]
    return request["accepted"] or (
        fault is not None and any(decided["accepted"] for decided in fault["decided"])
    )


def split_addresses(rtmpurl: object) -> Addresses:
    """The addresses of an `rtmpurl`; none of what is no text."""
    if not isinstance(rtmpurl, str):
        return {}
    return {address_key(part): part for part in rtmpurl.split(",")}


def find_key(appid: int | None, item: Json) -> Key | None:
    """The task that a body or a context names, if it does."""
    field = name_field(item)
    name = item.get(field) if field else None
    if appid is None or not isinstance(name, str):
        return None
    return appid, int(item["streamtype"]), name


def _place_callbacks(requests: Sequence[Json], callbacks: Sequence[Json]) -> Iterable[Moment]:
    """Each behind the request that caused it, and none before one with a lower number."""
    causes = _index_causes(requests)
    times = sorted(request["at"] for request in requests)
    place = 0
    for callback in sorted(callbacks, key=lambda each: each["number"]):
        context, at = callback["body"]["context"], callback["at"]
        named = causes.get((context.get("traceId"), find_key(context["appid"], context)), ())
        found = _find_nearest(requests, named, context, at, place)
        place = max(place, bisect_left(times, at) if found is None else found)
        yield Moment(at, (place, 1, callback["number"]), callback=callback)


def _find_nearest(
    requests: Sequence[Json], named: Sequence[int], context: Json, at: float, place: int
) -> int | None:
    """Of the requests that may have caused something the latest before it, in time and place."""

    def time_of(index: int) -> float:
        time: float = requests[index - 1]["at"]
        return time

    end = bisect_right(named, at, key=time_of)
    latest = bisect_left(named, time_of(named[end - 1]), hi=end, key=time_of) if end else 0
    begin = max(latest, bisect_left(named, place, hi=end))
    nearest_first = chain(range(begin, end), reversed(range(begin)), range(end, len(named)))
    for position in nearest_first:
        if _may_cause(requests[named[position] - 1], context):
            return named[position]
    return None


def _index_causes(requests: Sequence[Json]) -> Mapping[tuple[str, Key | None], list[int]]:
    """The numbers, from 1, of the requests that were done, by trace id and task."""
    causes: dict[tuple[str, Key | None], list[int]] = {}
    for index, request in enumerate(requests, start=1):
        if is_done(request):
            key = find_key(request["appid"], body_of(request))
            causes.setdefault((request["traceid"], key), []).append(index)
    return causes


def _may_cause(request: Json, context: Json) -> bool:
    """Whether what a callback tells can be the doing of a request on its task."""
    if request["operation"] != START:
        return bool(context["status"] == STOPPED)
    is_named = address_key(context["rtmpurl"]) in split_addresses(body_of(request).get("rtmpurl"))
    return is_named is not (context["status"] == STOPPED)


def _apply(running: dict[Key, Addresses], moment: Moment) -> Effect:
    if moment.request is not None and is_done(moment.request):
        body = body_of(moment.request)
        key = find_key(moment.request["appid"], body)
        if key is None:
            return Effect(is_unclear=True)
        if moment.request["operation"] == START:
            return _start(running, key, split_addresses(body.get("rtmpurl")))
        named = body.get("rtmpurl")
        return _stop(running, key, None if named is None else split_addresses(named))
    if moment.callback is not None:
        return _tell(running, moment.callback["body"]["context"])
    return _NONE


def _start(running: dict[Key, Addresses], key: Key, wanted: Addresses) -> Effect:
    held = running.get(key, {})
    effect = Effect(
        [text for address, text in wanted.items() if address not in held],
        [text for address, text in held.items() if address not in wanted],
        [text for address, text in wanted.items() if address in held],
        key in running,
    )
    running[key] = wanted
    return effect


def _stop(running: dict[Key, Addresses], key: Key, named: Addresses | None) -> Effect:
    is_known = key in running
    held = running.pop(key, {})
    left = {} if named is None else {a: text for a, text in held.items() if a not in named}
    if left:
        running[key] = left
    stopped = (held if named is None else named).values()
    return Effect((), list(stopped), list(left.values()), is_unclear=not is_known)


def _tell(running: dict[Key, Addresses], context: Json) -> Effect:
    """What nobody asked for; what a request did has been noted with it."""
    key = find_key(context["appid"], context)
    if key is None or "traceId" in context:
        return _NONE
    if context["status"] == STOPPED:
        return _stop(running, key, split_addresses(context["rtmpurl"]))
    if context["status"] == PUSHING:
        running.setdefault(key, {}).update(split_addresses(context["rtmpurl"]))
    return _NONE
