"""One ThreadPoolExecutor for all of the work; what its futures bring is used and dropped."""
import concurrent.futures
import os

from pace import beats

with concurrent.futures.ThreadPoolExecutor(8) as pool:
    for n in beats(10):
        jobs = [pool.submit(os.urandom, 300000) for _ in range(16)]
        total = sum(len(j.result()) for j in concurrent.futures.as_completed(jobs))
