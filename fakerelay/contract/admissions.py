"""Whether a target lets the kit in at all: where it doesn't, its refusals are about no rule."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fakerelay.contract.answers import Errors
from fakerelay.contract.clients import Observed, show
from fakerelay.contract.drafts import Account
from fakerelay.contract.operations import Start
from fakerelay.contract.targets import Target

_OPTIONS: Final = (
    ("--app", "FAKERELAY_CERTIFICATE_KEY"),
    ("--other-app", "FAKERELAY_OTHER_CERTIFICATE_KEY"),
)
"""What says who the kit is, by account."""
_TOKEN: Final = "is {key} the key of certificate {certificate!r}, and does the target know it?"
_HINTS: Final[Mapping[str, str]] = {
    "token_missing": _TOKEN,
    "token_malformed": _TOKEN,
    "token_invalid": _TOKEN,
    "app_forbidden": "has the target app {appid}, and may certificate {certificate!r} open it?"
    " See {option}",
    "room_not_live": "it takes live rooms only: name some that are by --room ROOM:UID,...",
    "quota_exceeded": "do tasks run in app {appid} already? Stop them first",
}
"""{problem: what to look at, where its code is answered}."""
_ANY_HINT: Final = (
    "is {option} {appid}:{certificate} an app of the target, and {key} its key?"
    " If it takes live rooms only: --room ROOM:UID,..."
)


def list_starts(app: int, target: Target) -> Sequence[Start]:
    """One of each sort that a right server lets in; who lets in one of them chooses."""
    room = 1 if target.policy.live_rooms is None and len(target.live_rooms) != 1 else 0
    plain = [] if target.live_rooms else [Start(4, (5,), app=app, style="letters and digits")]
    return [
        Start(0, (0,), app=app),
        Start(1, (1,), "mixed", app=app),
        Start(2, (2,), "mixed", app=app, style="custom layout"),
        Start(3, (3, 4), room=room, app=app),
        *plain,
    ]


def explain(app: int, account: Account, refusal: Observed, errors: Errors) -> str:
    """What to look at where nothing is let in, by what was answered to the first start."""
    option, key = _OPTIONS[app]
    hint = _HINTS.get(_name_problem(refusal, errors) or "", _ANY_HINT)
    words: dict[str, Any] = {"option": option, "key": key, "appid": account.appid}
    asked = hint.format(**words, certificate=account.certificate_id)
    return f"the target refuses every start of app {account.appid} ({show(refusal)}): {asked}"


def _name_problem(refusal: Observed, errors: Errors) -> str | None:
    """What its code means in the profile."""
    code = None if refusal.envelope is None else refusal.envelope["code"]
    return next((name for name, error in errors.items() if error["code"] == code), None)
