"""The package's networks in PyTorch, with the same names of weights."""

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

LEAK = 0.2


class BasicBlock(nn.Module):
    """torchvision's BasicBlock."""

    expansion = 1

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


class Bottleneck(nn.Module):
    """torchvision's Bottleneck: 1x1, 3x3 with the stride, 1x1 to four times the channels."""

    expansion = 4

    def __init__(self, before, after, stride):
        super().__init__()
        inner = after // self.expansion
        self.conv1 = nn.Conv2d(before, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, after, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or before != after:
            self.downsample = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(y)))))
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

    def watched(self, x):
        """Logits, and what the last stage of each group hands on; a stage without a group, such as a stem, has none."""
        hidden, stages = [], self.stages()
        groups = [name.split(".")[0] if "." in name else None for name, _ in stages] + [None]
        for i, (_, stage) in enumerate(stages):
            x = stage(x)
            if groups[i] is not None and groups[i] != groups[i + 1]:
                hidden.append(x)
        return self.head(x), hidden

    def boundary(self, name):
        """The number of stages up to and including the last of that name or group."""
        if name is None:
            return 0
        return max(i for i, (n, _) in enumerate(self.stages()) if n == name or n.startswith(f"{name}.")) + 1


class ResNet(Classifier):
    def __init__(self, block, blocks, width, stem, classes):
        super().__init__()
        small = stem == "small"
        self.conv1 = nn.Conv2d(3, width, 3 if small else 7, 1 if small else 2, 1 if small else 3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.pool = nn.MaxPool2d(2) if small else nn.MaxPool2d(3, 2, 1)
        self.relu = nn.ReLU(inplace=True)
        before = width
        for i, count in enumerate(blocks):
            after = block.expansion * width * 2**i
            layer = []
            for j in range(count):
                layer.append(block(before, after, 2 if j == 0 and i > 0 else 1))
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


class SelfAttention(nn.Module):
    """torch.nn.MultiheadAttention of a sequence with itself, its heads through the fused kernel."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x):
        n, tokens, width = x.shape
        mixed = nn.functional.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = mixed.view(n, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        joined = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.out_proj(joined.transpose(1, 2).reshape(n, tokens, width))


class EncoderLayer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.ln_1 = nn.LayerNorm(width, eps=1e-6)
        self.self_attention = SelfAttention(width, heads)
        self.ln_2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Identity(), nn.Linear(4 * width, width)
        )

    def forward(self, x):
        x = x + self.self_attention(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class VisionTransformer(Classifier):
    """torchvision's vit_b_16 at another width."""

    DEPTH, HEADS, PATCH = 12, 12, 16

    def __init__(self, width, side, classes):
        super().__init__()
        self.conv_proj = nn.Conv2d(3, width, self.PATCH, self.PATCH)
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        self.encoder = nn.Module()
        self.encoder.pos_embedding = nn.Parameter(torch.empty(1, (side // self.PATCH) ** 2 + 1, width))
        self.encoder.layers = nn.Module()
        for i in range(self.DEPTH):
            setattr(self.encoder.layers, f"encoder_layer_{i}", EncoderLayer(width, self.HEADS))
        self.encoder.ln = nn.LayerNorm(width, eps=1e-6)
        self.heads = nn.Module()
        self.heads.head = nn.Linear(width, classes)

    def embed(self, x):
        tokens = self.conv_proj(x).flatten(2).transpose(1, 2)
        return torch.cat([self.class_token.expand(x.shape[0], -1, -1), tokens], 1) + self.encoder.pos_embedding

    def stages(self):
        layers = [getattr(self.encoder.layers, f"encoder_layer_{i}") for i in range(self.DEPTH)]
        stages = [("embedding", self.embed)] + [(f"encoder.{i}", layer) for i, layer in enumerate(layers)]
        name, last = stages[-1]
        return stages[:-1] + [(name, lambda x: self.encoder.ln(last(x))[:, 0])]

    def head(self, x):
        return self.heads.head(x)


def scaled(channels, factor):
    """torchvision's _make_divisible."""
    wanted = channels * factor
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


def conv_norm(before, after, kernel, stride=1, groups=1):
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
        nn.BatchNorm2d(after),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """torchvision's InvertedResidual."""

    def __init__(self, before, after, expansion, stride):
        super().__init__()
        inner = before * expansion
        layers = [conv_norm(before, inner, 1)] if expansion != 1 else []
        layers += [
            conv_norm(inner, inner, 3, stride, inner),
            nn.Conv2d(inner, after, 1, bias=False),
            nn.BatchNorm2d(after),
        ]
        self.conv = nn.Sequential(*layers)
        self.shortcut = stride == 1 and before == after

    def forward(self, x):
        return x + self.conv(x) if self.shortcut else self.conv(x)


class MobileNetV2(Classifier):
    """torchvision's mobilenet_v2 without its dropout."""

    GROUPS = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]

    def __init__(self, width, classes):
        super().__init__()
        before = scaled(32, width)
        self.names, layers = ["stem"], [conv_norm(3, before, 3, 2)]
        for i, (expansion, channels, count, stride) in enumerate(self.GROUPS):
            after = scaled(channels, width)
            for j in range(count):
                self.names.append(f"block{i + 1}.{j}")
                layers.append(InvertedResidual(before, after, expansion, stride if j == 0 else 1))
                before = after
        self.names.append("last")
        features = scaled(1280, max(1, width))
        self.features = nn.Sequential(*layers, conv_norm(before, features, 1))
        self.classifier = nn.Sequential(nn.Identity(), nn.Linear(features, classes))

    def stages(self):
        stages = list(zip(self.names, self.features))
        name, last = stages[-1]
        return stages[:-1] + [(name, lambda x: last(x).mean((2, 3)))]

    def head(self, x):
        return self.classifier(x)

    def freeze_stages(self, cut):
        for stage in self.features[:cut]:
            freeze(stage)


RESNETS = {
    "resnet10": (BasicBlock, [1, 1, 1, 1]),
    "resnet18": (BasicBlock, [2, 2, 2, 2]),
    "resnet50": (Bottleneck, [3, 4, 6, 3]),
}


def classifier(spec):
    if spec["model"] == "mobilenet_v2":
        return MobileNetV2(spec["width"], spec["classes"])
    if spec["model"] == "vit_b_16":
        return VisionTransformer(spec["width"], spec["side"], spec["classes"])
    if spec["model"] == "vgg16_bn":
        return VGG16(spec["width"], spec["side"], spec["classes"])
    block, blocks = RESNETS[spec["model"]]
    return ResNet(block, blocks, spec["width"], spec.get("stem", "small"), spec["classes"])


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


class ConditionalNorm(nn.Module):
    """
    Batch norm with a scale and a shift for each class. In training it is by the batch's statistics, for the `labels` that were set;
    fixed for the classes of a batch, it is one product and one sum.
    """

    def __init__(self, channels, classes):
        super().__init__()
        self.weights = nn.Embedding(classes, channels)
        self.biases = nn.Embedding(classes, channels)
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def fix(self, labels, eps=1e-5):
        scale = self.weights(labels) / (self.running_var + eps).sqrt()
        shift = self.biases(labels) - scale * self.running_mean
        self.scale, self.shift = scale.detach()[:, :, None, None], shift.detach()[:, :, None, None]

    def forward(self, x):
        if not self.training:
            return torch.addcmul(self.shift, x, self.scale)
        standard = nn.functional.batch_norm(x, self.running_mean, self.running_var, training=True, momentum=0.1)
        scale, shift = self.weights(self.labels), self.biases(self.labels)
        return torch.addcmul(shift[:, :, None, None], standard, scale[:, :, None, None])


def doubled(x):
    return nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class UpBlock(nn.Module):
    def __init__(self, before, after, classes):
        super().__init__()
        self.b1, self.b2 = ConditionalNorm(before, classes), ConditionalNorm(after, classes)
        self.c1, self.c2 = nn.Conv2d(before, after, 3, 1, 1), nn.Conv2d(after, after, 3, 1, 1)
        self.c_sc = nn.Conv2d(before, after, 1)

    def forward(self, x):
        y = self.c1(doubled(self.b1(x).relu()))
        # A convolution of 1x1 and the doubling change places: a quarter of the work.
        return self.c2(self.b2(y).relu()) + doubled(self.c_sc(x))


class ConditionalGenerator(nn.Module):
    """PLG-MI's generator, its classes fixed."""

    def __init__(self, latent, side, width, classes):
        super().__init__()
        self.ups = halvings(side)
        widths = [width * 2 ** (self.ups - i) for i in range(self.ups + 1)]
        self.l1 = nn.Linear(latent, widths[0] * 16)
        for i in range(self.ups):
            setattr(self, f"block{i + 2}", UpBlock(widths[i], widths[i + 1], classes))
        setattr(self, f"b{self.ups + 2}", nn.BatchNorm2d(width))
        setattr(self, f"conv{self.ups + 2}", nn.Conv2d(width, 3, 1))

    def condition(self, labels):
        """Sets the classes of the images that are rendered in training."""
        for module in self.modules():
            if isinstance(module, ConditionalNorm):
                module.labels = labels
        return self

    def fix(self, labels):
        for module in self.modules():
            if isinstance(module, ConditionalNorm):
                module.fix(labels)
        return self.eval().requires_grad_(False)

    def forward(self, z):
        x = self.l1(z).view(z.shape[0], -1, 4, 4)
        for i in range(self.ups):
            x = getattr(self, f"block{i + 2}")(x)
        x = getattr(self, f"b{self.ups + 2}")(x).relu()
        return (getattr(self, f"conv{self.ups + 2}")(x).tanh() + 1) * 0.5


def spectral(weight, u, training):
    """A weight over its largest singular value, after one step of power iteration in training (torch's spectral_norm)."""
    matrix = weight.flatten(1)
    with torch.no_grad():
        v = nn.functional.normalize(matrix.T @ u, dim=0)
        if training:
            u.copy_(nn.functional.normalize(matrix @ v, dim=0))
        left = u.clone()
    return weight / (left.T @ (matrix @ v))


class SpectralConv(nn.Conv2d):
    def __init__(self, before, after, kernel):
        super().__init__(before, after, kernel, 1, (kernel - 1) // 2)
        self.register_buffer("weight_u", torch.empty(after, 1))

    def forward(self, x):
        return self._conv_forward(x, spectral(self.weight, self.weight_u, self.training), self.bias)


class SpectralLinear(nn.Linear):
    def __init__(self, before, after, bias):
        super().__init__(before, after, bias)
        self.register_buffer("weight_u", torch.empty(after, 1))

    def normalized(self):
        return spectral(self.weight, self.weight_u, self.training)

    def forward(self, x):
        return nn.functional.linear(x, self.normalized(), self.bias)


def halved(x):
    return nn.functional.avg_pool2d(x, 2)


class FirstBlock(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.c1, self.c2 = SpectralConv(before, after, 3), SpectralConv(after, after, 3)
        self.c_sc = SpectralConv(before, after, 1)

    def forward(self, x):
        return halved(self.c2(self.c1(x).relu_())) + self.c_sc(halved(x))


class DownBlock(nn.Module):
    def __init__(self, before, after):
        super().__init__()
        self.c1, self.c2 = SpectralConv(before, before, 3), SpectralConv(before, after, 3)
        self.c_sc = SpectralConv(before, after, 1)

    def forward(self, x):
        # A convolution of 1x1 and the means change places: a quarter of the work.
        return halved(self.c2(self.c1(x.relu()).relu_())) + self.c_sc(halved(x))


class ProjectionDiscriminator(nn.Module):
    """PLG-MI's discriminator: one score an image and its class."""

    def __init__(self, side, width, classes):
        super().__init__()
        self.downs = halvings(side)
        self.block1 = FirstBlock(3, width)
        for i in range(self.downs):
            setattr(self, f"block{i + 2}", DownBlock(width * 2**i, width * 2 ** (i + 1)))
        channels = width * 2**self.downs
        setattr(self, f"l{self.downs + 2}", SpectralLinear(channels, 1, bias=True))
        self.l_y = SpectralLinear(channels, classes, bias=False)

    def forward(self, x, labels):
        x = x * 2 - 1
        for i in range(self.downs + 1):
            x = getattr(self, f"block{i + 1}")(x)
        h = x.relu_().sum((2, 3))
        of_class = nn.functional.embedding(labels, self.l_y.normalized())
        return getattr(self, f"l{self.downs + 2}")(h)[:, 0] + (of_class * h).sum(1)


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
