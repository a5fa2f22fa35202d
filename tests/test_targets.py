import pytest

from fakerelay.errors import ConfigError
from fakerelay.targets import check_callback_url, find_refusal

NEAR = ["127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"]
NEAR += ["::1", "fd12::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"]
PUBLIC = ["8.8.8.8", "172.32.0.1", "100.64.0.1", "198.18.0.1", "2001:4860:4860::8888"]
PUBLIC += ["::ffff:8.8.8.8", "2002:0a00:0001::1", "64:ff9b::7f00:1", "::7f00:1"]
NEVER = ["169.254.169.254", "169.254.0.0", "fe80::1", "fe80::1%eth0", "febf::1", "0.0.0.0"]
NEVER += ["0.1.2.3", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "fd00:ec2::254"]
NEVER += ["::ffff:169.254.169.254", "2002:a9fe:a9fe::1", "64:ff9b::a9fe:a9fe", "::a9fe:a9fe"]


@pytest.mark.parametrize("address", NEAR)
def test_target_may_be_near(address: str) -> None:
    assert find_refusal(address, is_allowed=False) is None


@pytest.mark.parametrize("address", PUBLIC)
def test_target_may_be_public_only_if_named(address: str) -> None:
    refusal = find_refusal(address, is_allowed=False)
    assert refusal is not None
    assert address in refusal
    assert "--callback-allow HOST" in refusal
    assert find_refusal(address, is_allowed=True) is None


@pytest.mark.parametrize("is_allowed", [False, True], ids=["unnamed", "named"])
@pytest.mark.parametrize("address", NEVER)
def test_target_may_never_be_special(address: str, is_allowed: bool) -> None:
    refusal = find_refusal(address, is_allowed=is_allowed)
    assert refusal is not None
    assert address in refusal
    assert "never" in refusal


def test_target_has_to_be_an_ip_address() -> None:
    assert find_refusal("/run/socket", is_allowed=True) is not None


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000/callbacks?x=1",
        "https://user:secret@receiver.example",
        "http://[::1]:80/",
        "HTTP://LOCALHOST",
    ],
)
def test_callback_url_is_answered_where_it_can_be_used(url: str) -> None:
    assert check_callback_url(url) == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "scheme"),
        ("127.0.0.1:9000", "URL|scheme"),
        ("receiver/path", "scheme"),
        ("ftp://secret@receiver/", "'ftp'"),
        ("http:///path", "host"),
        ("http://:secret@/", "URL|host"),
        ("http://receiver:0/secret", "port"),
        ("http://receiver:65536/secret", "URL"),
        ("http://[::1/secret", "URL"),
        ("http://receiver/a secret", "spaces"),
        ("http://receiver/secret\n", "spaces"),
        ("http://receiver/\x00secret", "control"),
    ],
)
def test_callback_url_is_refused_without_quoting_it(url: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        check_callback_url(url)
    assert "secret" not in str(caught.value)
