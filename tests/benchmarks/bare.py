"""The yardstick: an aiohttp application that parses the same body and answers, and nothing else.

Run as `python bare.py PORT`; prints the port once it listens.
"""

import asyncio
import sys

from aiohttp import web


async def answer(request: web.Request) -> web.Response:
    body = await request.json()
    trace_id = request.query.get("traceId", "")
    return web.json_response(
        {"code": 0, "message": "success", "traceId": trace_id, "appid": body["appid"]}
    )


async def main() -> None:
    app = web.Application()
    app.router.add_post("/app/{appid}/v2/rtmpforward/startrtmp", answer)
    app.router.add_post("/app/{appid}/v2/rtmpforward/stoprtmp", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(sys.argv[1])).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
