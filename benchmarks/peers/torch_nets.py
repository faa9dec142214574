"""The nets as PyTorch modules, written for comparison: parameter names and layer order are dactyl's."""
import torch
from torch import nn

# name: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection (Szegedy et al. 2014, Table 1)
INCEPTION = {
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64), "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128), "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128),
}


def lrn():
    return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)


def pool():
    return nn.MaxPool2d(3, 2, ceil_mode=True)


class AlexNet(nn.Module):
    """BVLC's AlexNet: 227x227, two groups in conv2, conv4, conv5, LRN before pooling."""

    def __init__(self, classes=1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 11, 4)
        self.conv2 = nn.Conv2d(96, 256, 5, 1, 2, groups=2)
        self.conv3 = nn.Conv2d(256, 384, 3, 1, 1)
        self.conv4 = nn.Conv2d(384, 384, 3, 1, 1, groups=2)
        self.conv5 = nn.Conv2d(384, 256, 3, 1, 1, groups=2)
        self.fc6, self.fc7, self.fc8 = nn.Linear(9216, 4096), nn.Linear(4096, 4096), nn.Linear(4096, classes)
        self.norm1, self.norm2 = lrn(), lrn()
        self.pool1, self.pool2, self.pool5 = pool(), pool(), pool()

    def forward(self, x, mask6=None, mask7=None):
        """The masks, if given, stand for dropout: multiplied in after fc6 and fc7."""
        relu = torch.relu
        x = self.pool1(self.norm1(relu(self.conv1(x))))
        x = self.pool2(self.norm2(relu(self.conv2(x))))
        x = self.pool5(relu(self.conv5(relu(self.conv4(relu(self.conv3(x)))))))
        x = relu(self.fc6(torch.flatten(x, 1)))
        x = relu(self.fc7(x if mask6 is None else x * mask6))
        return self.fc8(x if mask7 is None else x * mask7)


class Block(nn.Module):
    def __init__(self, cin, c1, c3r, c3, c5r, c5, proj):
        super().__init__()
        self.one = nn.Conv2d(cin, c1, 1)
        self.three_reduce, self.three = nn.Conv2d(cin, c3r, 1), nn.Conv2d(c3r, c3, 3, 1, 1)
        self.five_reduce, self.five = nn.Conv2d(cin, c5r, 1), nn.Conv2d(c5r, c5, 5, 1, 2)
        self.pool, self.projection = nn.MaxPool2d(3, 1, 1), nn.Conv2d(cin, proj, 1)

    def forward(self, x):
        relu = torch.relu
        return torch.cat([relu(self.one(x)), relu(self.three(relu(self.three_reduce(x)))),
                          relu(self.five(relu(self.five_reduce(x)))), relu(self.projection(self.pool(x)))], 1)


class GoogLeNet(nn.Module):
    """BVLC's GoogLeNet without the auxiliary heads (inference)."""

    def __init__(self, classes=1000):
        super().__init__()
        self.conv1, self.reduce, self.conv2 = nn.Conv2d(3, 64, 7, 2, 3), nn.Conv2d(64, 64, 1), nn.Conv2d(64, 192, 3, 1, 1)
        self.norm1, self.norm2 = lrn(), lrn()
        self.pool1, self.pool2, self.pool3, self.pool4 = pool(), pool(), pool(), pool()
        channels = 192
        for name, row in INCEPTION.items():
            setattr(self, "block" + name, Block(channels, *row))
            channels = row[0] + row[2] + row[4] + row[5]
        self.classifier = nn.Linear(1024, classes)

    def forward(self, x):
        relu = torch.relu
        x = self.norm1(self.pool1(relu(self.conv1(x))))
        x = self.pool2(self.norm2(relu(self.conv2(relu(self.reduce(x))))))
        x = self.pool3(self.block3b(self.block3a(x)))
        x = self.block4e(self.block4d(self.block4c(self.block4b(self.block4a(x)))))
        x = self.block5b(self.block5a(self.pool4(x)))
        return self.classifier(x.mean((2, 3)))


def make(name):
    """A net by dactyl's name, in evaluation mode."""
    if name == "alexnet":
        return AlexNet().eval()
    if name == "googlenet":
        return GoogLeNet().eval()
    import torchvision
    if name == "alexnet-torchvision":
        return torchvision.models.alexnet(weights=None).eval()
    return torchvision.models.googlenet(weights=None, aux_logits=False, init_weights=False, transform_input=False).eval()


SIDE = {"alexnet": 227, "alexnet-torchvision": 224, "googlenet": 224, "googlenet-bn": 224}
