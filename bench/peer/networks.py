"""The package's networks in PyTorch, with the same names of weights."""

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

LEAK = 0.2


class BasicBlock(nn.Module):
    """torchvision's BasicBlock."""

    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        y = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class Classifier(nn.Module):
    """Stages that hand on one tensor each, and a head; `run` goes from one stage to another."""

    def run(self, x, start, end):
        for _, stage in self.stages()[start:end]:
            x = stage(x)
        return x

    def forward(self, x):
        return self.head(self.features_of(x))

    def features_of(self, x):
        return self.run(x, 0, None)

    def boundary(self, name):
        """The number of stages up to and including the last of that name or group."""
        if name is None:
            return 0
        return max(i for i, (n, _) in enumerate(self.stages()) if n == name or n.startswith(f"{name}.")) + 1


class ResNet(Classifier):
    def __init__(self, blocks, width, stem, classes):
        super().__init__()
        small = stem == "small"
        self.conv1 = nn.Conv2d(3, width, 3 if small else 7, 1 if small else 2, 1 if small else 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.pool = nn.MaxPool2d(2) if small else nn.MaxPool2d(3, 2, 1)
        self.relu = nn.ReLU(inplace=True)
        before = width
        for i, count in enumerate(blocks):
            after = width * 2**i
            layer = []
            for j in range(count):
                layer.append(BasicBlock(before, after, 2 if j == 0 and i > 0 else 1))
                before = after
            setattr(self, f"layer{i + 1}", nn.Sequential(*layer))
        self.fc = nn.Linear(before, classes)

    def stages(self):
        stages = [("stem", lambda x: self.pool(self.relu(self.bn1(self.conv1(x)))))]
        for i in range(1, 5):
            stages += [(f"layer{i}.{j}", block) for j, block in enumerate(getattr(self, f"layer{i}"))]
        name, last = stages[-1]
        return stages[:-1] + [(name, lambda x: last(x).mean((2, 3)))]

    def head(self, x):
        return self.fc(x)

    def freeze_stages(self, cut):
        freeze_children(self, ["conv1", "bn1"])
        for _, block in [b for i in range(1, 5) for b in getattr(self, f"layer{i}").named_children()][: cut - 1]:
            freeze(block)


class VGG16(Classifier):
    BLOCKS = [[1, 1], [2, 2], [4, 4, 4], [8, 8, 8], [8, 8, 8]]

    def __init__(self, width, side, classes):
        super().__init__()
        layers, before = [], 3
        self.ends = []
        for i, block in enumerate(self.BLOCKS):
            for j, units in enumerate(block):
                after = units * width
                layers += [nn.Conv2d(before, after, 3, 1, 1), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
                if j + 1 == len(block):
                    layers.append(nn.MaxPool2d(2))
                self.ends.append((f"block{i + 1}.conv{j + 1}", len(layers)))
                before = after
        self.features = nn.Sequential(*layers)
        length = before * (side // 32) ** 2
        self.bn = nn.BatchNorm1d(length)
        self.fc = nn.Linear(length, classes)

    def stages(self):
        stages, start = [], 0
        for name, end in self.ends:
            stages.append((name, self.features[start:end]))
            start = end
        name, last = stages[-1]
        return stages[:-1] + [(name, lambda x: last(x).flatten(1))]

    def head(self, x):
        return self.fc(self.bn(x))

    def freeze_stages(self, cut):
        freeze_children(self.features, list(self.features._modules)[: self.ends[cut - 1][1]])


def classifier(spec):
    if spec["model"] == "vgg16_bn":
        return VGG16(spec["width"], spec["side"], spec["classes"])
    blocks = [2, 2, 2, 2] if spec["model"] == "resnet18" else [1, 1, 1, 1]
    return ResNet(blocks, spec["width"], spec.get("stem", "small"), spec["classes"])


def halvings(side):
    return (side // 4).bit_length() - 1


class Generator(nn.Module):
    """GMI's generator with kernels of 5."""

    def __init__(self, latent, side, width):
        super().__init__()
        ups = halvings(side)
        widths = [width * 2 ** (ups - 1 - i) for i in range(ups)]
        self.l1 = nn.Sequential(
            nn.Linear(latent, widths[0] * 16, bias=False), nn.BatchNorm1d(widths[0] * 16), nn.ReLU(inplace=True)
        )
        up = {"kernel_size": 5, "stride": 2, "padding": 2, "output_padding": 1}
        layers = [
            nn.Sequential(
                nn.ConvTranspose2d(widths[i], widths[i + 1], bias=False, **up),
                nn.BatchNorm2d(widths[i + 1]),
                nn.ReLU(inplace=True),
            )
            for i in range(ups - 1)
        ]
        self.l2_5 = nn.Sequential(*layers, nn.ConvTranspose2d(width, 3, **up), nn.Sigmoid())

    def forward(self, z):
        return self.l2_5(self.l1(z).view(z.shape[0], -1, 4, 4))


class Critic(nn.Module):
    """GMI's critic with kernels of 5: one score an image."""

    def __init__(self, side, width):
        super().__init__()
        downs = halvings(side)
        layers = [nn.Conv2d(3, width, 5, 2, 2), nn.LeakyReLU(LEAK)]
        for i in range(downs - 1):
            layers.append(
                nn.Sequential(
                    nn.Conv2d(width * 2**i, width * 2 ** (i + 1), 5, 2, 2),
                    nn.InstanceNorm2d(width * 2 ** (i + 1), affine=True),
                    nn.LeakyReLU(LEAK),
                )
            )
        self.ls = nn.Sequential(*layers, nn.Conv2d(width * 2 ** (downs - 1), 1, 4))

    def forward(self, x):
        return self.ls(x).flatten()

    naturalness = forward


class MinibatchDiscrimination(nn.Module):
    def __init__(self, length, kernels, rows):
        super().__init__()
        self.T = nn.Parameter(torch.empty(length, kernels * rows))
        self.kernels = kernels

    def forward(self, f):
        m = (f @ self.T).view(f.shape[0], self.kernels, -1)
        distance = (m[:, None] - m[None]).abs().sum(3)
        # An image's distance to itself is 0, whose exponential is 1.
        return torch.cat([f, torch.exp(-distance).sum(1) - 1], 1)


class KedmiDiscriminator(nn.Module):
    def __init__(self, side, width, classes, kernels=64, rows=50):
        super().__init__()
        self.downs = halvings(side)
        before = 3
        for i in range(self.downs):
            after = width * 2 ** min(i, 2)
            reach = 5 if i < 3 else 3
            layer = nn.Sequential(
                nn.Conv2d(before, after, reach, 2, (reach - 1) // 2),
                nn.InstanceNorm2d(after, affine=True),
                nn.LeakyReLU(LEAK),
            )
            setattr(self, f"layer{i + 1}", layer)
            before = after
        self.mbd1 = MinibatchDiscrimination(before * 16, kernels, rows)
        self.fc_layer = nn.Linear(before * 16 + kernels, classes)

    def forward(self, x):
        for i in range(self.downs):
            x = getattr(self, f"layer{i + 1}")(x)
        return self.fc_layer(self.mbd1(x.flatten(1)))

    def naturalness(self, x):
        z = torch.logsumexp(self(x), 1)
        return z - nn.functional.softplus(z)


def freeze(module):
    """Evaluation mode, no gradients, and each batch norm folded into the layer before it."""
    for parent in list(module.modules()):
        freeze_children(parent, list(parent._modules))
    return module.eval().requires_grad_(False)


def freeze_children(parent, names):
    """The same for some children of a module, in their order."""
    for name in names:
        child = parent._modules[name]
        if child is not None:
            child.eval().requires_grad_(False)
    for name, following in zip(names, names[1:]):
        layer, norm = parent._modules[name], parent._modules[following]
        if isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
            fused = fuse_linear_bn_eval(layer, norm)
        elif isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)) and isinstance(norm, nn.BatchNorm2d):
            fused = fuse_conv_bn_eval(layer, norm, isinstance(layer, nn.ConvTranspose2d))
        else:
            continue
        parent._modules[name], parent._modules[following] = fused.requires_grad_(False), nn.Identity()
