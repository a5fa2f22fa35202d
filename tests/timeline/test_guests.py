"""The report of a guest's failed test: what it asked by mistaken paths, which world ever has it."""

from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from fakerelay import FakeRelay
from fakerelay.hosts import Host, open_shared
from fakerelay.timeline import collect, render_timeline


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    host = open_shared(tls=False)
    yield host
    host.close()


def post(relay: FakeRelay, path: str) -> int:
    request = Request(f"{relay.url}{path}", b"{}", relay.headers, method="POST")
    with pytest.raises(HTTPError) as refused, urlopen(request, timeout=5):
        pass
    with refused.value:
        return refused.value.code


@pytest.mark.parametrize("path", ["v2/rtmpforward/startrmtp", "v1/rtmpforward/startrtmp", ""])
def test_mistaken_path_with_an_appid_is_told_by_its_world(host: Host, path: str) -> None:
    with FakeRelay(server=host) as relay:
        assert post(relay, f"/app/{relay.appid}/{path}") == 404
        (request,) = relay.requests(appid=relay.appid)
        assert (request["code"], request["operation"]) == (40403, None)
        assert "40403 unknown_path" in render_timeline(collect(relay.control))
