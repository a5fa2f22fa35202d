"""What has happened that somebody outside may have to be told."""

from dataclasses import dataclass

from fakerelay.core.model import PushAddress, TaskKey


@dataclass(slots=True)
class PushStatusChanged:
    """The push to one address took a new status; `trace_id` is None where no call caused it."""

    key: TaskKey
    room_id: str
    address: PushAddress
    status: int
    started_at: float
    trace_id: str | None
