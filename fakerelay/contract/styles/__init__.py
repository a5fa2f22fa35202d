"""What is unusual in a request, and fine (`contract.md` sections 1 to 3, 6), by name."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from fakerelay.contract import addresses
from fakerelay.contract.drafts import Draft
from fakerelay.contract.styles.layouts import list_layouts
from fakerelay.contract.styles.rows import (
    BOTH,
    MIXED,
    SOURCE,
    Change,
    spell_addresses,
    spell_name,
    write,
)
from fakerelay.contract.styles.rows import Style as Style

_TEMPLATE: Final = {"templateid": 1, "output": {}}


def _trace(change: Callable[[str], str | None]) -> Change:
    def spell(draft: Draft) -> None:
        draft.trace_id = change(draft.trace_id or "")

    return spell


def _add_unknown(draft: Draft) -> None:
    """At the top, and inside where there is an inside."""
    unknown = {"x-field": {"y": [1, None, "\u00e9"]}}
    config = draft.body.get("mixconfig")
    if config is not None:
        config["output"] |= unknown
        config |= unknown
    draft.body |= unknown


def _add_other_names(draft: Draft) -> None:
    draft.body.update(taskid=draft.body["uid"], mixconfig=_TEMPLATE)


def _say_plainly(draft: Draft) -> None:
    for name in ("roomid", "taskid", "uid"):
        spell_name(name, lambda text: text.replace("-", "x"))(draft)
    spell_addresses(_end_plainly)(draft)


def _end_plainly(url: str) -> str:
    base, slash, name = url.rpartition("/")
    return base + slash + name.replace("-", "x")


def _say_twice(text: str) -> str:
    """Each key of the object has another value before."""
    earlier = dict.fromkeys(json.loads(text), 7)
    return json.dumps(earlier)[:-1] + ", " + text[1:]


def _rtmps(change: Callable[[str], str] = str) -> Change:
    return spell_addresses(lambda url: change(addresses.with_scheme(url, "rtmps")))


def _port(port: str) -> Change:
    return spell_addresses(lambda url: addresses.with_port(url, port))


STYLES: Final[Mapping[str, Style]] = {
    "plain": Style("start-path", "documented", lambda draft: None, BOTH),
    **dict(list_layouts()),
    "letters and digits": Style("roomid-form", "documented", _say_plainly, BOTH),
    "room of 64 characters": Style(
        "roomid-form",
        "documented",
        spell_name("roomid", lambda name: f"R_{name}".ljust(64, "-")),
        BOTH,
    ),
    "task of 64 characters": Style(
        "taskid-form",
        "documented",
        spell_name("taskid", lambda name: name.ljust(64, "_")),
        BOTH,
        MIXED,
    ),
    "user of 64 characters": Style(
        "uid-form",
        "documented",
        spell_name("uid", lambda name: name.ljust(64, "_")),
        BOTH,
        SOURCE,
    ),
    "address of 257 bytes": Style(
        "address-over-256", "documented", spell_addresses(lambda url: url.ljust(257, "a"))
    ),
    "address of 512 bytes": Style(
        "address-length", "documented", spell_addresses(lambda url: url.ljust(512, "a"))
    ),
    "address with a query": Style(
        "address-characters", "documented", spell_addresses(lambda url: f"{url}?a=~!$%26*()'b")
    ),
    "Authorization beside": Style(
        "no-authorization-header",
        "documented",
        lambda draft: draft.set_header("Authorization", "Basic bm9ib2R5Ondyb25n"),
        BOTH,
    ),
    "recommended trace id": Style(
        "trace-id",
        "documented",
        _trace(lambda trace_id: f"10.0.0.7-20261122093000123-{trace_id}"),
        BOTH,
    ),
    "body of 1 MiB": Style("body-size", "assumed", write(lambda text: text.ljust(2**20)), BOTH),
    "rtmps": Style("address-rtmps", "assumed", _rtmps()),
    **{
        f"rtmps, {name}": Style("address-comparison", "assumed", _rtmps(change))
        for name, change in addresses.SAME.items()
    },
    **{
        name: Style("address-comparison", "assumed", spell_addresses(change), BOTH)
        for name, change in addresses.SAME.items()
    },
    "look-alikes": Style("address-comparison", "assumed", spell_addresses(addresses.look_alike)),
    "address with a user": Style(
        "address-host",
        "assumed",
        spell_addresses(lambda url: addresses.with_user(url, "us-er:p4_ss")),
    ),
    "address on IPv6": Style("address-host", "assumed", spell_addresses(addresses.on_ipv6)),
    "address without a path": Style(
        "address-path-optional", "assumed", spell_addresses(addresses.without_path)
    ),
    "address of port 1": Style("address-port", "assumed", _port("1")),
    "address of port 65535": Style("address-port", "assumed", _port("65535")),
    "unknown fields": Style("field-unknown", "assumed", _add_unknown, BOTH),
    "fields of the other kind": Style(
        "field-ignored",
        "assumed",
        lambda draft: draft.body.update(taskid=5, mixconfig="x"),
        BOTH,
        SOURCE,
    ),
    "right fields of the other kind": Style(
        "field-ignored", "assumed", _add_other_names, BOTH, SOURCE
    ),
    "a user beside the task": Style(
        "field-ignored", "assumed", lambda draft: draft.body.update(uid=5), BOTH, MIXED
    ),
    "a right user beside the task": Style(
        "field-ignored", "assumed", lambda draft: draft.body.update(uid="u-1"), BOTH, MIXED
    ),
    "whole floats": Style(
        "json-whole-floats",
        "assumed",
        write(lambda text: re.sub(r'(": \d{1,15})([,}])', r"\1.0\2", text)),
        BOTH,
    ),
    "keys twice": Style("json-last-key", "assumed", write(_say_twice), BOTH),
    "white space": Style("json-body", "assumed", write(lambda text: f"\n {text}\t"), BOTH),
    "surrogates in pairs": Style(
        "json-surrogates",
        "assumed",
        write(lambda text: '{"x": "\\ud83d\\ude00 \u00e9", ' + text[1:]),
        BOTH,
    ),
    "no trace id": Style("trace-id-missing", "assumed", _trace(lambda trace_id: None), BOTH),
    "empty trace id": Style("trace-id-missing", "assumed", _trace(lambda trace_id: ""), BOTH),
    "long trace id": Style(
        "reply-trace-id",
        "assumed",
        _trace(lambda trace_id: f"10.0.0.7:80 {trace_id}.{'Ab9' * 25}"),
        BOTH,
    ),
}
"""{name: how it is said}; names of rooms and tasks come out the same in both operations."""
