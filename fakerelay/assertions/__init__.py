"""Assertions on a relay: each passes, or says what is the case instead, and what comes nearest."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from fakerelay.assertions import calls, layouts, leftovers, pushes
from fakerelay.evidence import Json

if TYPE_CHECKING:
    from fakerelay.assertions.layouts import Tiles


class Assertions:
    """What a test says of a relay; all raise AssertionError, and none waits or changes anything.

    They rest on what the control plane tells, and don't guess where it has forgotten requests or
    callbacks for want of room. What can never hold, as a mistyped name of an operation or a field,
    raises FakerelayError.
    """

    if TYPE_CHECKING:

        def control(self, verb: str, /, **parameters: Any) -> Any: ...

    def assert_pushing(self, rtmpurl: str | Sequence[str]) -> None:
        """A running task pushes to the address, or to each of several, and with success."""
        __tracebackhide__ = True
        _fail(pushes.find_not_pushing(self.control, rtmpurl))

    def assert_stopped(self, rtmpurl: str | Sequence[str]) -> None:
        """The address, or each of several, was pushed to, and isn't any more."""
        __tracebackhide__ = True
        _fail(pushes.find_not_stopped(self.control, rtmpurl))

    def assert_layout(self, task: str, tiles: "Tiles", *, appid: int | None = None) -> None:
        """The running mixed task shows these users, and no others, at `(x, y, width, height)`.

        A user who is shown of several rooms is named `(uid, roomid)`. `appid` says whose task it
        is where several apps run one of that name.
        """
        __tracebackhide__ = True
        _fail(layouts.find_difference(self.control, task, tiles, appid))

    def assert_called(
        self, operation: Literal["startrtmp", "stoprtmp"], times: int | None = None, **fields: Any
    ) -> Sequence[Json]:
        """The operation was called with such fields so often, at least once by default.

        Answers those requests, oldest first, as `requests` lists them. Fields are those of the
        body, and `traceid`, `code`, `rule`, `accepted`, `status` and `appid` of the journal. An
        `rtmpurl` is one or several addresses, which must be among the request's; a `rule` has
        refused it, or warned of it; a `code` was told, or decided before a fault came. None is for
        a field that a request hasn't.
        """
        __tracebackhide__ = True
        if "trace_id" in fields:
            fields["traceid"] = fields.pop("trace_id")
        found = calls.find_calls(self.control, operation, times, fields)
        _fail(found.failure)
        return found.requests

    def assert_no_leftovers(self) -> None:
        """No task runs, and no callback is pending, held or given up."""
        __tracebackhide__ = True
        _fail(leftovers.find_leftovers(self.control))


def _fail(failure: str | None) -> None:
    __tracebackhide__ = True
    if failure is not None:
        raise AssertionError(failure)
