"""A producer that is faster than its consumers, and a queue with a bound between them."""
import asyncio
import os

from pace import SECONDS


async def consume(queue):
    while True:
        len(await queue.get())
        await asyncio.sleep(0.05)


async def main():
    queue = asyncio.Queue(maxsize=100)
    workers = [asyncio.create_task(consume(queue)) for _ in range(4)]
    end = asyncio.get_running_loop().time() + SECONDS
    while asyncio.get_running_loop().time() < end:
        await queue.put(os.urandom(200000))
    for w in workers:
        w.cancel()


asyncio.run(main())
