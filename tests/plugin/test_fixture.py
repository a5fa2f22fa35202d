"""The fixture as projects use it: fresh for each test, set by markers, in every kind of test."""

import pytest

from .conftest import Project

FIVE_LINES = {
    "sync": """
        def test_relay(fakerelay):
            assert fakerelay.start("rtmp://cdn.example.com/live/a").is_accepted
            assert fakerelay.tasks()[0]["uid"] == "user-1"
    """,
    "async": """
        async def test_relay(fakerelay):
            reply = await fakerelay.client.start_source("room1", "anna", "rtmp://cdn.example.com/a")
            assert reply.is_accepted
            assert fakerelay.tasks()[0]["uid"] == "anna"
    """,
    "anyio": """
        import pytest

        @pytest.mark.anyio
        async def test_relay(fakerelay, anyio_backend_name):
            assert fakerelay.start("rtmp://cdn.example.com/live/a").is_accepted
            assert fakerelay.callbacks.wait_for(status="pushing")
    """,
    "class": """
        class TestRelay:
            def test_relay(self, fakerelay):
                assert fakerelay.start("rtmp://cdn.example.com/live/a").is_accepted
    """,
    "thread": """
        from threading import Thread

        def test_relay(fakerelay):
            thread = Thread(target=fakerelay.start, args=("rtmp://cdn.example.com/live/a",))
            thread.start()
            thread.join()
            assert len(fakerelay.tasks()) == 1
    """,
}


@pytest.mark.parametrize("tests", FIVE_LINES.values(), ids=FIVE_LINES.keys())
def test_relay_is_there_for_who_asks(project: Project, tests: str) -> None:
    result = project(tests)
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] >= 1
    assert outcomes.keys() == {"passed"}


def test_every_test_has_a_world_of_its_own_on_one_server(project: Project) -> None:
    project(
        """
        import pytest

        seen = set()

        @pytest.mark.parametrize("number", range(3))
        def test_relay(fakerelay, number):
            assert fakerelay.start("rtmp://cdn.example.com/live/a", uid="u").is_accepted
            assert len(fakerelay.tasks()) == len(fakerelay.requests()) == 1
            seen.add((fakerelay.url, fakerelay.appid, fakerelay.token))

        def test_all(fakerelay_server):
            assert len(seen) == 3
            assert {url for url, _, _ in seen} == {fakerelay_server.server.url}
            assert [each.id for each in fakerelay_server.server.tenants] == ["default"]
        """
    ).assert_outcomes(passed=4)


def test_marker_says_what_a_relay_is_to_be(project: Project) -> None:
    project(
        """
        import pytest

        pytestmark = pytest.mark.fakerelay(quota=1, appid=7)

        def test_of_the_module(fakerelay):
            assert (fakerelay.appid, fakerelay.start("rtmp://h/a").is_accepted) == (7, True)
            assert fakerelay.start("rtmp://h/b", uid="other").rule == "concurrent-pushes"

        @pytest.mark.fakerelay(quota=2)
        def test_the_closest_wins(fakerelay):
            assert (fakerelay.appid, fakerelay.start("rtmp://h/a").is_accepted) == (7, True)
            assert fakerelay.start("rtmp://h/b", uid="other").is_accepted

        @pytest.mark.fakerelay(tls=True)
        def test_tls(fakerelay):
            assert fakerelay.url.startswith("https://")
            assert fakerelay.http_url.startswith("http://")
            assert fakerelay.start("rtmp://h/a").is_accepted

        @pytest.mark.fakerelay(clock="frozen", now=5.0)
        def test_clock(fakerelay):
            assert fakerelay.clock.now() == 5.0
            assert fakerelay.clock.advance(10)["now"] == 15.0

        @pytest.mark.fakerelay(profile="rest")
        def test_profile(fakerelay):
            assert fakerelay.control("profile")["name"] == "rest"

        @pytest.mark.fakerelay(callback_url=None)
        def test_no_callbacks(fakerelay):
            fakerelay.start("rtmp://h/a")
            assert fakerelay.notifications() == []

        @pytest.mark.fakerelay(faults=[{"steps": [{"fault": "problem", "name": "rate_limited"}]}])
        def test_faults(fakerelay):
            assert fakerelay.start("rtmp://h/a").code == 42903
        """
    ).assert_outcomes(passed=7)


def test_config_fixture_is_for_all_and_markers_win(project: Project) -> None:
    project(
        """
        import pytest

        def test_usual(fakerelay):
            assert (fakerelay.appid, fakerelay.certificate_id) == (9, "own")

        @pytest.mark.fakerelay(appid=10)
        def test_other(fakerelay):
            assert (fakerelay.appid, fakerelay.certificate_id) == (10, "own")
        """,
        conftest="""
        import pytest

        @pytest.fixture(scope="session")
        def fakerelay_config():
            return {"appid": 9, "certificate_id": "own"}
        """,
    ).assert_outcomes(passed=2)


@pytest.mark.parametrize("options", ["dedicated=True", "seed=3"])
def test_relay_with_a_server_of_its_own(project: Project, options: str) -> None:
    project(
        f"""
        import pytest

        @pytest.mark.fakerelay({options})
        def test_relay(fakerelay, fakerelay_server):
            assert fakerelay.control_url != fakerelay_server.server.control_url
            assert fakerelay.start("rtmp://h/a").is_accepted
        """
    ).assert_outcomes(passed=1)


def test_test_may_have_further_worlds_on_the_server(project: Project) -> None:
    project(
        """
        from fakerelay import FakeRelay

        def test_two_accounts(fakerelay, fakerelay_server):
            with FakeRelay(server=fakerelay_server) as other:
                assert other.start("rtmp://h/a").is_accepted
                assert fakerelay.start("rtmp://h/a").is_accepted
                assert len(fakerelay.tasks()) == len(other.tasks()) == 1
        """
    ).assert_outcomes(passed=1)


WRONG = {
    "unknown argument": (
        "qouta=1",
        "Unknown argument 'qouta' of the fakerelay marker (did you mean",
    ),
    "no name": ("1", "The fakerelay marker takes no 1 without a name"),
    "no switch": ("strict='yes'", "Can't use strict='yes' for a relay: expected True or False"),
    "unknown clock": ("clock='frozn'", "Unknown clock 'frozn' (did you mean 'frozen'?)"),
    "unknown profile": ("profile='rset'", "Unknown profile 'rset' (did you mean 'rest'?)"),
    "no appid": ("appid='7'", "Can't use appid '7'"),
    "unknown fault": ("faults=[{'steps': [{'fault': 'hnag'}]}]", "did you mean 'hang'?"),
    "no quota": ("quota='many'", "Can't use quota='many': expected how many tasks"),
    "two quotas": (
        "quota=2, settings={'concurrent_pushes': 1}",
        "Can't use quota=2 beside concurrent_pushes=1 of the settings",
    ),
    "no settings": ("settings=[1]", "Can't use settings=[1]: expected a dict"),
    "no profile": ("profile=5", "Can't use profile=5: expected a name, or the path of a file"),
    "clock of another type": ("clock=5", "Can't use clock=5: expected 'real' or 'frozen'"),
    "faults of another type": ("faults=5", "Can't use faults=5: expected a list of fault plans"),
    "no certificate": ("certificate_id=5", "Can't use certificate_id=5: expected text"),
    "no snapshot": ("snapshot=5", "Can't use snapshot=5: expected a snapshot, or the path"),
    "no tls": ("tls='no'", "Can't use tls='no': expected True or False"),
    "no seed": ("seed='x'", "Can't use seed='x': expected a whole number"),
    "appid of another type": ("appid=True", "Can't use appid True"),
    "callback url without scheme": (
        "callback_url='localhost:9000/cb'",
        "Can't use the callback URL 'localhost:9000/...': its scheme is 'localhost'",
    ),
    "empty callback url": ("callback_url=''", "Can't use the callback URL ''"),
    "unknown setting": ("settings={'quota': 1}", "quota"),
    "both": ("snapshot={}, clock='frozen'", "Can't use clock together with snapshot"),
}


@pytest.mark.parametrize(("options", "told"), WRONG.values(), ids=WRONG.keys())
def test_marker_that_can_not_be_is_an_error_that_says_why(
    project: Project, options: str, told: str
) -> None:
    result = project(
        f"""
        import pytest

        @pytest.mark.fakerelay({options})
        def test_relay(fakerelay):
            pass

        def test_next(fakerelay):
            assert fakerelay.start("rtmp://h/a").is_accepted
        """
    )
    result.assert_outcomes(errors=1, passed=1)
    text = result.stdout.str()
    assert "No relay for this test: " in text
    assert told in text
    assert "Traceback" not in text


def test_relay_is_gone_after_its_test(project: Project) -> None:
    project(
        """
        import pytest

        left = []

        def test_relay(fakerelay):
            left.append(fakerelay)

        def test_after():
            with pytest.raises(Exception, match="The relay was closed .its test is over"):
                left[0].tasks()
            left[0].close()
        """
    ).assert_outcomes(passed=2)


def test_marker_of_a_test_without_the_fixture_is_looked_at_too(project: Project) -> None:
    result = project(
        """
        import pytest

        @pytest.mark.fakerelay(qouta=1)
        def test_without():
            pass
        """
    )
    result.assert_outcomes(errors=1)
    assert "Unknown argument 'qouta' of the fakerelay marker (did you mean" in result.stdout.str()


@pytest.mark.parametrize("returned", ["None", "[1]"])
def test_config_that_is_no_mapping_is_refused_in_one_line(project: Project, returned: str) -> None:
    result = project(
        "def test_relay(fakerelay): ...",
        conftest=f"""
        import pytest

        @pytest.fixture(scope="session")
        def fakerelay_config():
            return {returned}
        """,
    )
    result.assert_outcomes(errors=1)
    assert f"Can't use {returned} that fakerelay_config returned" in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


def test_markers_are_listed_with_all_their_arguments(project: Project) -> None:
    told = project("", "--markers").stdout.str()
    assert all(f"{name}=..." in told for name in ("seed", "faults", "dedicated", "check_faults"))
