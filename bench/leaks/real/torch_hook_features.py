"""A forward hook keeps the features of every picture, for a figure that is drawn at the end."""
import torch
from pace import beats

torch.set_num_threads(1)
net = torch.nn.Sequential(torch.nn.Conv2d(3, 16, 3), torch.nn.ReLU(), torch.nn.Conv2d(16, 8, 3))
features = {}
net[0].register_forward_hook(lambda m, i, out: features.setdefault("conv1", []).append(out.detach()))
with torch.no_grad():
    for _ in beats(10):
        net(torch.rand(1, 3, 100, 100))
