"""A task for each message waits for an answer that never comes, and is held by the set of running tasks."""
import asyncio
import os

from pace import SECONDS

running = set()


async def ask(question, answer):
    await answer
    return question


async def main():
    loop = asyncio.get_running_loop()
    end = loop.time() + SECONDS
    while loop.time() < end:
        running.add(asyncio.create_task(ask(os.urandom(50000), loop.create_future())))
        await asyncio.sleep(0.01)


asyncio.run(main())
