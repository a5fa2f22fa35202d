"""Faults of authentication."""

from tests.mutants.faults.rows import assumed, documented

_KNOWN = "certificate-known"

FAULTS = {
    "no-token-accepted": documented("token-required", "A call without a token is taken"),
    "stop-token-unchecked": documented("token-required", "stoprtmp is not authenticated at all"),
    "authorization-header-accepted": documented(
        "no-authorization-header", "`Authorization` replaces a token that is missing"
    ),
    "base-scheme-accepted": documented("token-scheme", "`Base` is taken for `Basic`"),
    "any-scheme-accepted": documented("token-scheme", "Any word is taken for `Basic`"),
    "wrong-key-accepted": documented(_KNOWN, "The key of a known certificate is not compared"),
    "stop-key-unchecked": documented(_KNOWN, "stoprtmp does not compare the key"),
    "key-prefix-accepted": documented(_KNOWN, "The beginning of the key is enough"),
    "longer-key-accepted": documented(_KNOWN, "What follows the key is not looked at"),
    "key-case-ignored": documented(_KNOWN, "The key's case does not count"),
    "key-letters-in-any-order": documented(_KNOWN, "The order of the key's letters is no matter"),
    "key-trimmed": documented(_KNOWN, "Blanks around the key do not count"),
    "empty-key-accepted": documented(_KNOWN, "An empty key is taken"),
    "any-certificates-key-accepted": documented(_KNOWN, "Another certificate's key is taken"),
    "unknown-certificate-accepted": documented(_KNOWN, "An unknown certificate is taken"),
    "certificate-case-ignored": documented(_KNOWN, "The certificate id's case does not count"),
    "refused-start-done-anyway": documented(
        "rejected-claims-nothing", "A start refused for its token is done all the same"
    ),
    "refused-stop-done-anyway": documented(
        "token-required", "A stop refused for its token is done all the same"
    ),
    "foreign-app-accepted": assumed(
        "certificate-opens-app", "A certificate opens another account's app"
    ),
    "scheme-case-ignored": assumed("token-form", "`basic` is taken for `Basic`"),
    "token-spaces-accepted": assumed("token-form", "Several spaces are taken for one"),
    "token-padding-optional": assumed("token-form", "Base64 without its padding is taken"),
    "fields-before-token": assumed("order-of-checks", "The body is checked before the token"),
    "content-type-before-token": assumed(
        "order-of-checks", "The content type is checked before the token"
    ),
    "json-before-content-type": assumed(
        "order-of-checks", "The body is parsed before the content type is looked at"
    ),
    "appid-before-fields": assumed(
        "order-of-checks", "The body's appid is compared before its fields are checked"
    ),
}
