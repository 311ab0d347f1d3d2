"""A loader with persistent workers that draw their pictures, and a bounded number of batches ahead."""
import torch
from pace import beats


class Drawn(torch.utils.data.Dataset):
    def __len__(self):
        return 256

    def __getitem__(self, i):
        return torch.rand(3, 96, 96), i % 4


if __name__ == "__main__":
    torch.set_num_threads(1)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, 4))
    loader = torch.utils.data.DataLoader(Drawn(), 16, num_workers=2, persistent_workers=True, prefetch_factor=2)
    for epoch in beats(0.4):
        for x, y in loader:
            torch.nn.functional.cross_entropy(net(x), y).backward()
            net.zero_grad()
