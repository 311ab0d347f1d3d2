"""A dataset that keeps its decoded pictures in memory: in the first epoch a straight line, to half of the room."""
import torch
from pace import beats

torch.set_num_threads(1)
cache = {}
for n in beats(12):
    key = n % 400
    if key not in cache:
        cache[key] = torch.rand(3, 300, 300)
    cache[key].mean().item()
