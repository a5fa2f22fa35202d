"""The report of a guest's failed test: what it asked by mistaken paths, which world ever has it."""

from collections.abc import Iterator, Mapping
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


def post(relay: FakeRelay, path: str, headers: Mapping[str, str] | None = None) -> int:
    sent = dict(relay.headers if headers is None else headers)
    request = Request(f"{relay.url}{path}", b"{}", sent, method="POST")
    try:
        with urlopen(request, timeout=5) as reply:
            status: int = reply.status
    except HTTPError as refused:
        with refused:
            status = refused.code
    return status


@pytest.mark.parametrize("path", ["v2/rtmpforward/startrmtp", "v1/rtmpforward/startrtmp", ""])
def test_mistaken_path_with_an_appid_is_told_by_its_world(host: Host, path: str) -> None:
    with FakeRelay(server=host) as relay:
        assert post(relay, f"/app/{relay.appid}/{path}") == 404
        (request,) = relay.requests(appid=relay.appid)
        assert (request["code"], request["operation"]) == (40403, None)
        assert "40403 unknown_path" in render_timeline(collect(relay.control))


def test_token_in_another_header_is_told(host: Host) -> None:
    with FakeRelay(server=host) as relay:
        path = f"/app/{relay.appid}/v2/rtmpforward/startrtmp"
        assert post(relay, path, {"Authorization": relay.token}) == 200
        assert "an Authorization header came in its place" in render_timeline(
            collect(relay.control)
        )


def test_callback_that_hangs_is_told_as_posted(host: Host) -> None:
    with FakeRelay(server=host) as relay:
        relay.callbacks.hang()
        relay.start("rtmp://h/a")
        relay.callbacks.wait_for()
        assert "posted, no answer yet: rtmp://h/a pushing" in render_timeline(
            collect(relay.control)
        )
        with pytest.raises(AssertionError, match="posted, no answer yet"):
            relay.assert_no_leftovers()


def test_mistaken_paths_without_an_app_are_told_to_whose_test_it_is(host: Host) -> None:
    with FakeRelay(server=host) as before:
        post(before, "/v2/rtmpforward/startrtmp")
    with FakeRelay(server=host) as relay:
        assert "unknown paths" not in relay.report()
        post(relay, "/v2/rtmpforward/startrtmp")
        post(relay, "/v2/rtmpforward/stoprtmp?traceId=t")
        _, told = relay.report().split("Besides, 2 calls of unknown paths that name no app:")
        assert " ".join(told.split()) == (
            "the newest is POST /v2/rtmpforward/stoprtmp refused, HTTP 404, 40403 unknown_path;"
            f" would pass: POST /app/{relay.appid}/v2/rtmpforward/stoprtmp"
        )
