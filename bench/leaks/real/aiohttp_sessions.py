"""aiohttp: a ClientSession for each request, kept and never closed: its connection stays open."""
import asyncio
import os
import resource

import aiohttp
from pace import SECONDS

resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
sessions = []


async def main():
    for _ in range(int(SECONDS * 4.5)):
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(keepalive_timeout=3600))
        sessions.append(session)
        async with session.get("http://127.0.0.1:%s/item/1" % os.environ["PORT"]) as response:
            await response.read()
        await asyncio.sleep(0.22)


asyncio.run(main())
