"""Who calls, and whether the certificate opens the app (`contract.md` section 2)."""

from binascii import Error as Base64Error
from binascii import a2b_base64
from functools import lru_cache
from hmac import compare_digest
from itertools import islice
from typing import Final

from fakerelay.core import problems
from fakerelay.core.model import Certificate
from fakerelay.core.problems import Problem
from fakerelay.core.world import World

_MOST_LISTED: Final = 5
_SCHEME: Final = "Basic "
_NOBODY: Final = Certificate("", "no certificate has this key", "")


@lru_cache(maxsize=128)
def read_token(header: str | None) -> tuple[str, str] | Problem:
    """Certificate id and key of a `token` header, in exactly the documented form."""
    if header is None:
        return problems.token_missing()
    if not header.startswith(_SCHEME):
        return problems.token_malformed("token-scheme", "the scheme is 'Basic' and one space")
    try:
        text = a2b_base64(header[len(_SCHEME) :], strict_mode=True).decode()
    except (Base64Error, ValueError):
        return problems.token_malformed("token-form", "padded standard base64 of UTF-8")
    certificate_id, colon, key = text.partition(":")
    if not colon:
        return problems.token_malformed("token-form", "certificateId:certificateKey, with a colon")
    return certificate_id, key


def check_certificate(
    view: World, certificate_id: str, key: str, now: float
) -> Certificate | Problem:
    """The certificate, if it is known, active and this is its key; compared in constant time."""
    certificate = view.certificate(certificate_id)
    is_right = compare_digest((certificate or _NOBODY).key.encode(), key.encode())
    if certificate is None:
        return problems.token_invalid("certificate-known", "no certificate has this id")
    if not is_right:
        return problems.token_invalid("certificate-known", _explain_key(certificate, key))
    if certificate.is_revoked(now):
        return problems.token_invalid("certificate-active", "the certificate was revoked")
    return certificate


def _explain_key(certificate: Certificate, key: str) -> str:
    """For the journal only: the reply never says whether it is the id or the key."""
    if compare_digest(certificate.key.encode(), key.strip().encode()):
        return f"the key of {certificate.id!r} with white space around it (echo without -n?)"
    return f"not the key of {certificate.id!r}"


def check_app(view: World, certificate: Certificate, appid: int) -> Problem | None:
    """Whether the certificate's account owns the app."""
    app = view.app(appid)
    if app is None:
        own = (str(each.appid) for each in view.apps() if each.account == certificate.account)
        opened = ", ".join(islice(own, _MOST_LISTED))
        opens = f"; this certificate opens {opened}" if opened else ""
        return problems.app_forbidden(appid, f"no such app{opens}")
    if app.account != certificate.account:
        return problems.app_forbidden(appid, "the app is another account's")
    return None
