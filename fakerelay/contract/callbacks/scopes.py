"""Which rules what is told can be held against, and why some of them are not."""

from collections.abc import Mapping
from typing import Final

from fakerelay import schemas
from fakerelay.contract.operations import Level

_PREFIX: Final = "callback-"
_REFUSED: Final = "refusal-changes-nothing"
_NO_ROUTE: Final = "no callback route: --callback-listen"
_DOCUMENTED: Final = "only assumed lines say what a notification looks like"
_NOTHING: Final = "nothing was told that shows it"
_NEVER_JUDGED: Final = {
    "callback-optional": "a service that may be off can't be missed",
    "callback-connection-failure": "whoever listens can't refuse a connection",
    "callback-order-across-tasks": "the contract keeps order per task and address only",
    "callback-notifytime": "nothing was told so late that it shows",
}


def list_callback_rules() -> frozenset[str]:
    """Those that only what is told can break."""
    return frozenset(each for each in schemas.rulebook() if each.startswith(_PREFIX)) | {_REFUSED}


def explain_skips(level: Level, *, has_route: bool) -> Mapping[str, str]:
    """Why a rule of callbacks was not compared, if it was not."""
    reason = _NOTHING if has_route else _NO_ROUTE
    if level == "documented":
        reason = _DOCUMENTED
    return {each: _NEVER_JUDGED.get(each, reason) for each in list_callback_rules()}
