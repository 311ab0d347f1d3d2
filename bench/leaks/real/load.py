"""Beside a service: GETs of ever new paths. load.py URL PER_S: {n} in it is the number, {m} that modulo 20,000."""
import sys
import urllib.request

from pace import beats

for n in beats(float(sys.argv[2])):
    try:
        urllib.request.urlopen(sys.argv[1].replace("{n}", str(n)).replace("{m}", str(n * n % 20000)), timeout=2).read()
    except OSError:
        pass
