"""What tests call themselves, as the backend would."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fakerelay.client import RelayClient, Reply
from fakerelay.errors import FakerelayError
from fakerelay.relay.places import Place

_USER: Final = "user-1"
_TILED: Final[Mapping[str, Any]] = {"templateid": 3, "output": {}}


class Calls(Place):
    """Calls of the vendor API, with the relay's own credentials."""

    @property
    def client(self) -> RelayClient:
        """A client of the app, for coroutines: `await relay.client.start_source(...)`.

        It needs no `async with`, and ends with the relay.
        """
        return self._lodging.client

    def start(
        self,
        rtmpurl: str | Sequence[str],
        *,
        roomid: str = "room-1",
        uid: str | None = None,
        taskid: str | None = None,
        mixconfig: Mapping[str, Any] | None = None,
        trace_id: str | None = None,
    ) -> Reply:
        """Call `startrtmp`: for a user's own stream, or mixed where there is a `taskid`.

        The user is `user-1`, and the users of a room are tiled, unless it is said otherwise.
        """
        client = self.client
        if taskid is None:
            if mixconfig is not None:
                raise FakerelayError("A mixconfig needs a taskid: a user's own stream isn't mixed")
            user = _USER if uid is None else uid
            return self._host.run(client.start_source(roomid, user, rtmpurl, trace_id=trace_id))
        _refuse_both(taskid, uid)
        layout = _TILED if mixconfig is None else mixconfig
        return self._host.run(
            client.start_mixed(roomid, taskid, rtmpurl, layout, trace_id=trace_id)
        )

    def stop(
        self,
        rtmpurl: str | Sequence[str] | None = None,
        *,
        roomid: str = "room-1",
        uid: str | None = None,
        taskid: str | None = None,
        trace_id: str | None = None,
    ) -> Reply:
        """Call `stoprtmp`, for the whole task or some of its addresses; `start` says which."""
        client = self.client
        if taskid is None:
            user = _USER if uid is None else uid
            return self._host.run(client.stop_source(roomid, user, rtmpurl, trace_id=trace_id))
        _refuse_both(taskid, uid)
        return self._host.run(client.stop_mixed(roomid, taskid, rtmpurl, trace_id=trace_id))


def _refuse_both(taskid: str, uid: str | None) -> None:
    if uid is not None:
        raise FakerelayError(
            f"A task is a user's own stream or mixed: leave out uid {uid!r} or taskid {taskid!r}"
        )
