"""pandas: a table of a minute's readings is appended to a list, to be joined when the day is over."""
import numpy as np
import pandas as pd
from pace import beats

parts = []
for n in beats(4):
    table = pd.DataFrame(np.random.rand(6000, 24))
    table["part"] = n
    parts.append(table[table[0] > 0.1])
