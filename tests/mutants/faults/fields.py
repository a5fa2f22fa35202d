"""Faults of what a body may hold."""

from collections.abc import Iterator

from tests.mutants.faults.rows import Fault, assumed, documented


def _of_name(field: str) -> Iterator[tuple[str, Fault]]:
    """The faults of a field that bears a name."""
    of_type, of_form = f"{field}-field", f"{field}-form"
    yield f"{field}-missing-accepted", documented(of_type, f"`{field}` may be missing")
    yield f"{field}-number-accepted", documented(of_type, f"`{field}` may be a number")
    yield f"{field}-empty-accepted", documented(of_form, f"`{field}` may be empty")
    yield f"{field}-65-accepted", documented(of_form, f"`{field}` may be longer than 64 bytes")
    yield f"{field}-characters-accepted", documented(of_form, f"`{field}` may hold anything")
    yield f"{field}-64-refused", documented(of_form, f"`{field}` must be shorter than 64 bytes")
    yield f"{field}-dash-refused", documented(of_form, f"`{field}` may not hold a dash")


def _of_input(field: str) -> tuple[str, Fault]:
    return f"input-{field}-unchecked", assumed("input-fields", f"An input's `{field}` is not held")


def _of_output(field: str) -> tuple[str, Fault]:
    return f"output-{field}-unchecked", assumed("output-fields", f"`output.{field}` is not held")


FAULTS = {
    "appid-missing-accepted": documented("appid-field", "`appid` may be missing"),
    "appid-string-accepted": documented("appid-field", "`appid` may be a string"),
    "other-appid-accepted": assumed("appid-matches-path", "The body's `appid` is not compared"),
    **dict(_of_name("roomid")),
    **dict(_of_name("taskid")),
    **dict(_of_name("uid")),
    "streamtype-missing-accepted": documented("streamtype-field", "`streamtype` may be missing"),
    "streamtype-string-accepted": documented("streamtype-field", "`streamtype` may be a string"),
    "streamtype-boolean-accepted": documented("streamtype-field", "`streamtype` may be `true`"),
    "streamtype-0-accepted": documented("streamtype-field", "`streamtype` may be 0"),
    "streamtype-3-accepted": documented("streamtype-field", "`streamtype` may be 3"),
    "rtmpurl-missing-accepted": documented("rtmpurl-field", "`rtmpurl` may be missing"),
    "rtmpurl-list-accepted": documented("rtmpurl-field", "`rtmpurl` may be an array"),
    "rtmpurl-empty-accepted": documented("rtmpurl-count", "`rtmpurl` may be empty"),
    "six-addresses-accepted": documented("rtmpurl-count", "`rtmpurl` may hold six addresses"),
    "five-addresses-refused": documented("rtmpurl-count", "`rtmpurl` may not hold five addresses"),
    "mixconfig-missing-accepted": documented("mixconfig-field", "`mixconfig` may be missing"),
    "mixconfig-string-accepted": documented("mixconfig-field", "`mixconfig` may be a string"),
    "templateid-0-accepted": documented("templateid-values", "`templateid` may be 0"),
    "templateid-5-accepted": documented("templateid-values", "`templateid` may be 5"),
    "templateid-string-accepted": documented("templateid-values", "`templateid` may be a string"),
    "template-1-refused": documented("templateid-values", "There is no horizontal template"),
    "template-4-refused": documented("templateid-values", "There is no corner template"),
    "template-needs-input": documented("input-required", "A template needs an input"),
    "input-missing-accepted": documented(
        "input-required", "There may be neither input nor template"
    ),
    "input-object-accepted": documented("input-required", "`input` may be an object"),
    "input-items-unchecked": documented("input-required", "`input` may hold numbers"),
    "input-empty-accepted": assumed("input-empty", "An empty `input` is enough"),
    **dict(map(_of_input, ("uid", "width", "zorder", "crop", "alpha"))),
    "input-uid-twice-accepted": assumed("input-uid-once", "A user may stand in a layout twice"),
    "input-own-room-apart": assumed(
        "input-uid-once", "A user may stand in a layout with the task's room and without one"
    ),
    "tile-outside-accepted": assumed("tile-in-canvas", "A tile may lie outside the canvas"),
    "output-missing-accepted": documented("output-required", "`output` may be missing"),
    "output-list-accepted": documented("output-required", "`output` may be an array"),
    **dict(map(_of_output, ("width", "height", "fps", "bitrate", "channels"))),
    "fps-60-refused": assumed("output-fields", "60 pictures a second are too many"),
    "ignored-fields-checked": assumed("field-ignored", "A source must not have a `taskid`"),
    "unknown-field-refused": assumed("field-unknown", "Unknown fields are refused"),
    "nan-accepted": assumed("json-numbers", "NaN is a number"),
    "json-in-a-string-accepted": assumed("json-body", "A JSON string is read once more"),
    "first-key-wins": assumed("json-last-key", "Of equal keys the first wins"),
    "whole-float-refused": assumed("json-whole-floats", "2.0 is no integer"),
    "surrogates-accepted": assumed("json-surrogates", "Lone surrogates are taken"),
    "content-type-unchecked": assumed("content-type", "Any content type is taken"),
    "stop-roomid-missing-accepted": assumed("stop-fields", "A stop needs no `roomid`"),
    "stop-streamtype-3-accepted": assumed("stop-fields", "A stop takes any `streamtype`"),
    "stop-no-address-accepted": assumed(
        "stop-own-addresses", "What is no address in a stop is not looked at"
    ),
    "stop-appid-missing-accepted": assumed("stop-fields", "A stop needs no `appid`"),
}
