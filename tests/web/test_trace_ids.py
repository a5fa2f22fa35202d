"""Trace ids: echoed, made up, and warned of."""

import pytest

from tests.web.calls import OpenServer
from tests.web.wires import (
    SOURCE,
    TOKEN,
    accept,
    ask,
    build,
    path_of,
)

TRACE_IDS = {
    "plain": ("traceId=10.0.0.1-1700000000000-1-99", "10.0.0.1-1700000000000-1-99"),
    "after another": ("x=1&traceId=b", "b"),
    "before another": ("traceId=b&x=1", "b"),
    "the first of two": ("traceId=a&traceId=b", "a"),
    "encoded": ("traceId=%E4%B8%AD%22%0a", '中"\n'),
    "a space as a plus": ("traceId=a+b", "a b"),
    "quotation marks": ('traceId="\\', '"\\'),
    "NUL": ("traceId=%00", "\0"),
    "not UTF-8": ("traceId=%ff", "\ufffd"),
    "a surrogate": ("traceId=%ed%a0%80", "\ufffd\ufffd\ufffd"),
    "an equals sign": ("traceId=a=b", "a=b"),
    "long": ("traceId=" + "x" * 20_000, "x" * 20_000),
    "encoded name": ("trace%49d=a", "a"),
}


@pytest.mark.parametrize(("query", "trace_id"), TRACE_IDS.values(), ids=TRACE_IDS.keys())
async def test_trace_id_is_echoed(open_server: OpenServer, query: str, trace_id: str) -> None:
    server = await open_server()
    for token in (TOKEN, None):
        reply = await ask(server, build(target=path_of(query=query), token=token))
        assert reply.envelope["traceId"] == trace_id


@pytest.mark.parametrize(
    "query", ["", "traceId=", "traceId", "traceid=a", "x=traceId=a", "traceId=&traceId=b"]
)
async def test_trace_id_left_out_is_made_up(open_server: OpenServer, query: str) -> None:
    server = await open_server()
    replies = [await ask(server, build(target=path_of(query=query))) for _ in range(2)]
    assert [reply.code for reply in replies] == [0, 0]
    made_up = {reply.envelope["traceId"] for reply in replies}
    assert len(made_up) == 2
    assert all(made_up)
    for exchange in server.tenants.default.journal:
        assert [warning.rule for warning in exchange.warnings] == ["trace-id-missing"]


async def test_repeated_trace_id_is_worth_a_warning(open_server: OpenServer) -> None:
    server = await open_server()
    for _ in range(2):
        await accept(server, SOURCE)
    rules = [[one.rule for one in exchange.warnings] for exchange in server.tenants.default.journal]
    assert rules == [[], ["trace-id-repeated"]]
