"""LightGBM: a search keeps every booster and its Dataset, not only the best one's parameters."""
import lightgbm
import numpy as np
from pace import beats

x, y = np.random.rand(8000, 30), np.random.rand(8000)
tried = []
for n in beats(1):
    data = lightgbm.Dataset(x.copy(), y, free_raw_data=False, params={"verbose": -1})
    tried.append((data, lightgbm.train({"num_leaves": 15, "num_threads": 1, "verbose": -1}, data, 3), x + n))
