"""asyncio: a new event loop for each call of a synchronous function, never closed."""
import asyncio
import resource
from pace import beats

resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
loops = []


async def call():
    return 1

for n in beats(1.6):
    loop = asyncio.new_event_loop()
    loop.run_until_complete(call())
    loops.append(loop)
