"""Faults of the push status that is told to the customer."""

from tests.mutants.faults.rows import assumed

_CONTEXT = "callback-context"
_ENVELOPE = "callback-envelope"
_RETRIES = "callback-at-least-once"
_GIVEN_UP = "callback-given-up"

FAULTS = {
    "callbacks-never": assumed("callback-start", "Nothing is ever told"),
    "starts-not-told": assumed("callback-start", "Starts are not told"),
    "stops-not-told": assumed("callback-stop", "Stops are not told"),
    "only-first-address-told": assumed("callback-per-address", "Only one address is told"),
    "addresses-told-together": assumed("callback-per-address", "Addresses are told in one piece"),
    "only-first-stop-told": assumed("callback-stop", "A stop tells its first address only"),
    "callback-twice": assumed("callback-per-address", "Each change is told by two notifications"),
    "callback-early": assumed("callback-after-reply", "A change is told before the reply"),
    "stop-told-before-start": assumed("callback-order", "A start is told after the stop"),
    "later-status-overtakes": assumed(
        "callback-order", "A later status does not wait for the retries of an earlier one"
    ),
    "refusals-told": assumed("refusal-changes-nothing", "A refused start is told as a success"),
    "kept-told": assumed("callback-update", "An update tells what stays"),
    "left-not-told": assumed("callback-update", "An update does not tell what left"),
    "came-not-told": assumed("callback-update", "An update does not tell what came"),
    "callback-status-wrong": assumed("callback-start", "A start is told as 3, a stop as 0"),
    "callback-status-illegal": assumed("callback-statuses", "Statuses are 4 and 7"),
    "callback-task-wrong": assumed(_CONTEXT, "Another task's name is told"),
    "callback-app-wrong": assumed(_ENVELOPE, "Another app is told"),
    "callback-room-wrong": assumed(_ENVELOPE, "Another room is told"),
    "callback-address-wrong": assumed(_CONTEXT, "Another address is told"),
    "callback-trace-wrong": assumed(_CONTEXT, "Another call's traceId is told"),
    "callback-streamtype-wrong": assumed(_CONTEXT, "The other streamtype is told"),
    "callback-starttime-wrong": assumed(_CONTEXT, "The start is told an hour early"),
    "starttime-in-seconds": assumed(_CONTEXT, "The start is told in seconds"),
    "callback-rtmpurl-missing": assumed(_CONTEXT, "The address is not told"),
    "callback-starttime-missing": assumed(_CONTEXT, "The time of the start is not told"),
    "callback-traceid-missing": assumed(_CONTEXT, "The call is not told"),
    "callback-status-missing": assumed(_CONTEXT, "The status is not told"),
    "callback-product-wrong": assumed("callback-numbers", "`product` is 1"),
    "callback-msgtype-wrong": assumed("callback-numbers", "`msgtype` is 2"),
    "callback-msgname-wrong": assumed("callback-numbers", "`msgname` is another"),
    "callback-no-json": assumed(_ENVELOPE, "The content type is text"),
    "callback-put": assumed(_ENVELOPE, "The method is PUT"),
    "notifytime-in-seconds": assumed(_ENVELOPE, "`notifytime` is in seconds"),
    "msgid-missing": assumed(_ENVELOPE, "There is no `msgid`"),
    "msgid-a-number": assumed(_ENVELOPE, "`msgid` is a number"),
    "msgid-reused": assumed(_ENVELOPE, "All notifications share a `msgid`"),
    "msgid-changes": assumed(_RETRIES, "Each attempt has a `msgid` of its own"),
    "body-changes": assumed(_RETRIES, "Each attempt has a `notifytime` of its own"),
    "never-retried": assumed(_RETRIES, "What failed is not tried again"),
    "500-taken-for-success": assumed(_RETRIES, "A 5xx is taken for a success"),
    "retried-at-once": assumed(_RETRIES, "What failed is tried again without a pause"),
    "given-up-after-three": assumed(_GIVEN_UP, "A notification is given up after three attempts"),
    "retried-once-too-often": assumed(_GIVEN_UP, "There is a seventh attempt"),
}
