"""MobileNet v1 and an LSTM over its features as PyTorch modules, written for comparison; names of parameters are dactyl's."""
import torch
from torch import nn
from torch.nn import functional as F

# channels, stride of each pair of a depthwise and a 1x1 convolution
PAIRS = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)] + [(512, 1)] * 5 + [(1024, 2), (1024, 1)]


class Unit(nn.Module):
    """TensorFlow's SAME padding, convolution without bias, normalisation, ReLU6."""

    def __init__(self, cin, cout, kernel, stride=1, groups=1):
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self.conv = nn.Conv2d(cin, cout, kernel, stride, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(cout, eps=1e-3)

    def forward(self, x):
        pads = []
        for size in (x.shape[3], x.shape[2]):
            total = max((-(-size // self.stride) - 1) * self.stride + self.kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return F.relu6(self.bn(self.conv(F.pad(x, pads))))


class Lstm(nn.Module):
    """PyTorch's LSTM kernel with one bias; the last state."""

    def __init__(self, features, units):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(4 * units, features))
        self.recurrent = nn.Parameter(torch.zeros(4 * units, units))
        self.bias = nn.Parameter(torch.zeros(4 * units))

    def forward(self, x):
        start = x.new_zeros(1, x.shape[0], self.recurrent.shape[1])
        weights = [self.weight, self.recurrent, self.bias, torch.zeros_like(self.bias)]
        return torch._VF.lstm(x, (start, start), weights, True, 1, 0.0, self.training, False, True)[0][:, -1]


class MobileNetLstm(nn.Module):
    def __init__(self, classes, width=1.0, units=256):
        super().__init__()
        cin = int(32 * width)
        self.conv1 = Unit(3, cin, 3, 2)
        self.trunk = ["conv1"]
        for i, (channels, stride) in enumerate(PAIRS, 1):
            cout = int(channels * width)
            self.add_module(f"conv_dw_{i}", Unit(cin, cin, 3, stride, cin))
            self.add_module(f"conv_pw_{i}", Unit(cin, cout, 1))
            self.trunk += [f"conv_dw_{i}", f"conv_pw_{i}"]
            cin = cout
        self.lstm, self.classifier = Lstm(cin, units), nn.Linear(units, classes)

    def forward(self, x):
        """x (N, C, D, H, W) -> (N, classes)"""
        n, frames = x.shape[0], x.shape[2]
        y = x.transpose(1, 2).flatten(0, 1)
        for name in self.trunk:
            y = self._modules[name](y)
        return self.classifier(self.lstm(y.mean((2, 3)).reshape(n, frames, -1)))
