"""What is judged: a server, what may be asked of it, and what it can do for a judge."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from fakerelay.contract.clients import Client
from fakerelay.contract.drafts import Account, Names
from fakerelay.contract.model import Policy
from fakerelay.errors import ConfigError

PUSH_BASE: Final = "rtmp://push.invalid/live"
PATIENCE_SECONDS: Final = 10.0
_LONGEST_BASE: Final = 200
_USUAL: Final = Policy()


@dataclass(frozen=True, slots=True)
class Target:
    """A server, and what may be judged there; account 1 is another one's, if there is any.

    `live_rooms` are used in place of made-up ones, if there are any. `calls_per_second` are not
    exceeded; 0 is no limit. `release_seconds` are how long an address is kept after its task, and
    `has_short_names` says that a task's has letters and digits alone, at most 20.
    """

    url: str
    accounts: Mapping[int, Account]
    push_base: str = PUSH_BASE
    policy: Policy = _USUAL
    live_rooms: Sequence[str] = ()
    ssl_context: ssl.SSLContext | None = None
    calls_per_second: int = 0
    release_seconds: float = 0.0
    has_short_names: bool = False

    def open_client(self, timeout_seconds: float = PATIENCE_SECONDS) -> Client:
        return Client(
            self.url,
            ssl_context=self.ssl_context,
            timeout_seconds=timeout_seconds,
            calls_per_second=self.calls_per_second,
        )

    def make_names(self, run_id: str, scenario: int) -> Names:
        return Names(
            run_id,
            scenario,
            self.push_base,
            self.live_rooms,
            has_short_names=self.has_short_names,
        )


def make_target(
    url: str,
    accounts: Mapping[int, Account],
    profile: Mapping[str, Any],
    *,
    push_base: str = PUSH_BASE,
    live_rooms: Sequence[str] = (),
    is_shared: bool = False,
    ssl_context: ssl.SSLContext | None = None,
) -> Target:
    """A target that is as the profile says.

    An account that `is_shared` may run other tasks meanwhile. Raises ConfigError for what can't be
    judged like that.
    """
    _check_base(push_base)
    if profile["release_seconds"] > PATIENCE_SECONDS:
        raise ConfigError(
            f"Can't verify with release_seconds={profile['release_seconds']!r}: what a task held is"
            f" waited for {PATIENCE_SECONDS:g} s at most"
        )
    if profile["requires_live_room"] and not live_rooms:
        raise ConfigError("Can't verify with requires_live_room and no room that is live: --room")
    return Target(
        url,
        accounts,
        push_base,
        Policy(
            profile["concurrent_pushes"],
            profile["mixed_tasks_per_room"],
            profile["address_scope"],
            len(live_rooms) if profile["requires_live_room"] else None,
            is_shared,
            profile["legacy_paths"],
        ),
        live_rooms,
        ssl_context,
        profile["rate_limit_per_second"],
        profile["release_seconds"],
        profile["taskid_style"] == "alphanumeric20",
    )


def _check_base(push_base: str) -> None:
    parts = urlsplit(push_base)
    is_plain = push_base.isascii() and push_base.isprintable() and not set(push_base) & set(" ,?#")
    is_address = push_base.startswith("rtmp://") and bool(parts.hostname)
    if not (is_plain and is_address and len(push_base) <= _LONGEST_BASE):
        raise ConfigError(
            f"Can't use push base {push_base!r}: it is to be what RTMP addresses begin with, as in"
            f" {PUSH_BASE!r}, at most {_LONGEST_BASE} characters"
        )
