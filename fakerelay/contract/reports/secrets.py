"""What may stand in no artefact: keys, tokens, and all that the kit makes of them."""

import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import quote, urlsplit, urlunsplit

from fakerelay.contract.credentials import CREDENTIALS
from fakerelay.contract.drafts import Account, Names
from fakerelay.contract.drivers import make_request
from fakerelay.contract.operations import Start
from fakerelay.contract.reports.blanks import CHANGES

_SHORTEST: Final = 4
_FORMS: Final = (str, quote, html.escape, lambda text: json.dumps(text)[1:-1])


class Secrets:
    """Replaces the secrets of some accounts by the names of variables, wherever they stand.

    What has fewer than four characters is no secret, and is left: it would be found everywhere.
    """

    def __init__(self, accounts: Mapping[int, Account]) -> None:
        named: dict[str, str] = {}
        for number, account in accounts.items():
            for text, name in _list_secrets(number, account):
                for form in _FORMS:
                    named.setdefault(form(text), name)
        self._named = {text: name for text, name in named.items() if len(text) >= _SHORTEST}
        longest = sorted(self._named, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest)) or "(?!)")

    def scrub(self, text: str) -> str:
        """The text without them; what was cut off in the middle of one is taken away, too."""
        scrubbed = self._pattern.sub(lambda found: self._named[found[0]], text)
        begun = max(self._cut(scrubbed), default=0)
        return f"{scrubbed[:-begun]}..." if begun else scrubbed

    def _cut(self, text: str) -> Iterator[int]:
        """How much of a secret stands at the very end."""
        for secret in self._named:
            for length in range(min(len(secret) - 1, len(text)), _SHORTEST - 1, -1):
                if text.endswith(secret[:length]):
                    yield length
                    break


def _list_secrets(number: int, account: Account) -> Iterator[tuple[str, str]]:
    """The longest first where one is part of another is not needed: the pattern sees to it."""
    other = "$OTHER_" if number else "$"
    for change in CHANGES.values():
        yield change(account.certificate_key), f"{other}CERTIFICATE_KEY"
    yield account.token, f"{other}TOKEN"
    yield from _name(_list_codes(account.token), f"{other}TOKEN")
    for credential in CREDENTIALS:
        start = Start(0, (0,), app=number, credential=credential)
        request = make_request(start, {0: account, 1: account}, Names("", 0, ""))
        for header, value in request.headers:
            if header.lower() != "content-type" and value != account.token:
                yield from _name([value, *_list_codes(value)], "$WRONG_TOKEN")


def _list_codes(value: str) -> Iterable[str]:
    """What may be base64 in a header's value."""
    code = value.split()[-1] if value.split() else ""
    return code, code.rstrip("=")


def _name(texts: Iterable[str], name: str) -> Iterator[tuple[str, str]]:
    return ((text, name) for text in texts)


def hide_user(url: str) -> str:
    """A URL without a name and a password in it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
