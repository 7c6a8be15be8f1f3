"""The package's jobs over many images in PyTorch: evaluation and loading. Each returns a job, which returns its two checked numbers."""

import torch
from torch.nn import functional as F

from networks import classifier, freeze
from steps import descent, trained


def images_of(spec, path):
    """The bytes of all images, mapped from the file."""
    shape = (spec["images"], 3, spec["side"], spec["side"])
    count = shape[0] * shape[1] * shape[2] * shape[3]
    return torch.from_file(path, shared=False, size=count, dtype=torch.uint8).view(shape)


def evaluate(spec, state, path, layout, speed_up):
    model = classifier(spec)
    model.load_state_dict(state, strict=False)
    freeze(model).to(memory_format=layout)
    images = images_of(spec, path).clone()
    labels = torch.arange(spec["images"]) % spec["classes"]
    batch = spec["batch"]

    def outputs(x):
        features = model.features_of(x)
        return features, model.head(features)

    outputs = speed_up(outputs)

    def job():
        parts = []
        with torch.inference_mode():
            for at in range(0, spec["images"], batch):
                x = images[at : at + batch].to(memory_format=layout).float().div_(255)
                parts.append(outputs(x))
            features = torch.cat([f for f, _ in parts])
            logits = torch.cat([y for _, y in parts])
        return logits, features

    def check():
        logits, _ = job()
        return F.cross_entropy(logits, labels).item(), logits.norm().item()

    return job, check


def load(spec, path, at_most):
    images = images_of(spec, path)
    batch, wanted = spec["batch"], min(spec["images"], at_most)

    def job():
        order = torch.randperm(spec["images"])[:wanted]
        for at in range(0, wanted, batch):
            x = images[order[at : at + batch]].float().div_(255)
        return x

    def check():
        total, squares = 0.0, 0.0
        for at in range(0, wanted, batch):
            x = images[at : min(at + batch, wanted)].double() / 255
            total += x.sum().item()
            squares += x.square().sum().item()
        return total / wanted, squares**0.5

    return job, check


def epoch(spec, state, path, layout, speed_up):
    """An epoch behind a frozen prefix, which is computed for every batch, as training code does."""
    model, cut, weights, optimizer = trained(spec, state, layout)
    images = images_of(spec, path).clone()
    labels = torch.arange(spec["images"]) % spec["classes"]
    batch = spec["batch"]

    def loss_of(x, y):
        with torch.no_grad():
            x = model.run(x, 0, cut)
        return F.cross_entropy(model.head(model.run(x, cut, None)), y)

    loss_of = speed_up(loss_of)

    def step(rows):
        x = images[rows].to(memory_format=layout).float().div_(255)
        return descent(optimizer, lambda x: loss_of(x, labels[rows]), x)()

    def job():
        order = torch.randperm(spec["images"])
        for at in range(0, spec["images"], batch):
            step(order[at : at + batch])

    def check():
        loss = step(torch.arange(batch)).item()
        return loss, torch.stack([p.grad.double().norm() for p in weights]).norm().item()

    return job, check
