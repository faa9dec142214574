"""CPU inference, fp32: dactyl against the best of PyTorch's modes, alternately on the same machine in one run.

    python3 benchmarks/peers/cpu_inference.py --dactyl build/dactyl [--models googlenet,alexnet] [--batches 1,8]

Each side is timed in several rounds that take turns, so that neither gets the quiet minutes; the medians are compared.
"""
import argparse
import json
import os
import statistics
import subprocess
import time

import torch

from torch_nets import SIDE, make

MODES = ("eager", "channels_last", "frozen", "frozen_channels_last", "compiled")


def prepared(name, mode, x):
    """The net and its input in one of PyTorch's inference modes; None where the mode is not to be had."""
    net = make(name)
    if mode.endswith("channels_last"):
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    if mode.startswith("frozen"):
        net = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, x)))
    if mode == "compiled":
        import torch._inductor.config as config
        config.freezing = True
        net = torch.compile(net.to(memory_format=torch.channels_last))
        x = x.to(memory_format=torch.channels_last)
    for _ in range(3):
        net(x)
    return net, x


def seconds(net, x, budget):
    times = []
    end = time.perf_counter() + budget
    while time.perf_counter() < end or len(times) < 5:
        start = time.perf_counter()
        net(x)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def ours(dactyl, name, batch, budget):
    command = [dactyl, "bench", "model", name, "--batch", str(batch), "--device", "cpu", "--seconds", str(budget), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["median_ms"] / 1e3


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--dactyl", default="build/dactyl")
    p.add_argument("--models", default="googlenet,alexnet,googlenet-bn,alexnet-torchvision")
    p.add_argument("--batches", default="1,8")
    p.add_argument("--modes", default=",".join(MODES))
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=float, default=2)
    p.add_argument("--threads", type=int, default=os.cpu_count())
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    os.environ["OMP_NUM_THREADS"] = str(a.threads)
    print(f"PyTorch {torch.__version__}, {a.threads} threads, fp32; medians of {a.rounds} alternating rounds\n")
    print("| model | batch | dactyl ms | PyTorch best ms | mode | ratio |\n|---|---|---|---|---|---|")
    with torch.inference_mode():
        for name in a.models.split(","):
            for batch in map(int, a.batches.split(",")):
                x = torch.randn(batch, 3, SIDE[name], SIDE[name])
                nets = {}
                for mode in a.modes.split(","):
                    try:
                        nets[mode] = prepared(name, mode, x)
                    except Exception as e:  # a mode this PyTorch cannot build is named, not hidden
                        print(f"<!-- {name} batch {batch}: {mode} not available: {str(e).splitlines()[0][:100]} -->")
                mine, peers = [], {m: [] for m in nets}
                for _ in range(a.rounds):
                    mine.append(ours(a.dactyl, name, batch, a.seconds))
                    for mode, (net, y) in nets.items():
                        peers[mode].append(seconds(net, y, a.seconds))
                best = min(peers, key=lambda m: statistics.median(peers[m]))
                us, them = statistics.median(mine), statistics.median(peers[best])
                print(f"| {name} | {batch} | {us * 1e3:.2f} | {them * 1e3:.2f} | {best} | {them / us:.2f} |", flush=True)


if __name__ == "__main__":
    main()
