"""Faults of tasks: identity, quota, updates, stops."""

from tests.mutants.faults.rows import assumed, documented

_QUOTA = "concurrent-pushes"
_ROOM = "mixed-tasks-per-room"
_UPDATES = "start-updates"
_ENDS = "stop-ends-task"
_MANY = {"concurrent_pushes": 8}

FAULTS = {
    "name-case-ignored": documented("task-identity", "The case of a name does not count"),
    "name-cut-at-32": documented("task-identity", "Of a name the first 32 bytes count"),
    "quota-one-less": documented(_QUOTA, "The quota is one less than told"),
    "quota-one-more": documented(_QUOTA, "The quota is one more than told"),
    "quota-unchecked": documented(_QUOTA, "There is no quota"),
    "quota-unchecked-for-mixed": documented(_QUOTA, "Mixed tasks are free of the quota"),
    "quota-unchecked-for-source": documented(_QUOTA, "Source tasks are free of the quota"),
    "quota-per-room": documented(_QUOTA, "The quota is that of a room"),
    "quota-per-kind": documented(_QUOTA, "Mixed and source tasks have a quota each"),
    "quota-across-apps": documented(_QUOTA, "The tasks of all apps count"),
    "quota-counts-addresses": assumed("concurrent-pushes-counted", "Addresses count, not tasks"),
    "stop-keeps-quota": documented(_QUOTA, "A stop does not give its place back"),
    "unknown-stop-frees-quota": assumed(
        "refusal-changes-nothing", "A refused stop gives a place back"
    ),
    "rejected-start-counts": documented("rejected-claims-nothing", "A refused start takes a place"),
    "template-fixed": documented(
        _UPDATES, "A task can't change from a template to a layout of its own, nor back"
    ),
    "update-counts": documented("update-at-full-quota", "Each update takes a place more"),
    "full-quota-refuses-updates": documented(
        "update-at-full-quota", "At full quota updates are refused too"
    ),
    "quota-race": documented(_QUOTA, "Starts at the same time all get the last place"),
    "room-quota-one-less": documented(_ROOM, "Four mixed tasks fill a room"),
    "room-quota-one-more": documented(_ROOM, "Six mixed tasks fit into a room", _MANY),
    "room-quota-unchecked": documented(_ROOM, "Any number of mixed tasks fits in a room", _MANY),
    "room-quota-not-freed": documented(_ROOM, "A stop leaves a room as full as it was", _MANY),
    "room-quota-counts-sources": documented(_ROOM, "Source tasks fill a room too", _MANY),
    "room-quota-across-rooms": documented(_ROOM, "The mixed tasks of all rooms count", _MANY),
    "quota-before-address": assumed("order-of-rules", "quota_exceeded wins over address_in_use"),
    "address-before-room": assumed("order-of-rules", "address_in_use wins over room_mismatch"),
    "room-quota-before-quota": assumed(
        "order-of-rules", "room_quota_exceeded wins over quota_exceeded"
    ),
    "update-refused": documented(_UPDATES, "A running task can't be updated"),
    "second-update-refused": documented(_UPDATES, "A task can be updated only once"),
    "unchanged-update-refused": documented(_UPDATES, "An update of the layout alone is refused"),
    "update-holds-itself-up": documented(_UPDATES, "An update's own addresses are in use"),
    "rooms-part-names": assumed("room-fixed", "The same name in another room is another task"),
    "room-may-change": assumed("room-fixed", "An update may move a task to another room"),
    "update-merges": assumed("update-replaces-addresses", "An update only adds addresses"),
    "update-ignores-addresses": documented(_UPDATES, "An update leaves the addresses alone"),
    "update-not-atomic": documented(
        "rejected-claims-nothing", "A refused update holds those addresses that were free"
    ),
    "flawed-update-loses-addresses": assumed(
        "update-atomic", "An update with something wrong in it frees what the task holds"
    ),
    "rejected-update-loses-addresses": assumed(
        "update-atomic", "A refused update lets go of the addresses it leaves out"
    ),
    "rejected-start-claims-id": documented(
        "rejected-claims-nothing", "The name in a refused start is used up"
    ),
    "restart-refused": assumed("restart-is-new", "A name can't be used again after the stop"),
    "restart-remembers-room": assumed("restart-is-new", "A name stays bound to its first room"),
    "kinds-share-names": assumed("kinds-apart", "A uid can't be the name of a mixed task"),
    "apps-share-names": assumed("task-identity-per-app", "A name is unique across apps"),
    "stop-refused": documented(_ENDS, "Every stop is refused"),
    "stop-does-nothing": documented(_ENDS, "A stop is accepted and ends nothing"),
    "stop-does-nothing-for-mixed": documented(_ENDS, "A stop ends no mixed task"),
    "stop-does-nothing-for-source": documented(_ENDS, "A stop ends no source task"),
    "stop-ends-room": documented(_ENDS, "A stop ends every task of the room"),
    "stop-done-late": assumed("release-at-once", "A stop is answered 1 s before it is done"),
    "stop-kind-ignored": assumed("kinds-apart", "A stop ends the task of either kind"),
    "unknown-stop-accepted": assumed("stop-running-task", "A stop of what never ran is accepted"),
    "second-stop-accepted": assumed("stop-running-task", "A stop of what was stopped is accepted"),
    "stop-in-any-room": assumed("stop-room", "A stop's room is not compared"),
    "partial-stop-ends-all": assumed("stop-partial", "A stop of one address ends the task"),
    "partial-stop-ignored": assumed("stop-partial", "A stop of one address ends nothing"),
    "partial-stop-keeps-empty-task": assumed(
        "stop-partial", "A task whose addresses all were stopped runs on"
    ),
    "stop-of-foreign-address-accepted": assumed(
        "stop-own-addresses", "A stop may name addresses that are not the task's"
    ),
}
