"""Who is let in, and what those who are not are told."""

from base64 import b64encode

import pytest

from fakerelay.config import AppConfig
from tests.web.calls import OpenServer
from tests.web.wires import (
    APPID,
    SOURCE,
    TOKEN,
    ask,
    build,
    path_of,
    running,
)


async def test_foreign_and_unknown_app_are_told_apart_by_nobody(open_server: OpenServer) -> None:
    server = await open_server()
    replies = [
        await ask(server, build({**SOURCE, "appid": appid}, path_of(appid=appid)))
        for appid in (8, 999)
    ]
    assert {reply.code for reply in replies} == {40301}
    assert {reply.rule for reply in replies} == {"certificate-opens-app"}
    assert [reply.envelope["message"] for reply in replies] == [
        "app forbidden: 8",
        "app forbidden: 999",
    ]


async def test_unknown_certificate_and_wrong_key_get_the_same_reply(
    open_server: OpenServer,
) -> None:
    server = await open_server()
    tokens = ["Basic " + b64encode(raw).decode() for raw in (b"cert:no", b"nobody:key", b":")]
    replies = [await ask(server, build(token=token)) for token in tokens]
    assert len({(reply.status, reply.body, reply.rule) for reply in replies}) == 1


TOKENS_MALFORMED = {
    "empty": "",
    "scheme alone": "Basic",
    "lower case": TOKEN.replace("Basic", "basic"),
    "two spaces": TOKEN.replace(" ", "  "),
    "tab": TOKEN.replace(" ", "\t"),
    "no base64": "Basic cert:key",
    "no padding": TOKEN.rstrip("="),
    "no colon": "Basic " + b64encode(b"cert").decode(),
    "not UTF-8": "Basic " + b64encode(b"cert:\xff").decode(),
    "bytes of Latin-1": b"Basic \xe9\xe9",
    "twice in one": f"{TOKEN}, {TOKEN}",
    "64 KiB less a little": "Basic " + "QUFB" * 16000,
}


@pytest.mark.parametrize("token", TOKENS_MALFORMED.values(), ids=TOKENS_MALFORMED.keys())
async def test_garbled_token_is_malformed(open_server: OpenServer, token: str | bytes) -> None:
    server = await open_server()
    reply = await ask(server, build(token=None, headers=[("token", token)]))
    assert reply.code == 40102
    assert running(server) == []


@pytest.mark.parametrize("second", [TOKEN, "Basic x", ""], ids=["equal", "garbled", "empty"])
async def test_several_token_headers_are_malformed(open_server: OpenServer, second: str) -> None:
    server = await open_server()
    assert (await ask(server, build(headers=[("token", second)]))).code == 40102


@pytest.mark.parametrize("name", ["Token", "TOKEN", "token"])
async def test_token_header_has_any_case(open_server: OpenServer, name: str) -> None:
    server = await open_server()
    assert (await ask(server, build(token=None, headers=[(name, TOKEN)]))).code == 0


async def test_authorization_header_neither_replaces_the_token_nor_disturbs_it(
    open_server: OpenServer,
) -> None:
    server = await open_server()
    header = ("Authorization", TOKEN)
    assert (await ask(server, build(token=None, headers=[header]))).code == 40101
    assert (await ask(server, build(headers=[("Authorization", "Bearer x")]))).code == 0


async def test_journal_holds_neither_token_nor_key(open_server: OpenServer) -> None:
    server = await open_server(apps=(AppConfig(APPID, "cert", "s3cret-key"),))
    token = "Basic " + b64encode(b"cert:s3cret-key").decode()
    await ask(server, build(token=token))
    await ask(server, build(token=f"{token}x"))
    for exchange in server.tenants.default.journal:
        held = repr([getattr(exchange, name) for name in exchange.__slots__])
        assert "s3cret" not in held
        assert token.split()[1] not in held


async def test_revoked_certificate_opens_nothing(open_server: OpenServer) -> None:
    from fakerelay.core.commands import PutCertificate
    from fakerelay.core.model import Certificate

    server = await open_server()
    service = server.tenants.default.service
    await service.apply(PutCertificate(Certificate("cert", "key", "cert", revoked_at=0.0)))
    assert (await ask(server, build())).code == 40103
