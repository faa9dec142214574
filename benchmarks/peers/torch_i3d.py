"""I3D as a PyTorch module, written for comparison from the published definition: names of units are DeepMind's, names of
parameters dactyl's, and the padding is TensorFlow's SAME, computed for each input's size.
"""
import torch
from torch import nn
from torch.nn import functional as F

# name, widths: 1x1, 3x3 reduce, 3x3, "5x5" reduce, "5x5", pool projection
BLOCKS = {
    "Mixed_3b": (64, 96, 128, 16, 32, 32), "Mixed_3c": (128, 128, 192, 32, 96, 64),
    "Mixed_4b": (192, 96, 208, 16, 48, 64), "Mixed_4c": (160, 112, 224, 24, 64, 64),
    "Mixed_4d": (128, 128, 256, 24, 64, 64), "Mixed_4e": (112, 144, 288, 32, 64, 64),
    "Mixed_4f": (256, 160, 320, 32, 128, 128), "Mixed_5b": (256, 160, 320, 32, 128, 128),
    "Mixed_5c": (384, 192, 384, 48, 128, 128),
}


def same_pad(x, kernel, stride, value=0.0):
    """Pads the last three extents so that ceil(in / stride) windows fit; an odd cell goes to the end."""
    pads = []
    for size, k, s in reversed(list(zip(x.shape[2:], kernel, stride))):
        total = max((-(-size // s) - 1) * s + k - size, 0)
        pads += [total // 2, total - total // 2]
    return F.pad(x, pads, value=value) if any(pads) else x


def max_pool(x, kernel, stride):
    return F.max_pool3d(same_pad(x, kernel, stride, float("-inf")), kernel, stride)


class Norm(nn.Module):
    """Batch normalisation that shifts and does not scale."""

    def __init__(self, channels):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x):
        return F.batch_norm(x, self.running_mean, self.running_var, torch.ones_like(self.bias), self.bias,
                            self.training, 0.1, 1e-3)


class Unit(nn.Module):
    """Convolution without bias, normalisation, ReLU."""

    def __init__(self, cin, cout, kernel, stride=1):
        super().__init__()
        self.kernel, self.stride = (kernel,) * 3, (stride,) * 3
        self.conv = nn.Conv3d(cin, cout, self.kernel, self.stride, bias=False)
        self.bn = Norm(cout)

    def forward(self, x):
        return F.relu(self.bn(self.conv(same_pad(x, self.kernel, self.stride))))


class I3D(nn.Module):
    def __init__(self, classes=400, channels=3, dropout=0.5):
        super().__init__()
        self.drop = dropout
        self.add_module("Conv3d_1a_7x7", Unit(channels, 64, 7, 2))
        self.add_module("Conv3d_2b_1x1", Unit(64, 64, 1))
        self.add_module("Conv3d_2c_3x3", Unit(64, 192, 3))
        cin = 192
        for name, (c1, c3r, c3, c5r, c5, pool) in BLOCKS.items():
            self.add_module(f"{name}/Branch_0/Conv3d_0a_1x1", Unit(cin, c1, 1))
            self.add_module(f"{name}/Branch_1/Conv3d_0a_1x1", Unit(cin, c3r, 1))
            self.add_module(f"{name}/Branch_1/Conv3d_0b_3x3", Unit(c3r, c3, 3))
            self.add_module(f"{name}/Branch_2/Conv3d_0a_1x1", Unit(cin, c5r, 1))
            self.add_module(self.fifth(name), Unit(c5r, c5, 3))
            self.add_module(f"{name}/Branch_3/Conv3d_0b_1x1", Unit(cin, pool, 1))
            cin = c1 + c3 + c5 + pool
        self.add_module("Logits/Conv3d_0c_1x1", nn.Conv3d(1024, classes, 1))

    @staticmethod
    def fifth(block):
        return f"{block}/Branch_2/Conv3d_0{'a' if block == 'Mixed_5b' else 'b'}_3x3"

    def unit(self, name, x):
        return self._modules[name](x)

    def block(self, name, x):
        one = self.unit(f"{name}/Branch_0/Conv3d_0a_1x1", x)
        three = self.unit(f"{name}/Branch_1/Conv3d_0b_3x3", self.unit(f"{name}/Branch_1/Conv3d_0a_1x1", x))
        five = self.unit(self.fifth(name), self.unit(f"{name}/Branch_2/Conv3d_0a_1x1", x))
        pooled = self.unit(f"{name}/Branch_3/Conv3d_0b_1x1", max_pool(x, (3, 3, 3), (1, 1, 1)))
        return torch.cat([one, three, five, pooled], 1)

    def forward(self, x, seen=None):
        """x (N, C, D, H, W) -> (N, classes), averaged over time; `seen` gathers the end points by name."""
        seen = {} if seen is None else seen

        def end(name, y):
            seen[name] = y
            return y

        pools = {"Mixed_4b": ("MaxPool3d_4a_3x3", (3, 3, 3)), "Mixed_5b": ("MaxPool3d_5a_2x2", (2, 2, 2))}
        x = end("Conv3d_1a_7x7", self.unit("Conv3d_1a_7x7", x))
        x = end("MaxPool3d_2a_3x3", max_pool(x, (1, 3, 3), (1, 2, 2)))
        x = end("Conv3d_2b_1x1", self.unit("Conv3d_2b_1x1", x))
        x = end("Conv3d_2c_3x3", self.unit("Conv3d_2c_3x3", x))
        x = end("MaxPool3d_3a_3x3", max_pool(x, (1, 3, 3), (1, 2, 2)))
        for name in BLOCKS:
            if name in pools:
                pool, kernel = pools[name]
                x = end(pool, max_pool(x, kernel, (2, 2, 2)))
            x = end(name, self.block(name, x))
        x = F.avg_pool3d(x, (2, min(7, x.shape[3]), min(7, x.shape[4])), 1)
        x = self.unit("Logits/Conv3d_0c_1x1", F.dropout(x, self.drop, self.training))
        return end("Logits", x.mean((2, 3, 4)))
