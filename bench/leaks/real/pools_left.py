"""A process pool for each report, never shut down, and still referred to by its results."""
import concurrent.futures
import math
from pace import beats

if __name__ == "__main__":
    reports = []
    for n in beats(0.5):
        pool = concurrent.futures.ProcessPoolExecutor(1)
        reports.append((pool, pool.submit(math.factorial, 500).result()))
