"""
One case in PyTorch, in a process of its own. Arguments: the case's folder, the layout (nchw, channels_last or compile), the threads.
Speaks lines of JSON: first {"loss", "norm"}, then for each {"run": n} on the standard input {"ms": [...]}, at its end {"peakBytes"}.
"""

import json
import os
import resource
import sys
import time

import torch

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import jobs  # noqa: E402
import steps  # noqa: E402
from tensors import load  # noqa: E402


def prepared(spec, folder, variant):
    """What is timed, and how the two checked numbers are had; the step's check is its first run."""
    layout = torch.channels_last if variant == "channels_last" else torch.contiguous_format
    speed_up = torch.compile if variant == "compile" else lambda function: function
    images = os.path.join(folder, "images.u8")
    if spec["kind"] == "load":
        return jobs.load(spec, images, spec["atMost"])
    state = load(os.path.join(folder, "tensors.safetensors"))
    if spec["kind"] == "evaluate":
        return jobs.evaluate(spec, state, images, layout, speed_up)
    if spec["kind"] == "epoch":
        return jobs.epoch(spec, state, images, layout, speed_up)
    if spec["kind"] == "fisher":
        traces = steps.fisher(spec, state, layout, speed_up)

        def squares():
            found = traces().detach().double()
            return found.sum().item(), found.norm().item()

        return traces, squares
    step, learned = steps.MAKERS[spec["kind"]](spec, state, layout, speed_up)

    def check():
        loss = step().item()
        return loss, torch.stack([p.grad.double().norm() for p in learned]).norm().item()

    return step, check


def peak_bytes():
    """The process's own peak: getrusage also counts what the parent held when it forked."""
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def say(message):
    print(json.dumps(message), flush=True)


def main(folder, variant, threads):
    torch.set_num_threads(int(threads))
    with open(os.path.join(folder, "case.json")) as file:
        spec = json.load(file)
    timed, check = prepared(spec, folder, variant)
    loss, norm = check()
    say({"loss": loss, "norm": norm})
    for line in sys.stdin:
        times = []
        for _ in range(json.loads(line)["run"]):
            start = time.perf_counter()
            timed()
            times.append((time.perf_counter() - start) * 1000)
        say({"ms": times})
    say({"peakBytes": peak_bytes()})
    # Nothing is left to be done: taking modules and compiled code apart would only cost time.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
