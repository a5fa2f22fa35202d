"""The pytest plugin: a relay for each test, on a server that the session shares.

Only what every project pays for is imported here; the rest comes with the first test that asks.
"""

import sys
from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

if TYPE_CHECKING:
    from fakerelay.hosts import Host
    from fakerelay.relay import FakeRelay

_RELAY_OPTIONS: Final = (
    "appid", "callback_url", "certificate_id", "certificate_key", "clock", "faults", "now",
    "profile", "quota", "seed", "settings", "snapshot", "tls",
)  # fmt: skip
_SWITCHES: Final = {"check_faults": True, "dedicated": False, "strict": False}
_NEED_OWN_SERVER: Final = ("seed", "snapshot")
_MARKER: Final = (
    f"fakerelay({'=..., '.join((*_RELAY_OPTIONS, *_SWITCHES))}=...): what the relay of a test is to"
    " be"
)


class Options(NamedTuple):
    """What a marker, or `fakerelay_config`, asks for: FakeRelay's own options, and switches.

    `dedicated` is a server of its own; unless `check_faults` is off, a fault that never acted fails
    the test; `strict` fails it for tasks left running and callbacks nobody looked for, too.
    """

    relay: Mapping[str, Any]
    check_faults: bool
    dedicated: bool
    strict: bool


_HAS_PASSED: Final = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture(scope="session")
def fakerelay_config() -> Mapping[str, Any]:
    """What every relay of the session is to be, by the names of the marker's arguments.

    Override it in a `conftest.py`; a marker wins over it.
    """
    return {}


@pytest.fixture(scope="session")
def fakerelay_server() -> "Iterator[Host]":
    """The server whose worlds the relays of this session are, one in each xdist worker."""
    yield from _serve(tls=False)


@pytest.fixture(scope="session")
def _fakerelay_tls_server() -> "Iterator[Host]":
    yield from _serve(tls=True)


def _serve(*, tls: bool) -> "Iterator[Host]":
    from fakerelay.hosts import open_shared

    host = open_shared(tls=tls)
    try:
        yield host
    finally:
        host.close()


@pytest.fixture
def fakerelay(
    request: pytest.FixtureRequest, fakerelay_config: Mapping[str, Any]
) -> "Iterator[FakeRelay]":
    """A relay of the test's own: a fresh world, dropped after it."""
    from fakerelay.errors import FakerelayError
    from fakerelay.relay import FakeRelay
    from fakerelay.reports import keep_report

    try:
        options = read_options(request.node, fakerelay_config)
        server = None if options.dedicated else _choose_server(request, options)
        relay = FakeRelay(server=server, **options.relay).__enter__()
    except FakerelayError as error:
        raise _refuse(error) from None
    try:
        yield relay
        has_passed = request.node.stash.get(_HAS_PASSED, False)
        complaints = _judge(relay, options) if has_passed and relay.is_open else []
        if complaints:
            keep_report(relay)
    finally:
        relay.close()
    if complaints:
        pytest.fail("\n".join(complaints), pytrace=False)


def _choose_server(request: pytest.FixtureRequest, options: Options) -> "Host":
    name = "_fakerelay_tls_server" if options.relay.get("tls") else "fakerelay_server"
    server: Host = request.getfixturevalue(name)
    return server


def _refuse(error: Exception) -> BaseException:
    return pytest.fail.Exception(f"No relay for this test: {error}", pytrace=False)


# What a marker may say.


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look at markers, of tests without the fixture too: a mistyped one mustn't go unnoticed."""
    if item.get_closest_marker("fakerelay") is None:
        return
    from fakerelay.errors import ConfigError

    try:
        read_options(item, {})
    except ConfigError as error:
        raise _refuse(error) from None


def read_options(node: pytest.Item, usual: Mapping[str, Any]) -> Options:
    """The options of a test: the closest marker's win. Raises ConfigError."""
    given = dict(_check_names(_check_mapping(usual), "fakerelay_config"))
    for marker in reversed(list(node.iter_markers("fakerelay"))):
        given |= _read_marker(marker)
    switches = {name: _read_switch(name, given) for name in _SWITCHES}
    wanted = {name: value for name, value in given.items() if name not in _SWITCHES}
    switches["dedicated"] |= any(wanted.get(name) is not None for name in _NEED_OWN_SERVER)
    return Options(wanted, **switches)


def _check_mapping(usual: object) -> Mapping[str, Any]:
    from fakerelay.errors import ConfigError

    if isinstance(usual, Mapping):
        return usual
    raise ConfigError(
        f"Can't use {usual!r} that fakerelay_config returned: expected a dict, such as"
        ' {"quota": 1}'
    )


def _read_marker(marker: pytest.Mark) -> Mapping[str, Any]:
    from fakerelay.errors import ConfigError

    if marker.args:
        raise ConfigError(
            f"The fakerelay marker takes no {marker.args[0]!r} without a name: write, for instance,"
            " @pytest.mark.fakerelay(quota=1)"
        )
    return _check_names(marker.kwargs, "the fakerelay marker")


def _check_names(given: Mapping[str, Any], origin: str) -> Mapping[str, Any]:
    from fakerelay.errors import ConfigError, nearest

    known = (*_RELAY_OPTIONS, *_SWITCHES)
    for name in given:
        if name not in known:
            raise ConfigError(f"Unknown argument {name!r} of {origin}{nearest(name, known)}")
    return given


def _read_switch(name: str, given: Mapping[str, Any]) -> bool:
    from fakerelay.errors import ConfigError

    value = given.get(name, _SWITCHES[name])
    if not isinstance(value, bool):
        raise ConfigError(f"Can't use {name}={value!r} for a relay: expected True or False")
    return value


# What becomes of a test.


def _judge(relay: "FakeRelay", options: Options) -> list[str]:
    """What a test that has passed so far is to fail for: what it left behind."""
    plans = relay.faults.unmet() if options.check_faults and relay.has_faults else []
    complaints = [_tell_unmet(relay, plan) for plan in plans]
    if options.strict:
        complaints += relay.find_leftovers()
    return complaints


def _tell_unmet(relay: "FakeRelay", plan: Mapping[str, Any]) -> str:
    from fakerelay.evidence.plans import tell_unmet

    return tell_unmet(relay.control, plan)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give a report of failure the stories of all relays that there are, or just were."""
    report = yield
    item.stash[_HAS_PASSED] = call.when == "call" and report.passed
    reports = sys.modules.get("fakerelay.reports")  # only where there has been a relay
    if reports is None:
        return report
    if report.failed:
        told = reports.list_reports()
        for each in told:
            title = "fakerelay" if len(told) == 1 else f"fakerelay: app {each.appid}"
            report.sections.append((title, each.story))
    reports.drop_kept()
    return report
