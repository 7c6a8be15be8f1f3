"""The package's steps in PyTorch. Each maker returns a step, which returns its loss, and the tensors whose gradients it leaves."""

import time

import torch
from torch.nn import functional as F

from networks import (
    ConditionalGenerator,
    Critic,
    Generator,
    KedmiDiscriminator,
    ProjectionDiscriminator,
    classifier,
    freeze,
)
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


def trained(spec, state, layout):
    """A classifier in training behind its boundary, the number of frozen stages, the weights that learn, and their optimiser."""
    model = classifier(spec)
    model.load_state_dict({k: v for k, v in state.items() if k not in ("images", "targets")}, strict=False)
    model.train()
    cut = model.boundary(spec["boundary"])
    if cut > 0:
        model.freeze_stages(cut)
    model.to(memory_format=layout)
    weights = [p for p in model.parameters() if p.requires_grad]
    return model, cut, weights, fused(torch.optim.SGD, weights, lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)


def train(spec, state, layout, speed_up):
    model, cut, weights, optimizer = trained(spec, state, layout)
    images = state["images"].to(memory_format=layout)
    labels = state["targets"].argmax(1)

    def loss_of(x):
        if cut > 0:
            with torch.no_grad():
                x = model.run(x, 0, cut)
        return F.cross_entropy(model.head(model.run(x, cut, None)), labels)

    def bido_loss(x):
        logits, hidden = model.watched(x)
        return F.cross_entropy(logits, labels) + bido(x, hidden, state["targets"])

    loss_of = speed_up(bido_loss if spec.get("defense") == "bido-hsic" else loss_of)
    return descent(optimizer, loss_of, images), weights


def bido(x, hidden, wanted, weight_x=0.05, weight_y=0.5, sigma=5.0, ridge=1e-5):
    """Bilateral dependency optimisation by normalised HSIC."""
    m = x.shape[0]
    eye = torch.eye(m)

    def gaussian(rows):
        rows = rows.flatten(1)
        rows = rows - rows.mean(0)
        lengths = rows.square().sum(1)
        distances = (lengths[:, None] + lengths[None] - 2 * rows @ rows.T).relu()
        return torch.exp(distances * (-1 / (2 * sigma**2 * rows.shape[1])))

    def canonical(k):
        centred = k - k.mean(0)
        centred = centred - centred.mean(1, keepdim=True)
        return eye - ridge * m * torch.linalg.inv(centred + ridge * m * eye)

    of_x, of_y = canonical(gaussian(x)), canonical(wanted @ wanted.T)
    of_hidden = [canonical(gaussian(z)) for z in hidden]
    return sum(weight_x * (of_x * z).sum() - weight_y * (z * of_y).sum() for z in of_hidden)


def fisher(spec, state, layout, speed_up):
    """Squares of each image's own gradients, summed for each weight: by vmap, or image by image where that is faster."""
    model = classifier(spec)
    model.load_state_dict({k: v for k, v in state.items() if k not in ("images", "labels")}, strict=False)
    model.eval().to(memory_format=layout)
    for module in model.modules():
        if isinstance(module, torch.nn.ReLU):
            module.inplace = False
    images, labels = state["images"].to(memory_format=layout), state["labels"].long()
    weights = dict(model.named_parameters())
    buffers = dict(model.named_buffers())

    def loss_of(parameters, x, y):
        logits = torch.func.functional_call(model, (parameters, buffers), (x[None],))
        return F.cross_entropy(logits, y[None])

    each = torch.func.vmap(torch.func.grad(loss_of), in_dims=(None, 0, 0))
    detached = {name: w.detach() for name, w in weights.items()}
    batched = speed_up(lambda x: torch.stack([g.square().sum() for g in each(detached, x, labels).values()]))

    def one_by_one(x):
        total = torch.zeros(len(weights))
        for i in range(x.shape[0]):
            gradients = torch.autograd.grad(F.cross_entropy(model(x[i : i + 1]), labels[i : i + 1]), weights.values())
            total += torch.stack([g.square().sum() for g in gradients])
        return total

    def seconds(form):
        form(images)
        start = time.perf_counter()
        form(images)
        return time.perf_counter() - start

    fastest = min((batched, one_by_one), key=seconds)
    return lambda: fastest(images)


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


def views_of(state):
    """The matrices and factors of each view that was drawn."""
    names = sorted({name.split("/")[0] for name in state if name.startswith("views")})
    return [[state[f"{name}/{part}"] for part in ("rows", "columns", "brightness", "contrast")] for name in names]


def viewed(images, view, grey=(0.299, 0.587, 0.114)):
    """A crop of each image, its brightness and then its contrast changed."""
    rows, columns, brightness, contrast = view
    shares = torch.tensor(grey)[:, None, None]
    bright = (rows @ images @ columns * brightness).clamp(0, 1)
    mean = (bright * shares).sum(1, keepdim=True).mean((2, 3), keepdim=True)
    return (mean + (bright - mean) * contrast).clamp(0, 1)


def max_margin(logits, labels):
    """The largest logit of another class minus that of the own one, image by image."""
    own = F.one_hot(labels, logits.shape[1]).bool()
    return logits.masked_fill(own, -torch.inf).amax(1) - logits.gather(1, labels[:, None])[:, 0]


def plg_mi(spec, state, layout, speed_up, rate=0.1):
    target = classifier(spec)
    target.load_state_dict(under("target/", state), strict=False)
    freeze(target).to(memory_format=layout)
    labels = state["labels"].long()
    z = state["z"].clone().requires_grad_(True)
    generator = ConditionalGenerator(z.shape[1], spec["side"], spec["priorWidth"], spec["classes"])
    generator.load_state_dict(under("generator/", state), strict=False)
    generator.fix(labels).to(memory_format=layout)
    optimizer = fused(torch.optim.Adam, [z], lr=rate)
    drawn = views_of(state)

    def loss_of(z):
        images = generator(z)
        loss = 0
        for view in drawn:
            logits = target(viewed(images, view).contiguous(memory_format=layout))
            loss = loss + max_margin(logits, labels).sum()
        return loss

    return descent(optimizer, speed_up(loss_of), z), [z]


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


def plg_gan(spec, state, layout, speed_up, inversion=0.2):
    """A player's step of PLG-MI's conditional GAN; the generator is also guided by the classifier."""
    classes = spec["classes"]
    z, real = state["z"], state["real"].to(memory_format=layout)
    wanted, real_classes = state["wanted"].long(), state["realClasses"].long()
    generator = ConditionalGenerator(z.shape[1], spec["side"], spec["priorWidth"], classes).condition(wanted)
    discriminator = ProjectionDiscriminator(spec["side"], spec["priorWidth"], classes)
    for network, prefix in ((generator, "generator/"), (discriminator, "discriminator/")):
        network.load_state_dict(under(prefix, state), strict=False)
        network.to(memory_format=layout).train()
    learner = discriminator if spec["kind"] == "plg-critic" else generator
    (generator if learner is discriminator else discriminator).requires_grad_(False)
    weights = list(learner.parameters())
    optimizer = fused(torch.optim.Adam, weights, lr=2e-4, betas=(0.0, 0.9))
    target = classifier(spec)
    target.load_state_dict(under("target/", state), strict=False)
    freeze(target).to(memory_format=layout)
    (view,) = views_of(state)

    def critic_loss(z):
        with torch.no_grad():
            fake = generator(z)
        scores = discriminator(torch.cat([fake, real]), torch.cat([wanted, real_classes]))
        n = real.shape[0]
        return (1 - scores[n:]).relu().mean() + (1 + scores[:n]).relu().mean()

    def generator_loss(z):
        fake = generator(z)
        guidance = max_margin(target(viewed(fake, view).contiguous(memory_format=layout)), wanted).mean()
        return inversion * guidance - discriminator(fake, wanted).mean()

    return descent(optimizer, speed_up(critic_loss if learner is discriminator else generator_loss), z), weights


MAKERS = {
    "train": train,
    "gmi": attack,
    "kedmi": attack,
    "plg-mi": plg_mi,
    "critic": gan,
    "generator": gan,
    "plg-critic": plg_gan,
    "plg-generator": plg_gan,
}
