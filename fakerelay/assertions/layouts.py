"""Where the users of a mixed task are shown, against where a test wants them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fakerelay.assertions.stories import Story, show_last
from fakerelay.errors import FakerelayError, nearest
from fakerelay.evidence import Control, Json, read_list
from fakerelay.evidence.wording import body_of, count, name_task, show_value

Box = tuple[int, int, int, int]
Shown = tuple[str, str]
"""A uid and the room it is of."""
Tiles = Mapping[str, Box] | Mapping[Shown, Box] | Mapping[str | Shown, Box]
_SIDES: Final = ("x", "y", "width", "height")


def find_difference(
    control: Control,
    taskid: str,
    wanted: Tiles,
    appid: int | None,
) -> str | None:
    """A table of what is wanted and what is so; None where these are the same."""
    task = _find_task(control, taskid, appid)
    if isinstance(task, str):
        return task
    got = {(tile["uid"], tile["roomid"]): _read_box(tile) for tile in task["tiles"]}
    rows = _compare(_place(wanted, got), got)
    differing = [row[0] for row in rows if row[3]]
    if not differing:
        return None
    canvas = task["output"]
    return "\n".join(
        [
            f"{count(len(differing), 'user')} of {name_task(task)} not where wanted:"
            f" {', '.join(differing)}",
            f"  canvas {canvas['width']}x{canvas['height']}, revision {task['revision']};"
            " x, y, width, height:",
            *_render([("uid", "wanted", "got", ""), *rows]),
            *_hint(control, task),
        ]
    )


def _hint(control: Control, task: Json) -> Iterator[str]:
    """What a template without inputs lacks: users who are live in the task's room."""
    config, room = task["mixconfig"], task["roomid"]
    if config.get("templateid") is None or config.get("input"):
        return
    apps = read_list(control, "apps").items
    if any(app["live_rooms"].get(room) for app in apps if app["appid"] == task["appid"]):
        return
    yield (
        f"  templateid {config['templateid']} places the users of a room declared live; room"
        f" {show_value(room)} isn't: control('put_app', appid={task['appid']},"
        f" live_rooms={{{show_value(room)}: [...]}})"
    )


def _find_task(control: Control, taskid: str, appid: int | None) -> Json | str:
    """The one task of the name, or why there is none."""
    filters = {} if appid is None else {"appid": appid}
    tasks = read_list(control, "tasks", **filters).items
    found = [task for task in tasks if task.get("taskid") == taskid]
    if len(found) > 1:
        apps = " and ".join(str(task["appid"]) for task in found)
        raise FakerelayError(f"Apps {apps} run a mixed task {taskid!r}: say which by 'appid'")
    if found:
        return found[0]
    ended = _tell_calls(control, taskid, appid)
    hint = nearest(taskid, [task["taskid"] for task in tasks if "taskid" in task])
    others = [name_task(task) for task in tasks if "uid" in task]
    running = f"\n  running besides: {', '.join(others)}" if others else ""
    return f"No mixed task {taskid!r} is running{hint or ': none is'}{running}{ended}"


def _tell_calls(control: Control, taskid: str, appid: int | None) -> str:
    """The calls on a task that were to start or stop it, and what became of them."""
    story = Story(control)
    told = [
        story.tell_request(moment)
        for moment in story.moments
        if moment.request is not None
        and body_of(moment.request).get("taskid") == taskid
        and appid in (None, moment.request["appid"])
    ]
    return "".join(f"\n{line}" for line in show_last(told))


def _place(wanted: Tiles, got: Mapping[Shown, Box]) -> dict[Shown, Box]:
    """What is wanted by uid and room; a uid alone is of the room that it is shown of."""
    placed: dict[Shown, Box] = {}
    for name, box in wanted.items():
        checked = _check_box(name, box)
        rooms = [room for uid, room in got if uid == name]
        if len(rooms) > 1:
            raise FakerelayError(
                f"User {name!r} is shown of rooms {' and '.join(rooms)}:"
                f" write ({name!r}, {rooms[0]!r}) for one of them"
            )
        shown = (name, rooms[0] if rooms else "") if isinstance(name, str) else name
        placed[shown] = checked
    return placed


def _check_box(name: object, box: Any) -> Box:
    if not isinstance(box, Sequence) or isinstance(box, str) or len(box) != len(_SIDES):
        raise FakerelayError(
            f"Can't use {box!r} as the place of {name!r}: write (x, y, width, height)"
        )
    x, y, width, height = box
    return (x, y, width, height)


def _compare(
    wanted: Mapping[Shown, Box], got: Mapping[Shown, Box]
) -> list[tuple[str, str, str, str]]:
    """A row for each user: the name, both places, and what of them differs."""
    uids = [uid for uid, _ in got]
    return [
        (
            show_value(shown[0] if uids.count(shown[0]) < 2 else shown),
            str(wanted.get(shown, "nowhere")),
            str(got.get(shown, "nowhere")),
            _tell_difference(wanted.get(shown), got.get(shown)),
        )
        for shown in dict.fromkeys([*wanted, *got])
    ]


def _tell_difference(wanted: Box | None, got: Box | None) -> str:
    if wanted is None:
        return "<- not wanted"
    if got is None:
        return "<- not shown"
    sides = [side for side, one, other in zip(_SIDES, wanted, got, strict=True) if one != other]
    return f"<- {', '.join(sides)}" if sides else ""


def _read_box(tile: Json) -> Box:
    return (tile["x"], tile["y"], tile["width"], tile["height"])


def _render(rows: Sequence[tuple[str, str, str, str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return ["    " + "  ".join([*map(str.ljust, row[:3], widths), row[3]]).rstrip() for row in rows]
