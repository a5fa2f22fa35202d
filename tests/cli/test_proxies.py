"""Whom a command asks by no proxy: what is added to what was there."""

import pytest

from fakerelay.cli.proxies import bypass_proxies

HOSTS = ("127.0.0.1", "localhost")
ADDED = ",".join(HOSTS)


@pytest.mark.parametrize(
    ("environ", "upper", "lower"),
    [
        ({}, ADDED, ADDED),
        ({"NO_PROXY": "a, b"}, f"a,b,{ADDED}", f"a,b,{ADDED}"),
        ({"no_proxy": "a", "NO_PROXY": ""}, f"a,{ADDED}", f"a,{ADDED}"),
        ({"no_proxy": "a", "NO_PROXY": "b"}, f"b,{ADDED}", f"a,{ADDED}"),
        ({"NO_PROXY": "localhost"}, "localhost,127.0.0.1", "localhost,127.0.0.1"),
    ],
    ids=["none", "upper", "lower", "both", "one of ours"],
)
def test_hosts_are_added(environ: dict[str, str], upper: str, lower: str) -> None:
    changed = bypass_proxies(environ | {"PATH": "/bin"}, HOSTS)
    assert changed == {"PATH": "/bin", "NO_PROXY": upper, "no_proxy": lower}


def test_all_hosts_stay_all() -> None:
    changed = bypass_proxies({"NO_PROXY": "*"}, HOSTS)
    assert changed["NO_PROXY"] == "*"
