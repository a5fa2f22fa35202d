"""Who calls: the `token` header and the certificates (contract, section 2)."""

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tests.mutants.conduct import Conduct, Refused


class Account(NamedTuple):
    """One account with its only app and certificate."""

    appid: int
    certificate_id: str
    certificate_key: str

    @property
    def token(self) -> str:
        """The whole value of the header."""
        pair = f"{self.certificate_id}:{self.certificate_key}"
        return "Basic " + b64encode(pair.encode()).decode()


ACCOUNTS: Final = (
    Account(7101, "certificate-one", "KeyOfTheFirst01234567890"),
    Account(7102, "certificate-two", "KeyOfTheSecond987654321"),
)


def check_token(
    headers: Mapping[str, str], tokens: Sequence[str], appid: int, operation: str, conduct: Conduct
) -> None:
    """Raises Refused unless one well-formed token opens the app of the path."""
    is_stop = operation == "stoprtmp"
    if is_stop and conduct.has("stop-token-unchecked"):
        return
    if not tokens and conduct.has("authorization-header-accepted"):
        tokens = [headers[name] for name in headers if name.lower() == "authorization"]
    if not tokens:
        if conduct.has("no-token-accepted"):
            return
        raise Refused("token_missing")
    if len(tokens) > 1 and not conduct.has("several-tokens-accepted"):
        raise Refused("token_malformed", "more than one")
    certificate_id, key = _read(tokens[0], conduct)
    account = _find(certificate_id, conduct)
    if account is None:
        if conduct.has("unknown-certificate-accepted"):
            return
        raise Refused("token_invalid")
    loose = conduct.has("wrong-key-accepted") or (is_stop and conduct.has("stop-key-unchecked"))
    if not loose and not _is_key(key, account.certificate_key, conduct):
        raise Refused("token_invalid")
    if account.appid != appid and not conduct.has("foreign-app-accepted"):
        raise Refused("app_forbidden", str(appid))


def _read(token: str, conduct: Conduct) -> tuple[str, str]:
    scheme, _, rest = token.partition(" ")
    if conduct.has("token-spaces-accepted"):
        rest = rest.strip(" ")
    schemes = {"Basic", *(["Base"] if conduct.has("base-scheme-accepted") else [])}
    if conduct.has("scheme-case-ignored"):
        scheme = scheme.capitalize()
    if scheme not in schemes and not conduct.has("any-scheme-accepted"):
        raise Refused("token_malformed", "not Basic")
    if conduct.has("token-padding-optional"):
        rest = rest.rstrip("=") + "=" * (-len(rest.rstrip("=")) % 4)
    try:
        pair = b64decode(rest, validate=True).decode()
    except (Error, ValueError) as cause:
        raise Refused("token_malformed", "not base64 of UTF-8") from cause
    certificate_id, colon, key = pair.partition(":")
    if not colon:
        raise Refused("token_malformed", "no colon")
    return certificate_id, key


def _find(certificate_id: str, conduct: Conduct) -> Account | None:
    if conduct.has("certificate-case-ignored"):
        certificate_id = certificate_id.lower()
    return next((each for each in ACCOUNTS if each.certificate_id == certificate_id), None)


def _is_key(given: str, key: str, conduct: Conduct) -> bool:
    return (
        given == key
        or (conduct.has("key-prefix-accepted") and bool(given) and key.startswith(given))
        or (conduct.has("longer-key-accepted") and given.startswith(key))
        or (conduct.has("key-case-ignored") and given.lower() == key.lower())
        or (conduct.has("key-letters-in-any-order") and sorted(given) == sorted(key))
        or (conduct.has("key-trimmed") and given.strip() == key)
        or (conduct.has("empty-key-accepted") and not given)
        or (conduct.has("any-certificates-key-accepted") and given in _KEYS)
    )


_KEYS: Final = {account.certificate_key for account in ACCOUNTS}
