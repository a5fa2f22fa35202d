"""Projects of users, made up for a test and run by pytest."""

from collections.abc import Callable

import pytest
import trustme  # noqa: F401  # once and for all: cryptography can't be imported anew by each project

import fakerelay.pytest_plugin
import fakerelay.relay
import fakerelay.timeline  # noqa: F401  # for the same reason: a package keeps its modules in hand

# What a project would have to say for asynchronous tests, and that nothing may go unnoticed.
SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
addopts = -p no:randomly -p no:cacheprovider --strict-markers
filterwarnings = error
"""

Project = Callable[..., pytest.RunResult]


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """Runs pytest on one file of tests, and perhaps a conftest.py."""

    def run(tests: str, *args: str, conftest: str = "") -> pytest.RunResult:
        pytester.makeini(SETTINGS)
        pytester.makeconftest(conftest)
        pytester.makepyfile(test_it=tests)
        return pytester.runpytest(*args)

    return run
