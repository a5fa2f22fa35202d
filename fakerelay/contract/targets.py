"""What is judged: a server, and what may be asked of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fakerelay.contract.drafts import Account
from fakerelay.contract.model import Policy

_USUAL: Final = Policy()


@dataclass(frozen=True, slots=True)
class Target:
    """A server, and what may be judged there; account 1 is another one's, if there is any."""

    url: str
    accounts: Mapping[int, Account]
    push_base: str = "rtmp://push.invalid/live"
    policy: Policy = _USUAL
