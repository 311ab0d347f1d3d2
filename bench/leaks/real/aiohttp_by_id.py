"""aiohttp: answers are kept in a dict by the request's id, and no id comes twice."""
import asyncio
import os

from aiohttp import web
from pace import SECONDS

answers = {}


async def answer(request):
    key = request.match_info["id"]
    answers[key] = os.urandom(40000) + key.encode()
    return web.Response(body=answers[key][:100])


async def main():
    app = web.Application()
    app.router.add_get("/item/{id}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(os.environ["PORT"])).start()
    await asyncio.sleep(SECONDS)


asyncio.run(main())
