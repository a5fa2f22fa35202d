"""What happened in a world, told as a text for who looks at a failed test and at nothing else."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from textwrap import wrap
from typing import Final

from fakerelay import schemas
from fakerelay.core.faults import PASS
from fakerelay.core.requests import START, STOP
from fakerelay.evidence import Evidence, Json, Listed, collect
from fakerelay.evidence.histories import read_moments
from fakerelay.evidence.wording import (
    count,
    name_call,
    name_task,
    show_address,
    show_offset,
    show_outcome,
    show_time,
    show_value,
)
from fakerelay.timeline.entries import Entry, read_entries
from fakerelay.timeline.folds import Fold, fold

__all__ = ["MOST_LINES", "Evidence", "collect", "render_timeline"]

MOST_LINES: Final = 40
_WIDTH: Final = 100
_MOST_LISTED: Final = 10
_ABOUT: Final = ("name", "version")


def render_timeline(evidence: Evidence, *, most_lines: int = MOST_LINES) -> str:
    """The world, its running tasks and fault plans, and the newest of what happened, in order.

    At most about `most_lines` lines are told of what happened; it says how much is left out. Keys
    of streams, passwords and tokens are not shown.
    """
    moments = read_moments(evidence.requests.items, evidence.callbacks.items)
    start = moments[0].at if moments else evidence.clock["now"]
    entries = read_entries(moments, start)
    lines = [
        *_tell_world(evidence, start),
        *_tell_tasks(evidence.tasks.items, start),
        *_tell_plans(evidence.faults, evidence.requests),
        *_tell_events(evidence, fold(entries), start, most_lines),
        *_tell_strays(evidence),
    ]
    return "\n".join(each for line in lines for each in _wrap(line))


def _tell_world(evidence: Evidence, start: float) -> Iterator[str]:
    clock = evidence.clock
    apps = ", ".join(_name_app(app) for app in evidence.apps.items[:_MOST_LISTED])
    yield f"World {clock['world']}: {apps or 'no app'}"
    yield (
        f"  clock {clock['mode']}, now {show_offset(clock['now'], start)};"
        f" {show_offset(start, start)} is {show_time(start)}"
    )
    if settings := _list_settings(evidence.profile):
        yield f"  profile {settings}"


def _name_app(app: Json) -> str:
    url = app["callback_url"]
    goes = f"callbacks go to {show_address(url)}" if url else "no callback URL, so no callbacks"
    return f"app {app['appid']} ({goes})"


def _list_settings(profile: Json) -> str:
    """What the profile in force changes of the shipped one of its name; nothing for the default."""
    name, data = profile["name"], profile["profile"]
    base = name if name in schemas.list_names("profiles") else "default"
    shipped = schemas.read_json("profiles/default")
    changes = ", ".join(_compare(shipped, data)) if base == "default" else ""
    title = f"{name}@{profile['version']}"
    if changes:
        return f"{title} with {changes}"
    return "" if name == "default" else title


def _compare(shipped: Json, data: Json, path: str = "") -> Iterator[str]:
    for key, value in data.items():
        if not path and key in _ABOUT:
            continue
        old = shipped.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            yield from _compare(old, value, f"{path}{key}.")
        elif value != old:
            yield f"{path}{key}={show_value(value)}"


def _tell_tasks(tasks: Sequence[Json], start: float) -> Iterator[str]:
    yield f"{count(len(tasks), 'task')} running at the end{':' if tasks else ''}".capitalize()
    for task in tasks[-_MOST_LISTED:]:
        pushes = ", ".join(_tell_push(push, start) for push in task["pushes"])
        yield f"  {name_task(task)} of room {show_value(task['roomid'])}: {pushes}{_tell_mix(task)}"
    if len(tasks) > _MOST_LISTED:
        yield f"  and {len(tasks) - _MOST_LISTED} older ones"


def _tell_mix(task: Json) -> str:
    if "tiles" not in task:
        return ""
    config, canvas = task["mixconfig"], task["output"]
    template = config.get("templateid")
    by = f"templateid {template}" if template else count(len(config.get("input") or ()), "input")
    users = count(len(task["tiles"]), "user")
    return f"; {by}, {canvas['width']}x{canvas['height']}, shows {users}"


def _tell_push(push: Json, start: float) -> str:
    since = show_offset(push["since"], start)
    due = "".join(
        f", to be {each['status_name']} at {show_offset(each['due_at'], start)}"
        for each in push["scheduled"]
    )
    return f"{show_address(push['rtmpurl'])} {push['status_name']} since {since}{due}"


def _tell_plans(plans: Sequence[Json], requests: Listed) -> Iterator[str]:
    if plans:
        yield "Fault plans:"
    for plan in plans[-_MOST_LISTED:]:
        match = "".join(f" {key}={show_value(value)}" for key, value in plan["match"].items())
        steps = "; ".join(_tell_step(*each) for each in enumerate(plan["steps"]))
        yield f"  {plan['id']}, on {plan['on']}{match}: {steps}"
        if away := _count_away(plan, requests):
            yield f"    {count(away, 'call')} that met it not in the journal: still under way?"
    if len(plans) > _MOST_LISTED:
        yield f"  and {len(plans) - _MOST_LISTED} older ones"


def _count_away(plan: Json, requests: Listed) -> int:
    """How many calls met a plan and have no end yet; 0 where the journal has forgotten some."""
    if plan["on"] != "call" or requests.evicted:
        return 0
    ended = sum(1 for each in requests.items if (each["fault"] or {}).get("plan") == plan["id"])
    met: int = sum(step["met"] for step in plan["steps"] if step["fault"] != PASS)
    return max(0, met - ended)


def _tell_step(number: int, step: Json) -> str:
    wanted = step.get("count", 1)
    of = f" of {wanted}" if isinstance(wanted, int) and "for_seconds" not in step else ""
    met = f"met {step['met']}{of}" if step["met"] else "never met"
    return f"step {number} {step['fault']} {met}"


def _tell_events(
    evidence: Evidence, folds: Sequence[Fold], start: float, most_lines: int
) -> Iterator[str]:
    if not folds:
        yield "Nothing was asked of it, and nothing happened."
        return
    told = _choose(folds, start, most_lines)
    left_out = [each for index, each in enumerate(folds) if index not in told]
    forgotten = evidence.requests.evicted + evidence.callbacks.evicted
    yield "What happened, in seconds from the first:"
    if forgotten:
        yield f"  ({forgotten} older requests and callbacks are forgotten)"
    if left_out:
        yield f"  ({_count_kinds(left_out)} left out)"
    for index in sorted(told):
        yield from told[index]


def _tell_strays(evidence: Evidence) -> Iterator[str]:
    """Calls that no world could be found for, and how the newest was meant, as far as one sees."""
    if not evidence.strays:
        return
    newest = evidence.strays[-1]
    appid = evidence.apps.items[0]["appid"] if evidence.apps.items else "{appid}"
    known = [f"/app/{appid}/v2/rtmpforward/{operation}" for operation in (START, STOP)]
    path = newest["target"].partition("?")[0]
    meant = max(known, key=lambda each: SequenceMatcher(None, path, each).ratio())
    yield f"Besides, {count(len(evidence.strays), 'call')} of unknown paths that name no app:"
    yield f"  the newest is {name_call(newest)} {show_outcome(newest)}; would pass: POST {meant}"


def _choose(folds: Sequence[Fold], start: float, most_lines: int) -> Mapping[int, list[str]]:
    """The lines of those there is room for: the newest, then trouble, then what is dull."""
    newest = len(folds) - 1
    trouble = (index for index in range(newest) if not folds[index].is_dull)
    dull = (index for index in range(newest) if folds[index].is_dull)
    told = {newest: _tell_fold(folds[newest], start)}
    left = most_lines - _count_lines(told[newest])
    for indexes in (trouble, dull):
        for index in reversed(list(indexes)):
            lines = _tell_fold(folds[index], start)
            left -= _count_lines(lines)
            if left < 0:
                return told
            told[index] = lines
    return told


def _count_lines(lines: Sequence[str]) -> int:
    return sum(len(_wrap(line)) for line in lines)


def _count_kinds(folds: Sequence[Fold]) -> str:
    kinds: Counter[str] = Counter()
    for each in folds:
        for entry in each.entries:
            kinds[entry.kind] += each.times
    return ", ".join(_name_kinds(number, kind) for kind, number in kinds.items())


def _name_kinds(number: int, kind: str) -> str:
    """`2 calls that met a fault`."""
    noun, *rest = re.split(r"(?<=call)\b|(?<=callback)\b", kind, maxsplit=1)
    return f"{count(number, noun)}{''.join(rest)}"


def _tell_fold(each: Fold, start: float) -> list[str]:
    lines = [line for entry in each.entries for line in _tell_entry(entry, start)]
    if each.times == 1:
        return lines
    until = show_offset(each.until, start)
    if len(each.entries) == 1:
        return _tell_entry(each.entries[0], start, f"{each.times} times until {until}: ")
    return [*lines, f"{'':12}(these {len(each.entries)} came {each.times} times, until {until})"]


def _tell_entry(entry: Entry, start: float, head: str = "") -> list[str]:
    line = f"{show_offset(entry.at, start):>8}  {head}{entry.label}{entry.text}"
    return [line, *(f"{'':12}{detail}" for detail in entry.details)]


def _wrap(line: str) -> list[str]:
    """A line that is too long, as several, the others further in."""
    indent = len(line) - len(line.lstrip())
    if line[indent : indent + 1] == "+":
        indent += len(line[indent:].split("  ")[0]) + 2
    return wrap(
        line,
        _WIDTH,
        subsequent_indent=" " * (indent + 2),
        drop_whitespace=True,
        break_long_words=False,
        break_on_hyphens=False,
    )
