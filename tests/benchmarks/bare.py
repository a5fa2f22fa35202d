"""The yardstick: an aiohttp application that parses the same body and answers, and nothing else.

Run as `python bare.py PORT [tuned]`; prints the port once it listens. `tuned` gives the process
the settings that `fakerelay serve` gives its own.
"""

import asyncio
import sys

from aiohttp import web


async def answer(request: web.Request) -> web.Response:
    await request.json()
    trace_id = request.query.get("traceId", "")
    return web.json_response({"code": 0, "message": "success", "traceId": trace_id})


async def main() -> None:
    app = web.Application()
    app.router.add_post("/app/{appid}/v2/rtmpforward/startrtmp", answer)
    app.router.add_post("/app/{appid}/v2/rtmpforward/stoprtmp", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1])).start()
    if "tuned" in sys.argv:
        from fakerelay.server import tune_process  # the plain yardstick knows nothing of it

        tune_process()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
