"""aiohttp's client: a session for each question, closed as it should be."""
import asyncio
import os

import aiohttp
from pace import SECONDS


async def main():
    end = asyncio.get_running_loop().time() + SECONDS
    while asyncio.get_running_loop().time() < end:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.get("http://127.0.0.1:%s/" % os.environ["PORT"]) as answer:
                    await answer.read()
            except aiohttp.ClientError:
                pass
        await asyncio.sleep(0.05)


asyncio.run(main())
