"""A table is read in chunks, grouped, and written; nothing is kept but the sums."""
import numpy as np
import pandas as pd
from pace import beats

pd.DataFrame({"k": np.arange(60000) % 50, "v": np.random.rand(60000)}).to_csv("t.csv", index=False)
for n in beats(2):
    sums = None
    for chunk in pd.read_csv("t.csv", chunksize=20000):
        part = chunk.groupby("k").v.sum()
        sums = part if sums is None else sums.add(part)
    sums.to_csv("sums%d.csv" % (n % 5))
