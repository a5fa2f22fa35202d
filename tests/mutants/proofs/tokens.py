"""Proofs of the faults of authentication."""

from collections.abc import Mapping, Sequence
from typing import Final

from tests.mutants.calls import (
    Call,
    no,
    source,
    stop,
)
from tests.mutants.proofs.wordings import (
    ONE,
    TEXT,
    TWO,
    UNCLAIMED,
    bad,
    bad_key,
    taken,
    token,
)

PROOFS: Final[Mapping[str, Sequence[Call]]] = {
    "no-token-accepted": [no("token_missing", source().by())],
    "stop-token-unchecked": [source(), no("token_missing", stop().by())],
    "authorization-header-accepted": [
        no("token_missing", source().by())._replace(
            headers={"Content-Type": "application/json", "Authorization": ONE.token}
        )
    ],
    "base-scheme-accepted": [no("token_malformed", source().by(token().replace("Basic", "Base")))],
    "any-scheme-accepted": [no("token_malformed", source().by(token().replace("Basic", "Bearer")))],
    "wrong-key-accepted": [bad_key("wrong", source())],
    "stop-key-unchecked": [source(), bad_key("wrong", stop())],
    "key-prefix-accepted": [bad_key(ONE.certificate_key[:-1], source())],
    "longer-key-accepted": [bad_key(ONE.certificate_key + "x", source())],
    "key-case-ignored": [bad_key(ONE.certificate_key.lower(), source())],
    "key-letters-in-any-order": [bad_key(ONE.certificate_key[::-1], source())],
    "key-trimmed": [bad_key(ONE.certificate_key + " ", source())],
    "empty-key-accepted": [bad_key("", source())],
    "any-certificates-key-accepted": [bad_key(TWO.certificate_key, source())],
    "unknown-certificate-accepted": [no("token_invalid", source().by(token(name="nobody")))],
    "certificate-case-ignored": [
        no("token_invalid", source().by(token(name=ONE.certificate_id.upper())))
    ],
    "refused-start-done-anyway": [bad_key("wrong", source("b")), UNCLAIMED],
    "refused-stop-done-anyway": [source("b"), bad_key("wrong", stop()), taken(UNCLAIMED)],
    "foreign-app-accepted": [no("app_forbidden", source().by(TWO.token))],
    "scheme-case-ignored": [no("token_malformed", source().by(token().replace("B", "b", 1)))],
    "token-spaces-accepted": [no("token_malformed", source().by(token().replace(" ", "  ")))],
    "token-padding-optional": [no("token_malformed", source().by(token().rstrip("=")))],
    "fields-before-token": [no("token_missing", source(roomid=None).by())],
    "content-type-before-token": [no("token_missing", source().by()._replace(headers=TEXT))],
    "json-before-content-type": [
        no("unsupported_content_type", source())._replace(body=b"{", headers=TEXT)
    ],
    "appid-before-fields": [bad(source(appid=TWO.appid, roomid=None))],
}
