"""aiohttp: answers are kept in an lru_cache of 200, of 20,000 items that are asked for."""
import asyncio
import functools
import os

from aiohttp import web
from pace import SECONDS


@functools.lru_cache(maxsize=200)
def item(key):
    return os.urandom(40000) + key.encode()


async def answer(request):
    return web.Response(body=item(request.match_info["id"])[:100])


async def main():
    app = web.Application()
    app.router.add_get("/item/{id}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", int(os.environ["PORT"])).start()
    await asyncio.sleep(SECONDS)


asyncio.run(main())
