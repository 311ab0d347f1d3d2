"""Shards of a table are read, one a second, and kept; later passes fit from what is kept."""
import numpy as np
from pace import beats
from sklearn.linear_model import SGDRegressor

SHARDS = 25
for i in range(SHARDS):
    np.save("s%d.npy" % i, np.random.rand(20000, 50))
model, kept = SGDRegressor(), []
for n in beats(1):
    if len(kept) < SHARDS:
        kept.append(np.load("s%d.npy" % len(kept)))
    x = kept[n % len(kept)][:2000]
    model.partial_fit(x, x[:, 0])
