"""The relay under load: plain HTTP, a callback URL configured and its deliveries held.

Run as `python relay.py PORT [logged]`; prints the port once it listens. `logged` has it write the
line a call that `fakerelay serve` prints, to nowhere.
"""

import asyncio
import os
import sys

from fakerelay.cli.printer import Printer
from fakerelay.cli.request_log import RequestLog
from fakerelay.config import AppConfig, Config
from fakerelay.server import Server, tune_process

APP = AppConfig(1234, "bench", "bench-key", callback_url="http://127.0.0.1:9/callbacks")


async def main() -> None:
    settings = {"concurrent_pushes": 0, "mixed_tasks_per_room": 0}
    config = Config(
        port=int(sys.argv[1]), control_port=None, no_tls=True, apps=(APP,), settings=settings
    )
    log = RequestLog("text", Printer(os.open(os.devnull, os.O_WRONLY)))
    server = Server(config, on_exchange=log if "logged" in sys.argv else None)
    await server.start()
    tune_process()
    server.tenants.default.delivery.hold()
    sys.stdout.write(server.url.rpartition(":")[2] + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
