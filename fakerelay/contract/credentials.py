"""What can be wrong with a `token`, by name (`contract.md` section 2)."""

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from fakerelay.contract.drafts import Account, Draft, make_token
from fakerelay.contract.model import Fault
from fakerelay.contract.operations import Level

DOCUMENTED: Final[Level] = "documented"
ASSUMED: Final[Level] = "assumed"


class Credential(NamedTuple):
    """`spoil` changes a draft whose token is right."""

    fault: Fault
    spoil: Callable[[Draft], None]


def _use(make: Callable[[Account], str | None]) -> Callable[[Draft], None]:
    return lambda draft: draft.set_header("token", make(draft.account))


def _key(change: Callable[[str], str]) -> Callable[[Draft], None]:
    return _use(lambda account: make_token(account.certificate_id, change(account.certificate_key)))


def _id(change: Callable[[str], str]) -> Callable[[Draft], None]:
    return _use(lambda account: make_token(change(account.certificate_id), account.certificate_key))


def _other(letter: str) -> str:
    return "Z" if letter != "Z" else "Y"


def _move(draft: Draft) -> None:
    draft.set_header("token", None)
    draft.set_header("Authorization", draft.account.token)


def _borrow(draft: Draft) -> None:
    if draft.other is not None:
        draft.set_header("token", draft.other.token)


def _mix_up(draft: Draft) -> None:
    """The key of another's certificate; where there is none, the token is as it was."""
    if draft.other is not None:
        key = draft.other.certificate_key
        draft.set_header("token", make_token(draft.account.certificate_id, key))


def _known(spoil: Callable[[Draft], None], level: Level = DOCUMENTED) -> Credential:
    return Credential(Fault("certificate-known", "token_invalid", level), spoil)


def _malformed(rule: str, level: Level, make: Callable[[Account], str | None]) -> Credential:
    return Credential(Fault(rule, "token_malformed", level), _use(make))


OTHERS: Final = "of another account"

CREDENTIALS: Final[Mapping[str, Credential]] = {
    "no token": Credential(
        Fault("token-required", "token_missing", DOCUMENTED), _use(lambda account: None)
    ),
    "Authorization in its place": Credential(
        Fault("no-authorization-header", "token_missing", DOCUMENTED), _move
    ),
    "another key": _known(_key(lambda key: "another-key-than-this")),
    "key in other case": _known(_key(str.swapcase)),
    "beginning of the key": _known(_key(lambda key: key[:-1])),
    "key and more": _known(_key(lambda key: key + "x")),
    "key and a space": _known(_key(lambda key: key + " ")),
    "key with another first letter": _known(_key(lambda key: _other(key[0]) + key[1:])),
    "key with another last letter": _known(_key(lambda key: key[:-1] + _other(key[-1]))),
    "key backwards": _known(_key(lambda key: key[::-1])),
    "no key": _known(_key(lambda key: "")),
    "unknown certificate": _known(_id(lambda certificate: certificate + "-unknown")),
    "a space and the certificate": _known(_id(lambda certificate: f" {certificate}")),
    "certificate in other case": _known(_id(str.swapcase)),
    "key of another certificate": _known(_mix_up),
    "id for a key": _known(
        _use(lambda account: make_token(account.certificate_id, account.certificate_id))
    ),
    "key and more behind a colon": _known(_key(lambda key: f"{key}:x"), ASSUMED),
    OTHERS: Credential(Fault("certificate-opens-app", "app_forbidden", ASSUMED), _borrow),
    "Base for Basic": _malformed(
        "token-scheme", DOCUMENTED, lambda account: account.token.replace("Basic", "Base")
    ),
    "Bearer for Basic": _malformed(
        "token-scheme", DOCUMENTED, lambda account: account.token.replace("Basic", "Bearer")
    ),
    "small basic": _malformed(
        "token-form", ASSUMED, lambda account: account.token.replace("Basic", "basic")
    ),
    "two spaces": _malformed(
        "token-form", ASSUMED, lambda account: account.token.replace(" ", "  ")
    ),
    "no scheme": _malformed("token-scheme", DOCUMENTED, lambda account: account.token.split()[1]),
    "not encoded": _malformed(
        "token-header",
        DOCUMENTED,
        lambda account: f"Basic {account.certificate_id}:{account.certificate_key}",
    ),
    "a tab": _malformed("token-form", ASSUMED, lambda account: account.token.replace(" ", "\t")),
    "not base64": _malformed("token-form", ASSUMED, lambda account: "Basic %%%"),
    "no padding": _malformed("token-form", ASSUMED, lambda account: account.token.rstrip("=")),
    "no colon": _malformed(
        "token-form", ASSUMED, lambda account: "Basic " + b64encode(b"certificate").decode()
    ),
    "not UTF-8": _malformed(
        "token-form", ASSUMED, lambda account: "Basic " + b64encode(b"a:\xff\xfe").decode()
    ),
    "URL-safe base64 of the right": _malformed(
        "token-form", ASSUMED, lambda account: account.token.translate(str.maketrans("+/", "-_"))
    ),
    "URL-safe base64": _malformed(
        "token-form", ASSUMED, lambda account: "Basic " + urlsafe_b64encode(b"a:\xfb\xff?").decode()
    ),
}
"""{name: what it breaks, and how}; where that leaves a token as it was, it is not tried.

That of another account is none without an app of one."""
