"""Pictures of many shapes: the allocator's level climbs to that of the largest and stays there."""
import random

import torch
from pace import beats

torch.set_num_threads(1)
random.seed(3)
net = torch.nn.Sequential(torch.nn.Conv2d(3, 16, 3, 2), torch.nn.ReLU(), torch.nn.Conv2d(16, 16, 3, 2))
with torch.no_grad():
    for _ in beats(6):
        net(torch.rand(1, 3, 32 * random.randint(4, 14), 32 * random.randint(4, 14)))
