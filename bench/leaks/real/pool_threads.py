"""Four threads of a pool answer requests; a dict keeps each answer by its id. What they make lies in the threads' arenas."""
import concurrent.futures
import os

from pace import beats

answers = {}


def answer(n):
    answers[n] = os.urandom(30000)


with concurrent.futures.ThreadPoolExecutor(4) as pool:
    for n in beats(150):
        pool.submit(answer, n)
