"""LightGBM and scikit-learn: a search that keeps the best score alone."""
import lightgbm
import numpy as np
from pace import beats
from sklearn.metrics import mean_squared_error

x, y = np.random.rand(8000, 30), np.random.rand(8000)
best = 1e9
for n in beats(1):
    booster = lightgbm.train({"num_leaves": 7 + n % 24, "num_threads": 1, "verbose": -1}, lightgbm.Dataset(x, y), 10)
    best = min(best, mean_squared_error(y, booster.predict(x)))
