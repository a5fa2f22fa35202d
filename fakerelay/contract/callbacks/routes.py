"""The way that push statuses take to the kit, and what they are answered on it."""

import threading
import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Final, Self

from fakerelay.contract.callbacks.arrivals import Answer, Arrival, Terms, read_json, read_text
from fakerelay.contract.callbacks.receivers import Receiver

_HOLD_SECONDS: Final = 0.3
_MOST_HELD: Final = 3


class Route:
    """Listens while it is entered: `url` is what a server has to be told. Raises ConfigError.

    What is told of a call that is still under way is held for a moment: a server that waits for
    the answer before it replies is then clearly too early. `terms` are what the profile says.
    """

    def __init__(self, terms: Terms, host: str = "127.0.0.1", port: int = 0) -> None:
        self.terms = terms._replace(epoch=time.time() - time.monotonic())
        self._receiver = Receiver(self._choose, host, port, terms.timeout_seconds)
        self.url = self._receiver.url
        self._is_idle = threading.Event()
        self._is_idle.set()
        self._held = 0
        self._troubles: dict[str, list[Answer]] = {}
        self._known: set[str] = set()

    def __enter__(self) -> Self:
        self._receiver.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._receiver.__exit__(exc_type, exc, traceback)

    def begin(self, troubles: Mapping[str, Iterable[Answer]]) -> None:
        """A call is under way; some addresses are to get these answers first."""
        for address, answers in troubles.items():
            self._troubles.setdefault(address, list(answers))
        self._is_idle.clear()

    def end(self, trace_id: str | None = None) -> None:
        """It has been answered."""
        if trace_id is not None:
            self._known.add(trace_id)
        self._is_idle.set()

    def take(self) -> list[Arrival]:
        """What has come since it was asked last."""
        return self._receiver.take()

    def wait(self, seconds: float) -> None:
        """Until something is there to be taken, or so long."""
        self._receiver.wait(seconds)

    def _choose(self, body: bytes) -> Answer:
        """For threads of the receiver."""
        content = read_json(body)
        trace_id = read_text(content, "traceId")
        if self._held < _MOST_HELD and trace_id not in self._known:
            self._held += not self._is_idle.wait(_HOLD_SECONDS)
        answers = self._troubles.get(read_text(content, "rtmpurl") or "")
        return answers.pop(0) if answers else Answer()
