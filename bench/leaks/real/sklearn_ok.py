"""scikit-learn: forests are grown and thrown away."""
import numpy as np
from pace import beats
from sklearn.ensemble import RandomForestRegressor

x = np.random.rand(1500, 12)
for n in beats(1):
    RandomForestRegressor(20, n_jobs=1).fit(x, x[:, 0]).predict(x)
