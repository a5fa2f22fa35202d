"""A request as it will be sent, still open to change."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from fakerelay.contract.operations import Operation, Start, name_operation

CONTENT_TYPE: Final = "application/json;charset=utf-8"
OUTPUT: Final[Mapping[str, Any]] = {
    **{"width": 640, "height": 360, "bitrate": 500, "fps": 15, "gop": 2},
    **{"audiobitrate": 128, "samplerate": 44_100, "channels": 2},
}
"""All that can be said of it: some may ask for all."""
_TEMPLATE: Final[Mapping[str, Any]] = {
    "templateid": 3,
    "output": OUTPUT,
}


class Account(NamedTuple):
    """An app and the certificate that opens it."""

    appid: int
    certificate_id: str
    certificate_key: str

    def __repr__(self) -> str:
        return f"Account({self.appid}, {self.certificate_id!r})"

    @property
    def token(self) -> str:
        return make_token(self.certificate_id, self.certificate_key)


@dataclass(slots=True)
class Draft:
    """`raw` is sent in place of the body, where given; `other` is another's account, if any."""

    account: Account
    operation: str
    trace_id: str | None
    body: dict[str, Any]
    method: str = "POST"
    path: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    raw: bytes | None = None
    other: Account | None = None

    def set_header(self, name: str, value: str | None) -> None:
        """Put a value in the place of whatever the header had; None takes it away."""
        kept = [each for each in self.headers if each[0].lower() != name.lower()]
        self.headers = kept if value is None else [*kept, (name, value)]

    @property
    def target(self) -> str:
        """Path and query."""
        query = "" if self.trace_id is None else f"?traceId={quote(self.trace_id)}"
        return self.path + query

    def encode(self) -> bytes:
        return json.dumps(self.body).encode() if self.raw is None else self.raw


TWINS: Final[Sequence[Callable[[str], str]]] = (
    str,
    str.swapcase,
    lambda name: name.replace("-", "_"),
    lambda name: f"{name}_",
    lambda name: name.ljust(63, "-") + "a",
    lambda name: name.ljust(63, "-") + "b",
)
"""Names of tasks that differ in little: symbol 8 is 0 by the next of these, 16 by the one after."""
_TWIN: Final = 8


class Names:
    """Real names for symbols: nobody else has them, and no other scenario.

    Only the first rooms are the `live_rooms`, which scenarios share. With `has_short_names`
    tasks have letters and digits alone, at most 20; then no name is like another.
    """

    def __init__(
        self,
        run_id: str,
        scenario: int,
        push_base: str,
        live_rooms: Sequence[str] = (),
        *,
        has_short_names: bool = False,
    ) -> None:
        self.run_id = run_id
        self._mark = f"{run_id}-{scenario}"
        self._base = push_base.rstrip("/")
        self._live_rooms = live_rooms
        self._has_short_names = has_short_names
        self._calls = 0

    def address(self, symbol: int) -> str:
        return f"{self._base}/{self._mark}-{symbol}"

    def task(self, symbol: int) -> str:
        twin, name = divmod(symbol, _TWIN)
        if self._has_short_names:
            return f"t{symbol}x{self._mark.replace('-', 'x')}"
        return TWINS[twin % len(TWINS)](f"t{name}-{self._mark}")

    def room(self, symbol: int) -> str:
        is_live = symbol < len(self._live_rooms)
        return self._live_rooms[symbol] if is_live else f"r{symbol}-{self._mark}"

    def trace(self) -> str:
        self._calls += 1
        return f"{self._mark}-{self._calls}"


def draft(operation: Operation, accounts: Mapping[int, Account], names: Names) -> Draft:
    """The request of an operation in which nothing is wrong yet."""
    account = accounts[operation.app]
    body: dict[str, Any] = {
        "appid": account.appid,
        "roomid": names.room(operation.room),
        "streamtype": 1 if operation.kind == "mixed" else 2,
        "taskid" if operation.kind == "mixed" else "uid": names.task(operation.task),
    }
    if operation.addresses is not None:
        body["rtmpurl"] = ",".join(map(names.address, operation.addresses))
    if isinstance(operation, Start) and operation.kind == "mixed":
        body["mixconfig"] = json.loads(json.dumps(_TEMPLATE))
    name = name_operation(operation)
    return Draft(
        account,
        name,
        names.trace(),
        body,
        path=f"/app/{account.appid}/v2/rtmpforward/{name}",
        headers=[("token", account.token), ("Content-Type", CONTENT_TYPE)],
        other=accounts.get(1 - operation.app),
    )


def make_token(certificate_id: str, certificate_key: str) -> str:
    credentials = f"{certificate_id}:{certificate_key}"
    return "Basic " + b64encode(credentials.encode()).decode()
