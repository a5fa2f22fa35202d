"""What goes on in a relay, and what its user lets happen there."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from fakerelay.assertions import Assertions
from fakerelay.errors import FakerelayError, nearest
from fakerelay.inboxes import Callbacks
from fakerelay.relay.places import Place
from fakerelay.silence import explain_silence
from fakerelay.tenants import DEFAULT_WORLD

PushStatus = (
    Literal["pushing", "recovered", "cdn_failed", "internal_failed", "stopped", "connecting"] | int
)
_SETTLE_SECONDS: Final = 1.0


class Insights(Place, Assertions):
    """Tasks, requests, callbacks and all else that the control plane tells of its world."""

    _callbacks: Callbacks | None = None

    @property
    def has_faults(self) -> bool:
        """Whether its world has any fault plan, met or not."""
        return self._lodging.is_made and len(self._lodging.world.faults) > 0

    @property
    def callbacks(self) -> Callbacks:
        """The push-status callbacks that came; what `callback_url` sends elsewhere, doesn't."""
        self._lodging.use()
        if self._callbacks is None:
            self._running()
            url = self.callback_url
            told = (
                "Callbacks are off (callback_url=None)"
                if url is None
                else f"The callbacks of this relay go to {url!r}"
            )
            raise FakerelayError(
                f"{told}: to receive them here, leave callback_url out;"
                " control('callbacks') lists them"
            )
        return self._callbacks

    def tasks(self, **filters: Any) -> list[dict[str, Any]]:
        """The running tasks, as the control plane's `tasks` tells them."""
        __tracebackhide__ = True
        listed: list[dict[str, Any]] = self.control("tasks", **filters)["items"]
        return listed

    def requests(self, **filters: Any) -> list[dict[str, Any]]:
        """The journal, oldest first, as the control plane's `requests` tells it."""
        __tracebackhide__ = True
        listed: list[dict[str, Any]] = self.control("requests", **_name_trace(filters))["items"]
        return listed

    def notifications(self, **filters: Any) -> list[dict[str, Any]]:
        """What it has to tell, with every attempt, as the control plane's `callbacks` tells it."""
        __tracebackhide__ = True
        listed: list[dict[str, Any]] = self.control("callbacks", **_name_trace(filters))["items"]
        return listed

    def push_status(self, rtmpurl: str, status: PushStatus, *, after_seconds: float = 0.0) -> None:
        """Let the push to an address take a status, as the vendor would notice by itself.

        0 or `pushing`, 1 or `cdn_failed`, 2 or `internal_failed`, 3 or `stopped`, or `connecting`;
        now, or in so many seconds of the world's time. Raises FakerelayError where no task pushes
        there.
        """
        __tracebackhide__ = True
        tasks = self.tasks(rtmpurl=rtmpurl, appid=self.appid)
        if not tasks:
            known = [push["rtmpurl"] for task in self.tasks() for push in task["pushes"]]
            raise FakerelayError(f"No task pushes to {rtmpurl!r}{nearest(rtmpurl, known)}")
        name = "taskid" if tasks[0].get("taskid") is not None else "uid"
        self.control(
            "set_push_status",
            **{"appid": self.appid, name: tasks[0][name], "rtmpurl": rtmpurl, "status": status},
            **({"after_seconds": after_seconds} if after_seconds else {}),
        )

    def control(self, verb: str, /, **parameters: Any) -> Any:
        """Do a verb of the control plane, from any thread. Raises ControlError.

        Called inside the loop that the relay runs in, it can't wait: `wait_seconds` needs
        `await acontrol(...)`, and what is forgotten is gone at once, but a callback of it that is
        in flight may still arrive within a second.
        """
        __tracebackhide__ = True
        try:
            control = self._running().control
            bound = self._lodging.bind(verb, parameters)
            if self._host.is_here or self._host.stands_still:
                return control.call_at_once(verb, **bound)
            return self._host.run(control.call(verb, **bound))
        except FakerelayError as error:
            raise error.with_traceback(None) from None

    async def acontrol(self, verb: str, /, **parameters: Any) -> Any:
        """Do a verb of the control plane, waiting without standing in the loop's way."""
        __tracebackhide__ = True
        try:
            control = self._running().control
            bound = self._lodging.bind(verb, parameters)
            return await self._host.arun(control.call(verb, **bound))
        except FakerelayError as error:
            raise error.with_traceback(None) from None

    def report(self) -> str:
        """What went on in its world, as the section of a failed test tells it."""
        from fakerelay.timeline import collect, render_timeline  # only for who wants to read it

        __tracebackhide__ = True
        return render_timeline(collect(self.control, strays=self._find_strays()))

    def _find_strays(self) -> Sequence[Mapping[str, Any]]:
        """What was asked of the server by paths that name no app, while this world was there."""
        after = self._lodging.strays_after
        if after is None:
            return ()
        listed = self.control("requests", world=DEFAULT_WORLD, after=after)["items"]
        return [each for each in listed if each["operation"] is None]

    def find_leftovers(self) -> list[str]:
        """What strict tests fail for: what still runs or is pending, callbacks nobody looked for.

        Callbacks that are on their way are waited for, a second at most.
        """
        self._host.run(self._lodging.world.delivery.settle(_SETTLE_SECONDS))
        complaints = []
        try:
            self.assert_no_leftovers()
        except AssertionError as error:
            complaints.append(str(error))
        unexpected = self._callbacks.unexpected() if self._callbacks is not None else []
        return complaints + [
            f"Nobody looked for a callback: {each.describe()}" for each in unexpected
        ]

    def _explain_silence(self) -> Iterator[str]:
        """Why a callback that is waited for may not have come."""
        return explain_silence(self.control)


def _name_trace(filters: Mapping[str, Any]) -> Mapping[str, Any]:
    """As the control plane spells it, who is told `trace_id` by callbacks and replies."""
    return {"traceid" if name == "trace_id" else name: value for name, value in filters.items()}
