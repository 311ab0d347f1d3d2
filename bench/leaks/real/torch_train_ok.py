"""A training as it should be: two workers, loss.item(), a validation now and then."""
import torch
from pace import beats

if __name__ == "__main__":
    torch.set_num_threads(1)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 16, 3), torch.nn.SiLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(16, 4))
    optimizer = torch.optim.AdamW(net.parameters(), 1e-3)
    data = torch.utils.data.TensorDataset(torch.rand(512, 3, 64, 64), torch.randint(0, 4, (512,)))
    loader = torch.utils.data.DataLoader(data, 16, shuffle=True, num_workers=2, persistent_workers=True, pin_memory=True)
    losses = []
    for epoch in beats(0.5):
        for x, y in loader:
            loss = torch.nn.functional.cross_entropy(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 5 == 0:
            with torch.no_grad():
                net(torch.rand(128, 3, 64, 64))
