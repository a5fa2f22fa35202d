"""Faults of push addresses: their form, how they are compared, and who holds them."""

from tests.mutants.faults.rows import assumed, documented

_UNIQUE = "address-unique"
_SAME = "address-comparison"
_FREED = "stop-frees-addresses"
_CLAIMED = "rejected-claims-nothing"

FAULTS = {
    "http-address-accepted": documented("address-scheme", "An address may be `http://`"),
    "empty-address-skipped": documented("address-scheme", "Empty parts between commas are skipped"),
    "rtmps-refused": assumed("address-rtmps", "`rtmps://` is refused"),
    "address-513-accepted": documented("address-length", "An address may have 513 bytes"),
    "address-512-refused": documented("address-length", "An address may not have 512 bytes"),
    "address-257-refused": documented("address-over-256", "An address may not have 257 bytes"),
    "chinese-address-accepted": documented("address-characters", "An address need not be ASCII"),
    "address-space-accepted": assumed("address-characters", "An address may hold a space"),
    "ipv6-refused": assumed("address-host", "A bracketed IPv6 host is refused"),
    "user-information-refused": assumed("address-host", "User information is refused"),
    "empty-port-accepted": assumed("address-port", "A port may be empty"),
    "port-unchecked": assumed("address-port", "A port may be anything"),
    "address-without-path-refused": assumed("address-path-optional", "An address needs a path"),
    "address-twice-accepted": assumed("address-once", "An address may stand in a request twice"),
    "addresses-compared-as-text": assumed(_SAME, "Addresses are compared as they are spelled"),
    "host-case-counts": assumed(_SAME, "The case of a host counts"),
    "default-port-counts": assumed(_SAME, "The default port counts"),
    "any-port-ignored": assumed(_SAME, "Ports do not count"),
    "path-case-ignored": assumed(_SAME, "The case of a path does not count"),
    "query-ignored": assumed(_SAME, "The query does not count"),
    "trailing-slash-ignored": assumed(_SAME, "A slash at the end does not count"),
    "user-information-ignored": assumed(_SAME, "User information does not count"),
    "address-cut-at-256": assumed(_SAME, "Of an address the first 256 bytes count"),
    "scheme-ignored": assumed(_SAME, "The scheme does not count"),
    "address-unchecked": documented(_UNIQUE, "Whoever holds an address is not looked at"),
    "custom-address-unchecked": documented(
        _UNIQUE, "Of a task without a template, nobody looks who holds its addresses"
    ),
    "update-address-unchecked": documented(_UNIQUE, "Updates do not look who holds an address"),
    "only-first-address-checked": documented(_UNIQUE, "Only the first address is compared"),
    "only-first-three-checked": documented(_UNIQUE, "Only the first three addresses are compared"),
    "only-last-address-checked": documented(_UNIQUE, "Only the last address is compared"),
    "first-address-unchecked": documented(_UNIQUE, "The first address is not compared"),
    "address-unchecked-across-kinds": documented(_UNIQUE, "Mixed and source tasks may share one"),
    "address-unchecked-for-namesakes": assumed(
        "kinds-apart", "A source and a mixed task of one name may share an address"
    ),
    "address-unchecked-within-kind": documented(_UNIQUE, "Tasks of one kind may share an address"),
    "address-unchecked-for-mixed": documented(_UNIQUE, "A mixed task takes whatever it wants"),
    "address-unchecked-across-rooms": documented(
        _UNIQUE, "Tasks of two rooms may share an address"
    ),
    "address-unchecked-within-room": documented(_UNIQUE, "Tasks of one room may share an address"),
    "address-unchecked-across-apps": assumed("address-scope", "Two apps may share an address"),
    "address-race": documented(_UNIQUE, "Of starts at the same time each gets the address"),
    "start-done-late": documented(_UNIQUE, "A start is answered 1 s before it is done"),
    "update-ignores-new": documented(_UNIQUE, "What an update adds is not held"),
    "update-drops-kept": documented(_UNIQUE, "What an update keeps is not held any more"),
    "never-released": documented(_FREED, "Addresses stay held after the stop"),
    "only-first-address-released": documented(_FREED, "A stop frees the first address only"),
    "only-last-address-released": documented(_FREED, "A stop frees the last address only"),
    "released-at-next-stop": documented(_FREED, "Addresses are freed at the next stop only"),
    "released-after-3-s": assumed("release-at-once", "Addresses are freed 3 s after the stop"),
    "left-addresses-kept": assumed(
        "update-replaces-addresses", "What an update leaves out stays held for good"
    ),
    "claims-though-token": documented(_CLAIMED, "A start with a bad token holds its addresses"),
    "claims-though-invalid-parameter": documented(
        _CLAIMED, "A start with an invalid field holds its addresses"
    ),
    "claims-though-address-in-use": documented(
        _CLAIMED, "A start refused for one address holds its others"
    ),
    "claims-though-quota-exceeded": documented(
        _CLAIMED, "A start over the quota holds its addresses"
    ),
    "claims-though-duplicate-address": assumed(
        _CLAIMED, "A start with an address twice holds it all the same"
    ),
}
