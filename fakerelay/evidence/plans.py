"""Fault plans that were not met: how far each came, and which call came nearest."""

from collections.abc import Sequence

from fakerelay.core.faults import PASS
from fakerelay.evidence import Control, Json, read_list
from fakerelay.evidence.wording import body_of, name_call, show_value


def tell_unmet(control: Control, plan: Json) -> str:
    """How often its steps acted, and what of the nearest call its match doesn't fit."""
    steps = [(number, plan["steps"][number]) for number in plan["unmet"]]
    told = ", ".join(_tell_step(number, step) for number, step in steps)
    near = _tell_nearest(plan, read_list(control, "requests").items)
    return (
        f"Fault plan {plan['id']!r} was not met: {told}{near}; say check_faults=False in the marker"
        " if that is fine"
    )


def _tell_step(number: int, step: Json) -> str:
    wanted = step.get("count", 1)
    if not step["met"]:
        acted = "never acted" if step["fault"] != PASS else "never let a call pass"
    elif isinstance(wanted, int):
        acted = f"acted {step['met']} of {wanted} times"
    else:
        acted = f"acted {step['met']} times, not as often as it was to"
    return f"step {number} ({step['fault']}) {acted}"


def _tell_nearest(plan: Json, requests: Sequence[Json]) -> str:
    """Of the calls that its match doesn't fit the one with the most alike, the latest of these."""
    match = plan["match"]
    if plan["on"] != "call" or not match:
        return ""
    calls = [(_find_others(match, each), each) for each in requests if each["operation"]]
    if any(not others for others, _ in calls):
        return ""
    if not calls:
        return ", and no call came"
    others, best = min(reversed(calls), key=lambda each: len(each[0]))
    wanted = " ".join(f"{name}={show_value(match[name])}" for name in others)
    got = " ".join(f"{name}={show_value(_read(best, name))}" for name in others)
    is_other = "operation" in others
    came = name_call(best) if is_other and len(others) == 1 else f"{name_call(best)} with {got}"
    return f": match {wanted}, but the nearest call was a {came} (request {best['number']})"


def _find_others(match: Json, request: Json) -> list[str]:
    return [name for name, wanted in match.items() if _read(request, name) != wanted]


def _read(request: Json, name: str) -> object:
    return request[name] if name == "operation" else body_of(request).get(name)
