"""The package's steps in PyTorch. Each maker returns a step, which returns its loss, and the tensors whose gradients it leaves."""

import torch
from torch.nn import functional as F

from networks import Critic, Generator, KedmiDiscriminator, classifier, freeze
from tensors import under

MOMENTUM, RATE, DECAY = 0.9, 1e-3, 1e-4


def fused(optimizer, parameters, **options):
    """The optimiser in its fastest form that this version has for the CPU."""
    try:
        return optimizer(parameters, fused=True, **options)
    except (RuntimeError, TypeError):
        return optimizer(parameters, **options)


def descent(optimizer, loss_of, x):
    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(x)
        loss.backward()
        optimizer.step()
        return loss

    return step


def train(spec, state, layout, speed_up):
    model = classifier(spec)
    model.load_state_dict({k: v for k, v in state.items() if k not in ("images", "targets")}, strict=False)
    model.train()
    cut = model.boundary(spec["boundary"])
    if cut > 0:
        model.freeze_stages(cut)
    model.to(memory_format=layout)
    images = state["images"].to(memory_format=layout)
    labels = state["targets"].argmax(1)
    weights = [p for p in model.parameters() if p.requires_grad]
    optimizer = fused(torch.optim.SGD, weights, lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)

    def loss_of(x):
        if cut > 0:
            with torch.no_grad():
                x = model.run(x, 0, cut)
        return F.cross_entropy(model.head(model.run(x, cut, None)), labels)

    loss_of = speed_up(loss_of)

    return descent(optimizer, loss_of, images), weights



def attack(spec, state, layout, speed_up):
    target = classifier(spec)
    target.load_state_dict(under("target/", state), strict=False)
    latent = state["z"].shape[1]
    generator = Generator(latent, spec["side"], spec["priorWidth"])
    generator.load_state_dict(under("generator/", state), strict=False)
    if spec["kind"] == "gmi":
        judge = Critic(spec["side"], spec["priorWidth"])
    else:
        judge = KedmiDiscriminator(spec["side"], spec["priorWidth"], spec["classes"])
    judge.load_state_dict(under("discriminator/", state), strict=False)
    for network in (target, generator, judge):
        freeze(network).to(memory_format=layout)
    labels = state["labels"].long()
    if spec["kind"] == "gmi":
        return gmi(state["z"].clone(), target, generator, judge, labels, speed_up)
    return kedmi(state["z"].clone(), state["noise"], target, generator, judge, labels, speed_up)


def gmi(z, target, generator, critic, labels, speed_up, rate=0.02, momentum=0.9, weight=100.0):
    z.requires_grad_(True)
    velocity = torch.zeros_like(z)

    def loss_of(z):
        images = generator(z)
        identity = F.cross_entropy(target(images), labels, reduction="sum")
        return (identity * weight - critic.naturalness(images).sum()) / 60

    loss_of = speed_up(loss_of)

    def step():
        z.grad = None
        loss = loss_of(z)
        loss.backward()
        with torch.no_grad():
            before = velocity.clone()
            velocity.mul_(momentum).sub_(z.grad, alpha=rate)
            z.sub_(before, alpha=momentum).add_(velocity, alpha=1 + momentum).clamp_(-1, 1)
        return loss

    return step, [z]


def kedmi(mu, noise, target, generator, discriminator, labels, speed_up, rate=0.02, weight=100.0):
    mu.requires_grad_(True)
    log_variance = torch.zeros_like(mu, requires_grad=True)
    optimizer = fused(torch.optim.Adam, [mu, log_variance], lr=rate)

    def loss_of(mu, log_variance):
        z = (mu + torch.exp(0.5 * log_variance) * noise).clamp(-1, 1)
        images = generator(z)
        return weight * F.cross_entropy(target(images), labels) - discriminator.naturalness(images).mean()

    loss_of = speed_up(loss_of)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(mu, log_variance)
        loss.backward()
        optimizer.step()
        return loss

    return step, [mu, log_variance]


def gan(spec, state, layout, speed_up):
    generator = Generator(state["z"].shape[1], spec["side"], spec["priorWidth"])
    critic = Critic(spec["side"], spec["priorWidth"])
    for network, prefix in ((generator, "generator/"), (critic, "discriminator/")):
        network.load_state_dict(under(prefix, state), strict=False)
        network.to(memory_format=layout).train()
    learner = critic if spec["kind"] == "critic" else generator
    (generator if learner is critic else critic).requires_grad_(False)
    weights = list(learner.parameters())
    optimizer = fused(torch.optim.Adam, weights, lr=2e-4, betas=(0.5, 0.999))
    z, real, alpha = state["z"], state["real"].to(memory_format=layout), state["alpha"]

    def critic_loss(z):
        with torch.no_grad():
            fake = generator(z)
        mixed = (alpha * real + (1 - alpha) * fake).requires_grad_(True)
        (slope,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
        steepness = ((slope.square().sum((1, 2, 3)) + 1e-12).sqrt() - 1).square().mean()
        scores = critic(torch.cat([fake, real]))
        n = real.shape[0]
        return scores[:n].mean() - scores[n:].mean() + 10 * steepness

    loss_of = speed_up(critic_loss if learner is critic else lambda z: -critic(generator(z)).mean())

    return descent(optimizer, loss_of, z), weights


MAKERS = {"train": train, "gmi": attack, "kedmi": attack, "critic": gan, "generator": gan}
