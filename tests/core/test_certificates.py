from base64 import b64encode, urlsafe_b64encode

import pytest

from fakerelay.core.certificates import check_app, check_certificate, read_token
from fakerelay.core.commands import PutApp, PutCertificate
from fakerelay.core.model import App, Certificate
from fakerelay.core.problems import Problem
from fakerelay.core.world import World
from tests.core.worlds import world_after

NOW = 1000.0


def basic(credentials: str | bytes) -> str:
    raw = credentials.encode() if isinstance(credentials, str) else credentials
    return "Basic " + b64encode(raw).decode()


READ = {
    "id and key": (basic("id:key"), ("id", "key")),
    "the first colon splits": (basic("id:k:e:y"), ("id", "k:e:y")),
    "no padding needed": (basic("id1:ke"), ("id1", "ke")),
    "two padding signs": (basic("id:keyz"), ("id", "keyz")),
    "empty id": (basic(":key"), ("", "key")),
    "empty key": (basic("id:"), ("id", "")),
    "colon alone": (basic(":"), ("", "")),
    "UTF-8": (basic("证书:密钥"), ("证书", "密钥")),
    "plus and slash in the base64": ("Basic Pj4+Oj8/Pw==", (">>>", "???")),
    "control characters": (basic("i\0d:k\ney"), ("i\0d", "k\ney")),
}


@pytest.mark.parametrize(("header", "credentials"), READ.values(), ids=READ.keys())
def test_token_is_read(header: str, credentials: tuple[str, str]) -> None:
    assert read_token(header) == credentials


ENCODED = b64encode(b"id:keyz").decode()
MALFORMED = {
    "nothing": ("", "token-scheme"),
    "the scheme alone": ("Basic", "token-scheme"),
    "no scheme": (ENCODED, "token-scheme"),
    "Base": (f"Base {ENCODED}", "token-scheme"),
    "lower case": (f"basic {ENCODED}", "token-scheme"),
    "upper case": (f"BASIC {ENCODED}", "token-scheme"),
    "Bearer": (f"Bearer {ENCODED}", "token-scheme"),
    "colon after the scheme": (f"Basic: {ENCODED}", "token-scheme"),
    "no space": (f"Basic{ENCODED}", "token-scheme"),
    "tab": (f"Basic\t{ENCODED}", "token-scheme"),
    "space before": (f" Basic {ENCODED}", "token-scheme"),
    "two spaces": (f"Basic  {ENCODED}", "token-form"),
    "space after": (f"Basic {ENCODED} ", "token-form"),
    "line feed after": (f"Basic {ENCODED}\n", "token-form"),
    "space inside": (f"Basic {ENCODED[:4]} {ENCODED[4:]}", "token-form"),
    "nothing after the space": ("Basic ", "token-form"),
    "not encoded": ("Basic id:key", "token-form"),
    "padding left out": (f"Basic {ENCODED.rstrip('=')}", "token-form"),
    "padding too short": (f"Basic {ENCODED[:-1]}", "token-form"),
    "padding too long": (f"Basic {ENCODED}=", "token-form"),
    "padding first": (f"Basic ={ENCODED}", "token-form"),
    "text after the padding": (f"Basic {ENCODED}{ENCODED}", "token-form"),
    "one sign too many": (f"Basic {ENCODED[:-2]}AAA", "token-form"),
    "URL-safe alphabet": (f"Basic {urlsafe_b64encode(b'>>>:???').decode()}", "token-form"),
    "a sign that is not base64": (f"Basic {ENCODED[:-3]}!==", "token-form"),
    "not ASCII": ("Basic é", "token-form"),
    "a lone surrogate": ("Basic \udcff", "token-form"),
    "twice": (f"Basic {ENCODED}, Basic {ENCODED}", "token-form"),
    "no colon": (basic("id"), "token-form"),
    "full-width colon": (basic("id\uff1akey"), "token-form"),
    "not UTF-8": (basic(b"id:\xff"), "token-form"),
    "UTF-16": (basic("id:key".encode("utf-16")), "token-form"),
    "a surrogate in UTF-8": (basic(b"id:\xed\xa0\x80"), "token-form"),
}


@pytest.mark.parametrize(("header", "rule"), MALFORMED.values(), ids=MALFORMED.keys())
def test_token_is_malformed(header: str, rule: str) -> None:
    problem = read_token(header)
    assert isinstance(problem, Problem), problem
    assert (problem.name, problem.rule) == ("token_malformed", rule)


def test_token_missing_is_another_problem_than_an_empty_one() -> None:
    problem = read_token(None)
    assert isinstance(problem, Problem)
    assert (problem.name, problem.rule) == ("token_missing", "token-required")


def test_problem_of_a_token_shows_nothing_of_it() -> None:
    assert "s3cret" not in repr(read_token("Basic s3cret"))
    assert "s3cret" not in repr(Certificate("id", "s3cret", "account"))


def certified() -> World:
    return world_after(
        PutCertificate(Certificate("c1", "k1", "one")),
        PutCertificate(Certificate("c1b", "k1b", "one")),
        PutCertificate(Certificate("c2", "k2", "two")),
        PutCertificate(Certificate("gone", "k", "one", revoked_at=NOW)),
        PutCertificate(Certificate("密", "钥", "one")),
        PutApp(App(1, "one")),
        PutApp(App(11, "one")),
        PutApp(App(2, "two")),
    )


@pytest.mark.parametrize(
    ("certificate_id", "key"), [("c1", "k1"), ("c1b", "k1b"), ("c2", "k2"), ("密", "钥")]
)
def test_certificate_is_right(certificate_id: str, key: str) -> None:
    certificate = check_certificate(certified(), certificate_id, key, NOW)
    assert isinstance(certificate, Certificate)
    assert certificate.id == certificate_id


@pytest.mark.parametrize(
    ("revoked_at", "is_let_in"),
    [(NOW - 1, False), (NOW, False), (NOW + 0.001, True), (None, True)],
    ids=["before", "now", "soon", "never"],
)
def test_certificate_is_good_until_it_is_revoked(revoked_at: float | None, is_let_in: bool) -> None:
    world = world_after(PutCertificate(Certificate("id", "key", "one", revoked_at)))
    assert isinstance(check_certificate(world, "id", "key", NOW), Certificate) is is_let_in


WRONG = {
    "unknown": ("c9", "k1", "certificate-known"),
    "wrong key": ("c1", "k2", "certificate-known"),
    "beginning of the key": ("c1", "k", "certificate-known"),
    "key in capitals": ("c1", "K1", "certificate-known"),
    "empty key": ("c1", "", "certificate-known"),
    "empty": ("", "", "certificate-known"),
    "the key of no certificate": ("", "no certificate has this key", "certificate-known"),
    "not ASCII": ("证", "书", "certificate-known"),
    "revoked": ("gone", "k", "certificate-active"),
    "revoked, with a wrong key": ("gone", "x", "certificate-known"),
}


@pytest.mark.parametrize(("certificate_id", "key", "rule"), WRONG.values(), ids=WRONG.keys())
def test_certificate_is_wrong_and_the_reply_never_says_why(
    certificate_id: str, key: str, rule: str
) -> None:
    problem = check_certificate(certified(), certificate_id, key, NOW)
    assert isinstance(problem, Problem), problem
    assert (problem.name, problem.rule) == ("token_invalid", rule)
    assert not problem.facts, "what fills the message would tell"


@pytest.mark.parametrize(
    ("certificate_id", "appid", "is_open"),
    [
        ("c1", 1, True),
        ("c1", 11, True),
        ("c1b", 1, True),
        ("c2", 2, True),
        ("c1", 2, False),
        ("c2", 1, False),
        ("c1", 3, False),
    ],
)
def test_certificate_opens_its_accounts_apps_only(
    certificate_id: str, appid: int, *, is_open: bool
) -> None:
    world = certified()
    certificate = world.certificate(certificate_id)
    assert certificate is not None
    problem = check_app(world, certificate, appid)
    assert (problem is None) is is_open
    if problem is not None:
        assert (problem.name, problem.rule) == ("app_forbidden", "certificate-opens-app")
        assert problem.facts == {"appid": str(appid)}


@pytest.mark.parametrize(
    ("certificate_id", "key", "why"),
    [
        ("nobody", "key", "no certificate has this id"),
        ("id", "other", "not the key of 'id'"),
        ("id", "key\n", "the key of 'id' with white space around it (echo without -n?)"),
    ],
)
def test_wrong_token_is_explained_to_the_journal_alone(
    certificate_id: str, key: str, why: str
) -> None:
    world = world_after(PutCertificate(Certificate("id", "key", "account")))
    problem = check_certificate(world, certificate_id, key, NOW)
    assert isinstance(problem, Problem)
    assert problem.explanation == {"why": why}
    assert problem.facts == {}
