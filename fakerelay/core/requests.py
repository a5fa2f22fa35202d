"""From a body that its schema has found valid to a command, or to the refusal.

What a schema can't say is checked here: address syntax, a stricter `taskid`, tiles; then the
appid of the path, then addresses that stand twice (rule `order-of-checks`).
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from fakerelay.core import problems
from fakerelay.core.addresses import MANY_BYTES, read_addresses
from fakerelay.core.commands import StartPush, StopPush
from fakerelay.core.mixing import MANY_INPUTS, OUTPUT_DEFAULTS, check_layout
from fakerelay.core.model import KIND_NAMES, MIXED, NAME_FIELDS, SOURCE, PushAddress, TaskKey
from fakerelay.core.problems import Problem, RuleWarning
from fakerelay.core.profile import Profile

START: Final = "startrtmp"
STOP: Final = "stoprtmp"

_ALPHANUMERIC = re.compile(r"[A-Za-z0-9]{1,20}")
_COMMON = frozenset(("appid", "roomid", "rtmpurl", "streamtype"))
_FIELDS: Final = {
    (START, MIXED): _COMMON | {"taskid", "mixconfig"},
    (START, SOURCE): _COMMON | {"uid"},
    (STOP, MIXED): _COMMON | {"taskid"},
    (STOP, SOURCE): _COMMON | {"uid"},
}
_OTHER_KIND: Final = {MIXED: frozenset(("uid",)), SOURCE: frozenset(("taskid", "mixconfig"))}
_PLAIN_FIELDS: Final = frozenset(("templateid", "output"))
_MIXCONFIG_FIELDS: Final = frozenset(("templateid", "input", "output"))
_OUTPUT_FIELDS: Final = frozenset(OUTPUT_DEFAULTS)
_PLACE_FIELDS: Final = frozenset(("uid", "roomid", "x", "y", "width", "height", "zorder", "alpha"))
_CROP_FIELDS: Final = frozenset(("crop", "cropx", "cropy", "cropwidth", "cropheight"))
_INPUT_FIELDS: Final = _PLACE_FIELDS | _CROP_FIELDS


def read_start(
    body: Mapping[str, Any], appid: int, trace_id: str, profile: Profile
) -> StartPush | Problem:
    """The command of a `startrtmp` body that came to the path of `appid`."""
    addresses = read_addresses(body["rtmpurl"])
    if isinstance(addresses, Problem):
        return addresses
    room_id = body["roomid"]
    mixconfig = body["mixconfig"] if body["streamtype"] == MIXED else None
    problem = (
        _check_style(body, profile)
        or (check_layout(mixconfig, room_id) if mixconfig is not None else None)
        or _check_appid(body, appid)
        or (_check_twice(addresses) if len(addresses) > 1 else None)
    )
    return problem or StartPush(_read_key(body, appid), room_id, addresses, mixconfig, trace_id)


def read_stop(
    body: Mapping[str, Any], appid: int, trace_id: str, profile: Profile
) -> StopPush | Problem:
    """The command of a `stoprtmp` body; without `rtmpurl` it ends the whole task."""
    addresses = read_addresses(body["rtmpurl"]) if "rtmpurl" in body else None
    if isinstance(addresses, Problem):
        return addresses
    problem = (
        _check_style(body, profile) or _check_appid(body, appid) or _check_twice(addresses or ())
    )
    return problem or StopPush(_read_key(body, appid), body["roomid"], addresses, trace_id)


def find_warnings(
    operation: str, body: Mapping[str, Any], command: StartPush | StopPush
) -> list[RuleWarning]:
    """What of an otherwise fine request deserves a look."""
    streamtype = command.key[1]
    warnings: list[RuleWarning] = []
    known = _FIELDS[operation, streamtype]
    if not body.keys() <= known:
        warnings += [_warn_extra(field, streamtype) for field in sorted(body.keys() - known)]
    for address in command.addresses or ():
        if len(address.spelled) > MANY_BYTES:
            detail = f"longer than {MANY_BYTES} bytes, which some CDNs refuse"
            warnings.append(RuleWarning("address-over-256", detail, "rtmpurl"))
    if isinstance(command, StartPush) and command.mixconfig is not None:
        _add_mixing_warnings(warnings, command.mixconfig)
    return warnings


def _add_mixing_warnings(warnings: list[RuleWarning], mixconfig: Mapping[str, Any]) -> None:
    if mixconfig.keys() == _PLAIN_FIELDS and mixconfig["output"].keys() <= _OUTPUT_FIELDS:
        return  # as most are: a template, and nothing that could be worth a look
    _add_unknown(warnings, "mixconfig", mixconfig, _MIXCONFIG_FIELDS)
    _add_unknown(warnings, "mixconfig.output", mixconfig["output"], _OUTPUT_FIELDS)
    inputs = mixconfig.get("input", ())
    for index, item in enumerate(inputs):
        _add_unknown(warnings, f"mixconfig.input[{index}]", item, _INPUT_FIELDS)
    if len(inputs) > MANY_INPUTS:
        detail = f"{len(inputs)} inputs, more than the {MANY_INPUTS} users of one interaction"
        warnings.append(RuleWarning("inputs-over-nine", detail, "mixconfig.input"))


def _add_unknown(
    warnings: list[RuleWarning], where: str, fields: Mapping[str, Any], known: frozenset[str]
) -> None:
    if not fields.keys() <= known:
        for field in sorted(fields.keys() - known):
            detail = "not a field we know of"
            warnings.append(RuleWarning("field-unknown", detail, f"{where}.{field}"))


def _warn_extra(field: str, streamtype: int) -> RuleWarning:
    if field in _OTHER_KIND[streamtype]:
        kind = KIND_NAMES[streamtype]
        return RuleWarning("field-ignored", f"means nothing in a {kind} request", field)
    return RuleWarning("field-unknown", "not a field we know of", field)


def _read_key(body: Mapping[str, Any], appid: int) -> TaskKey:
    streamtype = int(body["streamtype"])
    return (appid, streamtype, body[NAME_FIELDS[streamtype]])


def _check_style(body: Mapping[str, Any], profile: Profile) -> Problem | None:
    if profile.taskid_style == "sdk" or body["streamtype"] != MIXED:
        return None
    taskid = body["taskid"]
    if _ALPHANUMERIC.fullmatch(taskid):
        return None
    reason = "letters and digits, at most 20 (taskid_style)"
    return problems.invalid_parameter("taskid-style", "taskid", reason, taskid)


def _check_appid(body: Mapping[str, Any], appid: int) -> Problem | None:
    if body["appid"] == appid:
        return None
    return problems.appid_mismatch(int(body["appid"]), appid)


def _check_twice(addresses: tuple[PushAddress, ...]) -> Problem | None:
    seen: dict[str, PushAddress] = {}
    for address in addresses:
        first = seen.setdefault(address.key, address)
        if first is not address:
            return problems.duplicate_address(first, address)
    return None
