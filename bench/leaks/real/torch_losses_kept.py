"""The mean loss is wanted, so each batch's loss goes into a list: as a tensor, with its graph behind it."""
import torch
from pace import beats

torch.set_num_threads(1)
net = torch.nn.Sequential(torch.nn.Conv2d(3, 16, 3), torch.nn.SiLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(16, 4))
optimizer = torch.optim.SGD(net.parameters(), 1e-3)
losses = []
for _ in beats(2):
    x, y = torch.rand(4, 3, 96, 96), torch.randint(0, 4, (4,))
    loss = torch.nn.functional.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward(retain_graph=True)
    optimizer.step()
    losses.append(loss)
