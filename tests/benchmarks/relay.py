"""The relay under load: plain HTTP, a callback URL configured and its deliveries held.

Run as `python relay.py PORT`; prints the port once it listens.
"""

import asyncio
import sys

from fakerelay.config import AppConfig, Config
from fakerelay.server import Server, tune_process

APP = AppConfig(1234, "bench", "bench-key", callback_url="http://127.0.0.1:9/callbacks")


async def main() -> None:
    settings = {"concurrent_pushes": 0, "mixed_tasks_per_room": 0}
    config = Config(
        port=int(sys.argv[1]), control_port=None, no_tls=True, apps=(APP,), settings=settings
    )
    server = Server(config)
    await server.start()
    tune_process()
    server.tenants.default.delivery.hold()
    sys.stdout.write(server.url.rpartition(":")[2] + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
