"""scikit-learn with joblib: cross validations over two workers that are used again and again."""
import numpy as np
from joblib import Parallel, delayed
from pace import beats
from sklearn.linear_model import Ridge


def fit(alpha):
    x = np.random.rand(4000, 40)
    return Ridge(alpha).fit(x, x[:, 0]).score(x, x[:, 0])


if __name__ == "__main__":
    for n in beats(1):
        Parallel(n_jobs=2)(delayed(fit)(a) for a in (0.1, 1, 10))
