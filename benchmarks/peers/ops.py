"""dactyl's own kernels against PyTorch's, operation by operation, both on one device in one run.

    python3 benchmarks/peers/ops.py --dactyl build/dactyl --precision bf16 --compile --json ops.json

The sizes are those of `dactyl bench op`. PyTorch computes on channels-last tensors; both sides overwrite the cache before
every run and take their time inside a captured graph, so no launching is counted. --compile tries torch.compile too. A
row's ratio is of the medians; above 1, dactyl is faster. Where ours writes into a slice (into=), PyTorch's result is dense.
"""
import argparse
import json
import statistics
import subprocess
import sys

import torch
from torch.nn import functional as F

from layer_lines import numbers_of
from torch_layers import TYPES, TorchLayers


def function_of(what, device, dtype):
    """(function of x and the other tensors, those), as described by `what`: "max_pool3d x=2x4x6x6x8 k=3x3x3 s=2 p=same"."""
    kind, *words = what.split()
    options = dict(word.split("=", 1) for word in words if "=" in word)
    batch, *extents, channels = map(int, options["x"].split("x"))
    memory = torch.channels_last if len(extents) == 2 else torch.channels_last_3d
    x = torch.randn(batch, channels, *extents, device=device, dtype=dtype).contiguous(memory_format=memory).requires_grad_()
    each = lambda key: numbers_of(options[key], len(extents))
    if kind.startswith("max_pool"):
        pool = F.max_pool2d if len(extents) == 2 else F.max_pool3d
        same = options["p"] == "same"  # of even extents: one place more behind, which ceil mode gives as well
        padding = 0 if same else each("p")
        return lambda x: pool(x, each("k"), each("s"), padding, ceil_mode=same or "ceil" in words), [x]
    if kind == "lrn":
        return lambda x: F.local_response_norm(x, 5, 1e-4, 0.75, 1.0), [x]
    if kind == "batch_norm":
        weight, bias = (torch.ones(channels, device=device, requires_grad=True) for _ in range(2))
        mean, var = torch.zeros(channels, device=device), torch.ones(channels, device=device)
        end = (lambda y: y.relu_()) if "relu" in words else (lambda y: y)
        return lambda x, weight, bias: end(F.batch_norm(x, mean, var, weight, bias, True, 0.1, 1e-3)), [x, weight, bias]
    raise ValueError(f"PyTorch's {kind} is not known here")


def work_of(function, tensors, backward):
    if not backward:
        fixed = [t.detach() for t in tensors]
        return lambda: function(*fixed)
    dy = torch.randn_like(function(*tensors).detach())
    return lambda: torch.autograd.grad(function(*tensors), tensors, dy)


def theirs(peer, row, precision, modes):
    """Milliseconds by mode, and what could not be done."""
    times, failed = {}, {}
    for mode in modes:
        try:
            function, tensors = function_of(row["what"].rsplit(" ", 1)[0], peer.device, TYPES[precision])
            if mode == "compiled":
                torch._dynamo.reset()
                function = torch.compile(function, mode="max-autotune-no-cudagraphs")
            work = work_of(function, tensors, "backward" in row["pass"])
            for how, ms in peer.timed(work).items():
                times[f"{mode}, {how}" if mode == "compiled" else how] = statistics.median(ms)
        except Exception as e:  # what this PyTorch cannot do is named, not hidden
            failed[mode] = (str(e).splitlines() or [type(e).__name__])[0][:120]
    return times, failed


def rows_of(a, operation):
    command = [a.dactyl, "bench", "op", operation, "--precision", a.precision, "--device", a.device, "--seconds",
               str(a.seconds), "--json"] + (["--batch", str(a.batch)] if a.batch else [])
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"ops.py: {' '.join(command)}: exit code {done.returncode}: {done.stderr.strip()[-300:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--dactyl", default="build/dactyl")
    p.add_argument("--operations", default="max_pool,batch_norm,lrn")
    p.add_argument("--device", default="cuda", choices=("cpu", "cuda"))
    p.add_argument("--precision", default="bf16", choices=("fp32", "bf16"))
    p.add_argument("--batch", type=int, default=0, help="0: as dactyl bench op has it")
    p.add_argument("--seconds", type=float, default=0.2, help="of measuring, each")
    p.add_argument("--compile", action="store_true", help="torch.compile too: slow to warm")
    p.add_argument("--json", default="", help="file that gets every figure, a line each")
    a = p.parse_args()
    if a.device == "cuda" and not torch.cuda.is_available():
        sys.exit("ops.py: PyTorch finds no GPU here; --device cpu compares on the CPU")
    peer = TorchLayers(a.device, a.seconds, 10, ["channels_last"], 0)
    modes = ["eager"] + (["compiled"] if a.compile else [])
    print(peer.machine() + f"; medians, {a.seconds} s each\n")
    print("| operation | pass | dactyl µs | of the copy roof | PyTorch µs | how | ratio |\n|---|---|---|---|---|---|---|")
    for operation in a.operations.split(","):
        ratios = []
        for row in rows_of(a, operation):
            times, failed = theirs(peer, row, a.precision, modes)
            for how, ms in times.items():
                ratio = ms / row["median_ms"]
                ratios.append(ratio)
                print(f"| {row['what']} | {row['pass']} | {row['median_ms'] * 1e3:.1f} | {row['roof_percent']:.0f} % | "
                      f"{ms * 1e3:.1f} | {how} | **{ratio:.2f}** |", flush=True)
            for mode, why in failed.items():
                print(f"<!-- {row['what']} {row['pass']}: PyTorch {mode}: {why} -->", flush=True)
            if a.json:
                with open(a.json, "a") as f:
                    f.write(json.dumps({**{k: v for k, v in row.items() if k != "ms"}, "peer": times}) + "\n")
        if ratios:
            print(f"| **{operation}** | all | | | | | {statistics.geometric_mean(ratios):.2f}, least {min(ratios):.2f} |")


if __name__ == "__main__":
    main()
