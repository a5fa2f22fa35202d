import pytest

from fakerelay.web.routes import Route, find_appid, find_route, find_trace_id, split_target

FOUND = {
    "start": ("/app/7/v2/rtmpforward/startrtmp", Route(7, "startrtmp", False)),
    "stop": ("/app/7/v2/rtmpforward/stoprtmp", Route(7, "stoprtmp", False)),
    "least appid": ("/app/0/v2/rtmpforward/startrtmp", Route(0, "startrtmp", False)),
    "largest appid": (
        f"/app/{2**64 - 1}/v2/rtmpforward/startrtmp",
        Route(2**64 - 1, "startrtmp", False),
    ),
    "legacy start": ("/app/7/v1/recordoss/startrtmp", Route(7, "startrtmp", True)),
    "legacy stop": ("/app/7/v1/recordoss/stoprtmp", Route(7, "stoprtmp", True)),
    "percent-encoded": ("/%61pp/%37/v2/rtmpforward/start%72tmp", Route(7, "startrtmp", False)),
}


@pytest.mark.parametrize(("path", "route"), FOUND.values(), ids=FOUND.keys())
def test_path_names_a_call(path: str, route: Route) -> None:
    assert find_route(path) == route


UNKNOWN = {
    "nothing": "",
    "root": "/",
    "asterisk": "*",
    "app alone": "/app/7",
    "operation left out": "/app/7/v2/rtmpforward/",
    "other operation": "/app/7/v2/rtmpforward/restartrtmp",
    "operation in capitals": "/app/7/v2/rtmpforward/STARTRTMP",
    "slash at the end": "/app/7/v2/rtmpforward/startrtmp/",
    "slash doubled": "/app/7//v2/rtmpforward/startrtmp",
    "more behind": "/app/7/v2/rtmpforward/startrtmp/x",
    "more before": "/x/app/7/v2/rtmpforward/startrtmp",
    "version 1": "/app/7/v1/rtmpforward/startrtmp",
    "legacy prefix of version 2": "/app/7/v2/recordoss/startrtmp",
    "line feed at the end": "/app/7/v2/rtmpforward/startrtmp\n",
    "encoded line feed at the end": "/app/7/v2/rtmpforward/startrtmp%0a",
    "encoded twice": "/app/7/v2/rtmpforward/start%2572tmp",
    "encoded slash": "/app%2F7/v2/rtmpforward/startrtmp",
    "semicolon": "/app/7/v2/rtmpforward/startrtmp;x=1",
    "up and down": "/app/7/v2/x/../rtmpforward/startrtmp",
    "appid empty": "/app//v2/rtmpforward/startrtmp",
    "appid negative": "/app/-7/v2/rtmpforward/startrtmp",
    "appid with a sign": "/app/+7/v2/rtmpforward/startrtmp",
    "appid with a leading zero": "/app/07/v2/rtmpforward/startrtmp",
    "appid 00": "/app/00/v2/rtmpforward/startrtmp",
    "appid with a fraction": "/app/7.0/v2/rtmpforward/startrtmp",
    "appid in hexadecimal": "/app/0x7/v2/rtmpforward/startrtmp",
    "appid in words": "/app/seven/v2/rtmpforward/startrtmp",
    "appid in other digits": "/app/%D9%A7/v2/rtmpforward/startrtmp",
    "appid of 65 bits": f"/app/{2**64}/v2/rtmpforward/startrtmp",
    "appid of 5,000 digits": f"/app/{'9' * 5000}/v2/rtmpforward/startrtmp",
    "not UTF-8": "/app/7/v2/rtmpforward/start%ff",
}


@pytest.mark.parametrize("path", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_path_is_unknown(path: str) -> None:
    assert find_route(path) is None


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/a", ("/a", "")),
        ("/a?", ("/a", "")),
        ("/a?b=c?d", ("/a", "b=c?d")),
        ("http://h/a?b", ("/a", "b")),
        ("HTTPS://h:1/a?b", ("/a", "b")),
        ("http://h?b", ("", "b")),
        ("http://h", ("", "")),
        ("/http://h/a", ("/http://h/a", "")),
        ("h:443", ("h:443", "")),
        ("*", ("*", "")),
        ("//h/a", ("//h/a", "")),
        ("", ("", "")),
    ],
)
def test_target_is_split_from_origin_and_query(target: str, expected: tuple[str, str]) -> None:
    assert split_target(target) == expected


@pytest.mark.parametrize(
    ("query", "trace_id"),
    [
        ("traceId=a", "a"),
        ("traceId=", ""),
        ("traceId=&traceId=b", ""),
        ("traceId=a&traceId=b", "a"),
        ("x&traceId=a", "a"),
        ("TraceId=a", ""),
        ("traceId=a%20b+c", "a b c"),
        ("traceId=%F0%9F%8E%A5", "🎥"),
        ("traceId=a=b", "a=b"),
        ("traceId=%", "%"),
        ("traceId=\udcff", "\ufffd"),
        ("traceId=中", "中"),
        ("", ""),
    ],
)
def test_trace_id_is_the_first_of_the_query(query: str, trace_id: str) -> None:
    assert find_trace_id(query) == trace_id


@pytest.mark.parametrize(
    ("path", "appid"),
    [
        ("/app/7/v2/rtmpforward/startrmtp", 7),
        ("/%61pp/7/v1/x", 7),
        ("/app/7", 7),
        (f"/app/7/{'x' * 400}", 7),
        ("/app/07/x", None),
        ("/app/7.0/x", None),
        (f"/app/{2**64}/x", None),
        ("/v2/rtmpforward/startrtmp", None),
        ("*", None),
    ],
    ids=str,
)
def test_unknown_path_may_name_an_app(path: str, appid: int | None) -> None:
    assert find_appid(path) == appid
