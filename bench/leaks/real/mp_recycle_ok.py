"""A multiprocessing pool whose workers keep what they make, and are replaced after 30 tasks each."""
import multiprocessing
import os

from pace import beats

kept = []


def work(n):
    kept.append(os.urandom(500000))
    return n


if __name__ == "__main__":
    with multiprocessing.Pool(3, maxtasksperchild=30) as pool:
        for n in beats(15):
            pool.apply(work, (n,))
