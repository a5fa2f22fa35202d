"""A process that was forked from the one that a relay lives in."""

import os
import subprocess
import sys

import pytest


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork a process")
@pytest.mark.parametrize("server", ["None", "host"], ids=["own", "shared"])
def test_forked_process_leaves_a_relay_to_its_parent(server: str) -> None:
    code = LEAVING.replace("SERVER", server)
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert (ran.stdout, ran.stderr) == ("7 []\n", "")


LEAVING = """
import os, sys
from fakerelay import FakeRelay
from fakerelay.hosts import open_shared
host = open_shared(tls=False)
with FakeRelay(server=SERVER) as relay:
    if os.fork() == 0:
        sys.exit(7)
    print(os.waitstatus_to_exitcode(os.wait()[1]), relay.tasks())
host.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system can't fork a process")
def test_forked_process_does_not_wait_for_a_world_that_is_made_elsewhere() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("True The relay runs in the process that this one was forked from")


FORKING = """
import os, threading
from fakerelay import FakeRelay
from fakerelay.config import Config
from fakerelay.hosts import open_shared
host, go_on = open_shared(tls=False), threading.Event()
async def stand_still():
    go_on.wait()
host.begin(stand_still())
with FakeRelay(server=host) as relay:
    if os.fork() == 0:
        try:
            relay.find_leftovers()
        except Exception as error:
            print(relay.env()["FAKERELAY_APPID"] == str(relay.appid), error, flush=True)
        os._exit(0)
    os.wait()
    go_on.set()
host.close()
"""
