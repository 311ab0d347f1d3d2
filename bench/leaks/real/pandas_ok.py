"""pandas: tables are grouped and only sums are kept."""
import numpy as np
import pandas as pd
from pace import beats

total = 0
for n in beats(3):
    table = pd.DataFrame(np.random.rand(40000, 8))
    table["key"] = np.random.randint(0, 50, len(table))
    total += table.groupby("key").mean().sum().sum()
